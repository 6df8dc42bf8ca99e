//! The account that nodes run under, as numbers: a container has names of its own.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{getegid, geteuid};

/// What the user `ant` of the image has, unless it is given other numbers.
const ANT: u32 = 1000;

/// Whose the nodes and their files are. Never root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub uid: u32,
    pub gid: u32,
}

impl Owner {
    /// The caller. For root it is whoever owns the node storage; where that is root too, the numbers that the
    /// image has for `ant`.
    pub fn of(storage: &Path) -> Self {
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
            _ => Self { uid: ANT, gid: ANT },
        }
    }

    /// Whether files that the caller makes are the owner's already.
    pub fn is_caller(self) -> bool {
        self.uid == geteuid().as_raw()
    }

    /// The numbers as they are passed around: `1000:1000`.
    pub fn text(self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }
}
