//! What a node says on its standard streams, which launchd appends to a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use wnm_core::manager::ManagerError;
use wnm_host::files::Files;

/// A node writes its real log elsewhere; beyond this the file is put aside at the next start.
const TURN_OVER_AT: u64 = 10 * 1024 * 1024;

/// What is read of the end of the file to explain a node that did not stay up.
const TAIL_BYTES: u64 = 4096;

/// Lines of it that go into the explanation.
const TAIL_LINES: usize = 5;

/// Such a file, and where in it the coming run begins.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    begin: u64,
}

impl Output {
    /// Puts an overgrown one aside as `<name>.old`.
    pub async fn prepare(files: &dyn Files, path: PathBuf) -> Result<Self, ManagerError> {
        let mut begin = length(&path);
        if begin > TURN_OVER_AT {
            let mut aside = path.clone().into_os_string();
            aside.push(".old");
            files.rename(&path, Path::new(&aside)).await?;
            begin = 0;
        }
        Ok(Self { path, begin })
    }

    /// The last lines since then, on one line; nothing where nothing can be read.
    pub fn last_words(&self) -> String {
        match self.tail() {
            Ok(bytes) => last_lines(&bytes),
            Err(error) => {
                tracing::debug!(file = %self.path.display(), %error, "the output says nothing");
                String::new()
            }
        }
    }

    /// The directory belongs to the account that nodes run under, so that a link there is not followed and a pipe
    /// not waited at.
    fn tail(&self) -> io::Result<Vec<u8>> {
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&self.path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("not a plain file"));
        }
        let from = self.begin.max(found.len().saturating_sub(TAIL_BYTES));
        let wanted = usize::try_from(found.len().saturating_sub(from)).unwrap_or(0);
        let mut bytes = vec![0; wanted];
        file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
}

fn length(path: &Path) -> u64 {
    let found = std::fs::symlink_metadata(path);
    found.map_or(0, |file| if file.is_file() { file.len() } else { 0 })
}

fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = |line: &str| -> String { line.chars().filter(|c| !c.is_control()).collect() };
    let lines = text.lines().map(plain);
    let lines: Vec<String> = lines
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use wnm_host::files::Direct;

    use super::*;

    #[tokio::test]
    async fn only_what_was_said_since_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("antnode.out");
        let files = Direct::for_caller();
        let output = Output::prepare(&files, path.clone()).await.unwrap();
        assert_eq!(output.last_words(), "");
        std::fs::write(&path, "before\n").unwrap();
        let output = Output::prepare(&files, path.clone()).await.unwrap();
        std::fs::write(&path, "before\n1\n2\n\n3\n4\n5\n\x1b[31m6\n").unwrap();
        assert_eq!(output.last_words(), "2 | 3 | 4 | 5 | [31m6");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(output.last_words(), "");
    }

    #[tokio::test]
    async fn an_overgrown_file_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("antnode.out");
        File::create(&path)
            .unwrap()
            .set_len(TURN_OVER_AT + 1)
            .unwrap();
        Output::prepare(&Direct::for_caller(), path.clone())
            .await
            .unwrap();
        assert!(!path.exists() && dir.path().join("antnode.out.old").exists());
    }
}
