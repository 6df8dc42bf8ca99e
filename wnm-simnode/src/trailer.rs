//! The version stamp at the end of an executable file. ELF and Mach-O loaders read only what their headers
//! name and ignore trailing bytes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The version of a node without a stamp: the newest `antnode` that this crate was compared with.
pub const DEFAULT_VERSION: &str = "0.4.17";

const MARK: &str = "\nWNM-SIMNODE-VERSION=";

/// Longest version in bytes. A release candidate with build metadata needs about half of it.
const MAX_VERSION: usize = 64;

/// Copies `program` to `to` and stamps the copy with `version`. The stamp replaces an earlier one. The copy
/// has mode 0755. A rename puts it in place whole, so a running node keeps its old file.
///
/// # Errors
///
/// Returns [`io::ErrorKind::InvalidInput`] if `version` is empty, longer than 64 bytes or contains characters
/// other than ASCII letters, digits, `.`, `-` and `+`, and the I/O error if the copy cannot be written.
pub fn stamp(program: &Path, to: &Path, version: &str) -> io::Result<()> {
    let length_is_valid = (1..=MAX_VERSION).contains(&version.len());
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    if !length_is_valid || !version.chars().all(is_allowed) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("invalid version '{version}'"),
        ));
    }
    let name = to.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} has no file name", to.display()),
        )
    })?;
    // The time separates two threads that stamp the same file.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let temporary = to.with_file_name(format!(
        ".{}.{}.{}",
        name.to_string_lossy(),
        std::process::id(),
        now.map_or(0, |now| now.as_nanos())
    ));
    let written =
        write_copy(program, &temporary, version).and_then(|()| std::fs::rename(&temporary, to));
    if written.is_err() {
        // Report the first error. The temporary file need not exist.
        std::fs::remove_file(&temporary).ok();
    }
    written
}

fn write_copy(program: &Path, to: &Path, version: &str) -> io::Result<()> {
    let mut source = File::open(program)?;
    let length = source.metadata()?.len();
    let old_trailer = read_trailer(&mut source)?.map_or(0, |version| trailer(&version).len());
    source.rewind()?;
    let mut copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(to)?;
    // The umask reduces the mode that open sets.
    copy.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    io::copy(&mut source, &mut copy)?;
    let unstamped = length.saturating_sub(old_trailer as u64);
    copy.set_len(unstamped)?;
    copy.seek(SeekFrom::Start(unstamped))?;
    copy.write_all(trailer(version).as_bytes())
}

fn trailer(version: &str) -> String {
    format!("{MARK}{version}\n")
}

/// Reads only the end of the file: the file can be large, and every start reads it.
fn read_trailer(file: &mut File) -> io::Result<Option<String>> {
    let longest = (MARK.len() + MAX_VERSION + 1) as u64;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(longest)))?;
    let mut tail = Vec::new();
    file.take(longest).read_to_end(&mut tail)?;
    Ok(find_version(&tail))
}

/// The version in the last bytes of a file, if they end with a complete trailer.
fn find_version(tail: &[u8]) -> Option<String> {
    let body = tail.strip_suffix(b"\n")?;
    let at = body
        .windows(MARK.len())
        .rposition(|window| window == MARK.as_bytes())?;
    let version = std::str::from_utf8(&body[at + MARK.len()..]).ok()?;
    (!version.is_empty() && !version.contains('\n')).then(|| version.to_owned())
}

/// The version stamped on the executable file of this process. `None` if there is no stamp or the file cannot
/// be read.
pub fn stamped_version() -> Option<String> {
    let mut file = File::open(own_executable()).ok()?;
    read_trailer(&mut file).ok()?
}

/// The version of this process: its stamp, or [`DEFAULT_VERSION`].
pub fn own_version() -> String {
    stamped_version().unwrap_or_else(|| DEFAULT_VERSION.to_owned())
}

/// The file to open for reading the running executable, even after an upgrade replaced it.
fn own_executable() -> PathBuf {
    if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe().unwrap_or_default()
    }
}

/// The path of the executable. After an upgrade, the new executable is there.
pub(crate) fn own_path() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(
        match path.to_str().and_then(|p| p.strip_suffix(" (deleted)")) {
            Some(original) => PathBuf::from(original),
            None => path,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn version_of(path: &Path) -> Option<String> {
        read_trailer(&mut File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn stamp_reads_back_and_replaces_an_earlier_one() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        let first = dir.path().join("first");
        let second = dir.path().join("second");
        std::fs::write(&program, vec![7; 10_000]).unwrap();
        assert_eq!(version_of(&program), None);
        stamp(&program, &first, "0.4.16").unwrap();
        assert_eq!(version_of(&first).as_deref(), Some("0.4.16"));
        stamp(&first, &second, "0.5.0-rc.1").unwrap();
        assert_eq!(version_of(&second).as_deref(), Some("0.5.0-rc.1"));
        let content = std::fs::read(&second).unwrap();
        assert_eq!(
            content,
            [&[7; 10_000][..], trailer("0.5.0-rc.1").as_bytes()].concat()
        );
        stamp(&second, &first, "0.4.16").unwrap();
        let shorter = [&[7; 10_000][..], trailer("0.4.16").as_bytes()].concat();
        assert_eq!(std::fs::read(&first).unwrap(), shorter);
        let mode = std::fs::metadata(&second).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            3,
            "no leftovers"
        );
    }

    #[test]
    fn longest_version_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let (program, stamped) = (dir.path().join("p"), dir.path().join("s"));
        std::fs::write(&program, b"x").unwrap();
        let longest = "1".repeat(MAX_VERSION);
        stamp(&program, &stamped, &longest).unwrap();
        assert_eq!(version_of(&stamped), Some(longest.clone()));
        for bad in ["", "0.4\n1", "a b", &format!("{longest}1")] {
            let error = stamp(&program, &stamped, bad).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{bad:?}");
        }
    }

    #[test]
    fn incomplete_trailers_are_not_stamps() {
        for tail in [
            &b""[..],
            b"\n",
            b"\nWNM-SIMNODE-VERSION=0.4.16",
            b"\nWNM-SIMNODE-VERSION=\n",
            b"\nWNM-SIMNODE-VERSION=0.4.16\nmore\n",
            b"WNM-SIMNODE-VERSION=0.4.16\n",
            b"\nWNM-SIMNODE-VERSION=\xff\n",
        ] {
            assert_eq!(find_version(tail), None, "{tail:?}");
        }
    }

    #[test]
    fn failed_stamp_leaves_no_files() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("to");
        assert!(stamp(&dir.path().join("absent"), &to, "0.4.16").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
