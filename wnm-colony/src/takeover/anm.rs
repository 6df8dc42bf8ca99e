//! Detects anm: shell scripts, started by cron, that run nodes as systemd units.
//!
//! A machine has anm if `/var/antctl/system` exists. Cron calls `anms.sh` once a minute. While the
//! script runs, a file `block` makes a second run end at once. Without its file `config`, anm
//! removes every node of the machine. So wnm deletes nothing of anm except its cron file, and keeps
//! a copy of that.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use wnm_core::kind::ManagerKind;
use wnm_core::quantity::UnixTime;

/// The manager of its nodes: they are units of the machine's systemd.
pub const MANAGER: ManagerKind = ManagerKind::from_static("systemd+sudo");

/// The files of anm, relative to the root of the file system.
const SYSTEM: &str = "var/antctl/system";
const BLOCK: &str = "var/antctl/block";
const CONFIG: &str = "var/antctl/config";
const OVERRIDE: &str = "var/antctl/override";
const SCRIPT: &str = "usr/bin/anms.sh";
const CRON: &str = "etc/cron.d/anm";
const KEPT_CRON: &str = "var/antctl/anm.cron";

/// The largest size of a file of anm in bytes. The script has 25 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// An installation of anm.
#[derive(Debug, Clone, PartialEq)]
pub struct Anm {
    /// Its settings files with their content. Earlier files take precedence.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Its script with its content. The script contains settings too.
    pub script: Option<(PathBuf, Vec<u8>)>,
    /// The content of its cron file, if there is one.
    pub cron: Option<Vec<u8>>,
    root: PathBuf,
}

impl Anm {
    /// Looks for anm below `root`, the root of the file system. `None` if it is not installed.
    ///
    /// Fails if a file of anm cannot be read or is larger than a mebibyte.
    pub fn detect(root: &Path) -> io::Result<Option<Self>> {
        if !root.join(SYSTEM).is_file() {
            return Ok(None);
        }
        let sources = [OVERRIDE, CONFIG].map(|file| root.join(file));
        let mut files = Vec::new();
        for path in sources {
            if let Some(content) = content(&path)? {
                files.push((path, content));
            }
        }
        let script = root.join(SCRIPT);
        let script = content(&script)?.map(|content| (script, content));
        Ok(Some(Self {
            files,
            script,
            cron: content(&root.join(CRON))?,
            root: root.to_owned(),
        }))
    }

    /// When the current run of anm started, by its `block` file. The file survives a crash of anm.
    pub fn working_since(&self) -> io::Result<Option<UnixTime>> {
        let entry = match std::fs::symlink_metadata(self.block()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let since = entry.modified()?.duration_since(std::time::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        Ok(Some(UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))))
    }

    /// The file that exists while anm runs.
    pub fn block(&self) -> PathBuf {
        self.root.join(BLOCK)
    }

    /// Its cron file.
    pub fn cron_file(&self) -> PathBuf {
        self.root.join(CRON)
    }

    /// Where the copy of its cron file goes. Cron does not read it there.
    pub fn kept_cron_file(&self) -> PathBuf {
        self.root.join(KEPT_CRON)
    }
}

/// The process id of a visible run of anm, if there is one. The script runs for a moment before it
/// creates its `block` file.
pub fn running() -> Option<i32> {
    let is_anm = |arguments: &[String]| {
        arguments
            .iter()
            .take(3)
            .any(|argument| argument.ends_with("/anms.sh"))
    };
    wnm_host::processes::running(is_anm, |_| true)
}

/// The cron file of anm below `root`, if it exists.
pub fn scheduled(root: &Path) -> Option<PathBuf> {
    Some(root.join(CRON)).filter(|cron| cron.is_file())
}

/// The content of a file. `None` if it does not exist.
fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(named)?,
    };
    let mut content = Vec::new();
    let read = file.take(LARGEST_FILE + 1).read_to_end(&mut content);
    let read = read.map_err(named)?;
    if read as u64 > LARGEST_FILE {
        let message = format!("{} is too large for a file of anm", path.display());
        return Err(io::Error::other(message));
    }
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_with_the_system_file_has_anm() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["var/antctl", "etc/cron.d", "usr/bin"] {
            std::fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let write = |file: &str, text: &str| std::fs::write(root.path().join(file), text).unwrap();
        write(CONFIG, "NodeCap=20\n");
        assert_eq!(Anm::detect(root.path()).unwrap(), None);
        write(SYSTEM, "CpuCount=2\n");
        let anm = Anm::detect(root.path()).unwrap().unwrap();
        assert_eq!((&anm.cron, anm.working_since().unwrap()), (&None, None));
        write(CRON, "* * * * * ann /bin/bash /usr/bin/anms.sh\n");
        write(OVERRIDE, "NodeCap=30\n");
        write(SCRIPT, "x=1\nntpr=41\n");
        write(BLOCK, "");
        let anm = Anm::detect(root.path()).unwrap().unwrap();
        assert!(anm.cron.is_some() && anm.working_since().unwrap().is_some());
        let read: Vec<_> = anm.files.iter().map(|(_, content)| &content[..]).collect();
        assert_eq!(read, [&b"NodeCap=30\n"[..], b"NodeCap=20\n"]);
        assert_eq!(anm.script.unwrap().1, b"x=1\nntpr=41\n");
    }
}
