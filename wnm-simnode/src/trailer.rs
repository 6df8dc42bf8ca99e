//! The version at the end of an executable file. ELF and Mach-O loaders read only what their headers name
//! and leave trailing bytes alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a node without a trailer says it is: the newest `antnode` that this was compared with.
pub const DEFAULT_VERSION: &str = "0.4.17";

const MARK: &str = "\nWNM-SIMNODE-VERSION=";

/// Longest version: a release candidate with a build mark is about half of it.
const MAX_VERSION: usize = 64;

/// Copies `program` to `to` and makes the copy say that it is `version`; an earlier stamp is replaced.
/// The copy has mode 0755 and appears whole, by a rename, so that a running node keeps its old file.
///
/// Fails with [`io::ErrorKind::InvalidInput`] when `version` is empty, longer than 64 bytes or has
/// other characters than letters, digits, `.`, `-` and `+`.
pub fn stamp(program: &Path, to: &Path, version: &str) -> io::Result<()> {
    let fits = (1..=MAX_VERSION).contains(&version.len());
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    if !fits || !version.chars().all(plain) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("'{version}' is not a version"),
        ));
    }
    let name = to.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} names no file", to.display()),
        )
    })?;
    // The time keeps two threads that stamp the same file apart.
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
        // The first error is the one to tell; the file may not even have been made.
        std::fs::remove_file(&temporary).ok();
    }
    written
}

fn write_copy(program: &Path, to: &Path, version: &str) -> io::Result<()> {
    let mut source = File::open(program)?;
    let length = source.metadata()?.len();
    let stamped = read_trailer(&mut source)?.map_or(0, |version| trailer(&version).len());
    source.rewind()?;
    let mut copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(to)?;
    // The mode of an open is cut by the umask.
    copy.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    io::copy(&mut source, &mut copy)?;
    let bare = length.saturating_sub(stamped as u64);
    copy.set_len(bare)?;
    copy.seek(SeekFrom::Start(bare))?;
    copy.write_all(trailer(version).as_bytes())
}

fn trailer(version: &str) -> String {
    format!("{MARK}{version}\n")
}

/// Reads no more than the last bytes of the file, since the whole may be large and this is done at each start.
fn read_trailer(file: &mut File) -> io::Result<Option<String>> {
    let longest = (MARK.len() + MAX_VERSION + 1) as u64;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(longest)))?;
    let mut tail = Vec::new();
    file.take(longest).read_to_end(&mut tail)?;
    Ok(find_version(&tail))
}

/// The version in the last bytes of a file, if they end with a whole trailer.
fn find_version(tail: &[u8]) -> Option<String> {
    let body = tail.strip_suffix(b"\n")?;
    let at = body
        .windows(MARK.len())
        .rposition(|window| window == MARK.as_bytes())?;
    let version = std::str::from_utf8(&body[at + MARK.len()..]).ok()?;
    (!version.is_empty() && !version.contains('\n')).then(|| version.to_owned())
}

/// The version stamped on the executable file of this process; `None` without a stamp, or when the file
/// cannot be read.
pub fn stamped_version() -> Option<String> {
    let mut file = File::open(own_file()).ok()?;
    read_trailer(&mut file).ok()?
}

/// The version that this process says it is: its stamp, or [`DEFAULT_VERSION`].
pub fn own_version() -> String {
    stamped_version().unwrap_or_else(|| DEFAULT_VERSION.to_owned())
}

/// What to open to read the file that this process runs, also after another took its place.
fn own_file() -> PathBuf {
    if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe().unwrap_or_default()
    }
}

/// Where the file of this process lies, or lay before another took its place.
pub(crate) fn own_path() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(
        match path.to_str().and_then(|p| p.strip_suffix(" (deleted)")) {
            Some(before) => PathBuf::from(before),
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
    fn a_stamp_is_read_back_and_replaced() {
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
    fn the_longest_version_fits_into_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (program, stamped) = (dir.path().join("p"), dir.path().join("s"));
        std::fs::write(&program, b"x").unwrap();
        let longest = "1".repeat(MAX_VERSION);
        stamp(&program, &stamped, &longest).unwrap();
        assert_eq!(version_of(&stamped), Some(longest.clone()));
        for bad in ["", "0.4\n1", "a b", &format!("{longest}1")] {
            let refused = stamp(&program, &stamped, bad).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{bad:?}");
        }
    }

    #[test]
    fn other_endings_are_no_stamp() {
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
    fn a_missing_program_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("to");
        assert!(stamp(&dir.path().join("absent"), &to, "0.4.16").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
