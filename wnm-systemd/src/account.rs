//! The account that nodes run under in sudo mode.

use nix::unistd::{Gid, Uid, User};
use wnm_core::manager::ManagerError;

/// An account of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub uid: Uid,
    pub gid: Gid,
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
            uid: user.uid,
            gid: user.gid,
        })
    }
}
