//! The account that nodes run as, as numeric ids: account names in a container differ from those of the machine.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{getegid, geteuid};

/// The default uid and gid of the user `ant` in the image.
const ANT_ID: u32 = 1000;

/// The owner of the nodes and their files. Never root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub uid: u32,
    pub gid: u32,
}

impl Owner {
    /// The caller. If the caller is root, the owner of the node storage. If that is root too, the default ids of
    /// `ant` in the image.
    pub fn of_storage(storage: &Path) -> Self {
        let (uid, gid) = (geteuid(), getegid());
        if !uid.is_root() {
            return Self {
                uid: uid.as_raw(),
                gid: gid.as_raw(),
            };
        }
        match std::fs::metadata(storage) {
            Ok(entry) if entry.uid() != 0 && entry.gid() != 0 => Self {
                uid: entry.uid(),
                gid: entry.gid(),
            },
            _ => Self {
                uid: ANT_ID,
                gid: ANT_ID,
            },
        }
    }

    /// Whether the owner is the caller, so that new files belong to the owner already.
    pub fn is_caller(self) -> bool {
        self.uid == geteuid().as_raw()
    }

    /// The ids as an argument for scripts: `1000:1000`.
    pub fn ids(self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }
}
