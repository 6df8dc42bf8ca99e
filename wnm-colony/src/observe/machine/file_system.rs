//! Measures how full a file system is.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::observe::deadline::{FILE_SYSTEM_DEADLINE, within};
use wnm_core::probe::ObserveError;
use wnm_core::quantity::Percent;

/// How full a file system is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Fill {
    /// The used share of the space that users can have, as `df` shows it.
    pub used: Percent,
    /// The size in bytes.
    pub total: u64,
}

/// How full the file system of a directory is. If the directory does not exist, measures the file
/// system of its nearest existing ancestor.
pub(super) async fn fill(directory: &Path) -> Result<Fill, ObserveError> {
    let wanted = directory.to_owned();
    let read = within(FILE_SYSTEM_DEADLINE, move || read_fill(&wanted)).await;
    read.and_then(|fill| fill)
        .map_err(|source| ObserveError::Read {
            what: format!("the file system of {}", directory.display()),
            source,
        })
}

fn read_fill(directory: &Path) -> io::Result<Fill> {
    let existing = directory
        .ancestors()
        .find(|path| path.exists())
        .ok_or(io::ErrorKind::NotFound)?;
    let system = statvfs(existing)?;
    #[allow(
        clippy::unnecessary_cast,
        reason = "these types differ in width between systems"
    )]
    let blocks = Blocks {
        all: system.blocks() as u64,
        free: system.blocks_free() as u64,
        available: system.blocks_available() as u64,
        size: system.fragment_size() as u64,
    };
    Ok(blocks.fill())
}

/// Block counts of a file system.
struct Blocks {
    all: u64,
    /// Free blocks, including those reserved for root.
    free: u64,
    /// Free blocks for all users.
    available: u64,
    /// Bytes per block.
    size: u64,
}

impl Blocks {
    fn fill(&self) -> Fill {
        let used = self.all.saturating_sub(self.free);
        let usable = used.saturating_add(self.available);
        Fill {
            used: Percent::of(used as f64, usable as f64),
            total: self.all.saturating_mul(self.size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_reserved_for_root_do_not_count_as_free() {
        let blocks = Blocks {
            all: 1000,
            free: 400,
            available: 200,
            size: 4096,
        };
        assert_eq!(blocks.fill().used, Percent::whole(75));
        assert_eq!(blocks.fill().total, 4_096_000);
        let none = Blocks {
            all: 0,
            free: 0,
            available: 0,
            size: 4096,
        };
        assert_eq!(none.fill(), Fill::default());
    }

    #[tokio::test]
    async fn a_missing_directory_counts_as_its_ancestor() {
        let dir = tempfile::tempdir().unwrap();
        let there = fill(dir.path()).await.unwrap();
        let to_be = fill(&dir.path().join("a/b/c")).await.unwrap();
        assert!(there.total > 0);
        assert_eq!(there.total, to_be.total);
    }
}
