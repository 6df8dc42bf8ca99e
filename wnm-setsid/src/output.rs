//! The file that receives a node's stdout and stderr. A start rotates it if it is too large.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use wnm_core::manager::ManagerError;
use wnm_host::files::Files;

use crate::output_file::rotated_path;
use crate::process_ops::ProcessOps;

/// Size in bytes beyond which the next start rotates the file. A node writes its real log elsewhere.
const ROTATE_AT: u64 = 10 * 1024 * 1024;

/// How many bytes from the end to read to explain an early exit.
const TAIL_BYTES: u64 = 4096;

/// How many lines of them the explanation quotes.
const TAIL_LINES: usize = 5;

/// An open output file and the offset where the new run begins.
#[derive(Debug)]
pub(crate) struct NodeOutput {
    pub file: File,
    run_start: u64,
}

impl NodeOutput {
    /// Opens the file for appending. Rotates a file that is too large to `<name>.old` first.
    pub async fn open(
        files: &dyn Files,
        process_ops: &dyn ProcessOps,
        path: &Path,
    ) -> Result<Self, ManagerError> {
        let too_large = std::fs::symlink_metadata(path).is_ok_and(|file| file.len() > ROTATE_AT);
        if too_large {
            files.rename(path, &rotated_path(path)).await?;
        }
        let file = process_ops.open_output(path).await?;
        let run_start = file
            .metadata()
            .map_err(|source| ManagerError::io(format!("reading {}", path.display()), source))?
            .len();
        Ok(Self { file, run_start })
    }

    /// The last lines of this run, joined into one.
    pub fn last_lines(&self) -> String {
        match self.tail() {
            Ok(bytes) => last_lines(&bytes),
            Err(error) => format!("(cannot read its output: {error})"),
        }
    }

    fn tail(&self) -> io::Result<Vec<u8>> {
        let end = self.file.metadata()?.len();
        let from = self.run_start.max(end.saturating_sub(TAIL_BYTES));
        let length = usize::try_from(end.saturating_sub(from)).unwrap_or(0);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
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
        0 => "no output".to_owned(),
        count => lines[count.saturating_sub(TAIL_LINES)..].join(" | "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_joined() {
        assert_eq!(last_lines(b""), "no output");
        let text = b"1\n2\n\n3\n4\n5\n\x1b[31m6\x07 \xff\n";
        assert_eq!(last_lines(text), "2 | 3 | 4 | 5 | [31m6 \u{fffd}");
    }
}
