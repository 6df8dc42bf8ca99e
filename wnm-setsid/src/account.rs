//! The account that nodes run under in sudo mode.

use std::path::PathBuf;

use nix::unistd::{Gid, Uid, User};
use wnm_core::manager::ManagerError;

/// An account of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub name: String,
    pub uid: Uid,
    pub gid: Gid,
    pub home: PathBuf,
}

impl Account {
    /// Looks one up by name.
    pub fn named(name: &str) -> Result<Self, ManagerError> {
        let found = User::from_name(name).map_err(|error| {
            ManagerError::io(format!("looking up the account '{name}'"), error.into())
        })?;
        let user = found.ok_or_else(|| ManagerError::Rejected {
            what: format!("the account '{name}' that nodes run under"),
            words: format!("does not exist; make it with: useradd --system {name}"),
        })?;
        Ok(Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            home: user.dir,
        })
    }
}

/// Name of an account, or its number where it has none.
pub(crate) fn name_of(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => uid.to_string(),
    }
}
