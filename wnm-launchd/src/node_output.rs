//! Reads what a node printed to its standard streams, which launchd appends to a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use wnm_core::manager::ManagerError;
use wnm_host::files::Files;

/// Size in bytes at which the file is rotated on the next start. A node writes its real log
/// elsewhere.
const ROTATE_AT: u64 = 10 * 1024 * 1024;

/// How many bytes to read from the end of the file to explain a failed start.
const TAIL_BYTES: u64 = 4096;

/// How many lines to quote in the explanation.
const TAIL_LINES: usize = 5;

/// The output file of a node, and the offset where the coming run starts.
#[derive(Debug)]
pub(crate) struct NodeOutput {
    path: PathBuf,
    start: u64,
}

impl NodeOutput {
    /// Records the current end of the file. Renames a file that is too large to `<name>.old` first.
    pub async fn prepare(files: &dyn Files, path: PathBuf) -> Result<Self, ManagerError> {
        let mut start = length(&path);
        if start > ROTATE_AT {
            let mut old_path = path.clone().into_os_string();
            old_path.push(".old");
            files.rename(&path, Path::new(&old_path)).await?;
            start = 0;
        }
        Ok(Self { path, start })
    }

    /// Returns the last lines since then as one line, or nothing if the file cannot be read.
    pub fn excerpt(&self) -> String {
        match self.tail() {
            Ok(bytes) => last_lines(&bytes),
            Err(error) => {
                tracing::debug!(file = %self.path.display(), %error, "cannot read the output");
                String::new()
            }
        }
    }

    /// The account of the nodes owns the directory, so do not follow a symlink and do not block on
    /// a pipe.
    fn tail(&self) -> io::Result<Vec<u8>> {
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&self.path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let from = self.start.max(found.len().saturating_sub(TAIL_BYTES));
        let count = usize::try_from(found.len().saturating_sub(from)).unwrap_or(0);
        let mut bytes = vec![0; count];
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
    async fn quotes_only_output_of_the_current_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("antnode.out");
        let files = Direct::for_caller();
        let output = NodeOutput::prepare(&files, path.clone()).await.unwrap();
        assert_eq!(output.excerpt(), "");
        std::fs::write(&path, "before\n").unwrap();
        let output = NodeOutput::prepare(&files, path.clone()).await.unwrap();
        std::fs::write(&path, "before\n1\n2\n\n3\n4\n5\n\x1b[31m6\n").unwrap();
        assert_eq!(output.excerpt(), "2 | 3 | 4 | 5 | [31m6");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(output.excerpt(), "");
    }

    #[tokio::test]
    async fn rotates_a_large_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("antnode.out");
        File::create(&path).unwrap().set_len(ROTATE_AT + 1).unwrap();
        NodeOutput::prepare(&Direct::for_caller(), path.clone())
            .await
            .unwrap();
        assert!(!path.exists() && dir.path().join("antnode.out.old").exists());
    }
}
