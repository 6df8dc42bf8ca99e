//! What a node says on its standard streams: one file, turned over at a start when it has grown.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use wnm_core::manager::ManagerError;
use wnm_host::files::Files;

use crate::hands::Hands;

/// A node writes its real log elsewhere; beyond this the file is put aside at the next start.
const TURN_OVER_AT: u64 = 10 * 1024 * 1024;

/// What is read of the end of the file to explain a node that ended at once.
const TAIL_BYTES: u64 = 4096;

/// Lines of it that go into the explanation.
const TAIL_LINES: usize = 5;

/// An opened output file, and where in it the coming run begins.
#[derive(Debug)]
pub(crate) struct Output {
    pub file: File,
    begin: u64,
}

impl Output {
    /// Opens it for appending, after putting an overgrown one aside as `<name>.old`.
    pub async fn open(
        files: &dyn Files,
        hands: &dyn Hands,
        path: &Path,
    ) -> Result<Self, ManagerError> {
        let grown = std::fs::symlink_metadata(path).is_ok_and(|file| file.len() > TURN_OVER_AT);
        if grown {
            files.rename(path, &aside(path)).await?;
        }
        let file = hands.output(path).await?;
        let begin = file
            .metadata()
            .map_err(|source| ManagerError::io(format!("reading {}", path.display()), source))?
            .len();
        Ok(Self { file, begin })
    }

    /// The last lines of this run, on one line.
    pub fn last_words(&self) -> String {
        match self.tail() {
            Ok(bytes) => last_lines(&bytes),
            Err(error) => format!("(its output cannot be read: {error})"),
        }
    }

    fn tail(&self) -> io::Result<Vec<u8>> {
        let end = self.file.metadata()?.len();
        let from = self.begin.max(end.saturating_sub(TAIL_BYTES));
        let wanted = usize::try_from(end.saturating_sub(from)).unwrap_or(0);
        let mut bytes = vec![0; wanted];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
}

/// Opens a file for appending and reading. Its directory belongs to the account that nodes run under, so
/// nothing but a plain file is accepted there: no link of either kind to a file of ours, no pipe to wait at.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o644)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(io::Error::other("not a plain file of its own"));
    }
    Ok(file)
}

/// Where an output file is put aside to.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    PathBuf::from(name)
}

fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>())
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    match lines.len() {
        0 => "it said nothing".to_owned(),
        count => lines[count.saturating_sub(TAIL_LINES)..].join(" | "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_fit_on_one() {
        assert_eq!(last_lines(b""), "it said nothing");
        let text = b"1\n2\n\n3\n4\n5\n\x1b[31m6\x07 \xff\n";
        assert_eq!(last_lines(text), "2 | 3 | 4 | 5 | [31m6 \u{fffd}");
    }

    #[test]
    fn links_and_pipes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let precious = dir.path().join("precious");
        std::fs::write(&precious, b"p").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&precious, &link).unwrap();
        assert!(open_plain(&link).is_err());
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(open_plain(&pipe).is_err());
        assert!(open_plain(dir.path()).is_err());
        open_plain(&precious).unwrap();
        std::fs::hard_link(&precious, dir.path().join("second")).unwrap();
        assert!(open_plain(&precious).is_err());
    }
}
