use std::path::PathBuf;

use nix::unistd::{Uid, User};

use wnm_core::manager::ManagerError;

/// The command that makes an account for nodes.
const MAKES_ACCOUNT: &str = if cfg!(target_os = "macos") {
    "sudo sysadminctl -addUser"
} else {
    "useradd --system"
};

/// An account of this machine: the one that nodes run under in sudo mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Number of the account.
    pub uid: u32,
    /// Number of its main group.
    pub gid: u32,
    /// Its home directory.
    pub home: PathBuf,
}

impl Account {
    /// Looks one up by name. One that does not exist is refused.
    pub fn named(name: &str) -> Result<Self, ManagerError> {
        let found = User::from_name(name).map_err(|error| {
            ManagerError::io(format!("looking up the account '{name}'"), error.into())
        })?;
        let user = found.ok_or_else(|| ManagerError::Rejected {
            what: format!("the account '{name}' that nodes run under"),
            words: format!("does not exist; make it with: {MAKES_ACCOUNT} {name}"),
        })?;
        Ok(Self {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            home: user.dir,
        })
    }

    /// Name of an account, or its number where it has none.
    pub fn name_of(uid: u32) -> String {
        match User::from_uid(Uid::from_raw(uid)) {
            Ok(Some(user)) => user.name,
            Ok(None) | Err(_) => uid.to_string(),
        }
    }
}
