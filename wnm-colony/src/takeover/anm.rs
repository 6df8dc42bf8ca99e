//! anm, the shell scripts that ran nodes as units of the machine's systemd from a line of cron.
//!
//! It is there where `/var/antctl/system` is. Cron calls `anms.sh` once a minute; while that works there is a
//! file `block`, so that a second one ends at once. Without its `config` it removes every node of the machine,
//! which is why nothing of it is deleted here but the line of cron, and that one is kept.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use wnm_core::kind::ManagerKind;
use wnm_core::quantity::UnixTime;

/// The manager of its nodes: they are units of the machine's systemd.
pub const MANAGER: ManagerKind = ManagerKind::from_static("systemd+sudo");

/// Where anm is looked for and kept, from the root of the file system.
const SYSTEM: &str = "var/antctl/system";
const BLOCK: &str = "var/antctl/block";
const CONFIG: &str = "var/antctl/config";
const OVERRIDE: &str = "var/antctl/override";
const SCRIPT: &str = "usr/bin/anms.sh";
const CRON: &str = "etc/cron.d/anm";
const KEPT_CRON: &str = "var/antctl/anm.cron";

/// Larger than any of its files: the script has 25 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// What there is of anm on a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Anm {
    /// Its files of settings, each with its content; an earlier one wins.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Its script, which holds settings too, with its content.
    pub script: Option<(PathBuf, Vec<u8>)>,
    /// Its line of cron, while it has one.
    pub cron: Option<Vec<u8>>,
    root: PathBuf,
}

impl Anm {
    /// Looks below `root`, the root of the file system. `None` where there is no anm.
    pub fn look(root: &Path) -> io::Result<Option<Self>> {
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

    /// Since when it works, by the file with which it keeps a second run out. That file outlives a crash.
    pub fn working_since(&self) -> io::Result<Option<UnixTime>> {
        let entry = match std::fs::symlink_metadata(self.block()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let since = entry.modified()?.duration_since(std::time::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        Ok(Some(UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))))
    }

    /// The file that is there while it works.
    pub fn block(&self) -> PathBuf {
        self.root.join(BLOCK)
    }

    /// Its line of cron.
    pub fn cron_file(&self) -> PathBuf {
        self.root.join(CRON)
    }

    /// Where its line of cron is kept once it is taken away, outside of what cron reads.
    pub fn kept_cron_file(&self) -> PathBuf {
        self.root.join(KEPT_CRON)
    }
}

/// A process of anm, as far as it can be seen: its script has begun before it makes its file, and asks the node
/// program for its version first.
pub fn working() -> Option<i32> {
    let is_anm = |words: &[String]| words.iter().take(3).any(|word| word.ends_with("/anms.sh"));
    wnm_host::processes::running(is_anm, |_| true)
}

/// anm's line of cron below `root`, where there is one.
pub fn scheduled(root: &Path) -> Option<PathBuf> {
    Some(root.join(CRON)).filter(|cron| cron.is_file())
}

/// What a file holds, `None` for one that is not there.
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
        let words = format!("{} is too large to be of anm", path.display());
        return Err(io::Error::other(words));
    }
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anm_is_there_where_its_system_file_is() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["var/antctl", "etc/cron.d", "usr/bin"] {
            std::fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let write = |file: &str, text: &str| std::fs::write(root.path().join(file), text).unwrap();
        write(CONFIG, "NodeCap=20\n");
        assert_eq!(Anm::look(root.path()).unwrap(), None);
        write(SYSTEM, "CpuCount=2\n");
        let anm = Anm::look(root.path()).unwrap().unwrap();
        assert_eq!((&anm.cron, anm.working_since().unwrap()), (&None, None));
        write(CRON, "* * * * * ann /bin/bash /usr/bin/anms.sh\n");
        write(OVERRIDE, "NodeCap=30\n");
        write(SCRIPT, "x=1\nntpr=41\n");
        write(BLOCK, "");
        let anm = Anm::look(root.path()).unwrap().unwrap();
        assert!(anm.cron.is_some() && anm.working_since().unwrap().is_some());
        let read: Vec<_> = anm.files.iter().map(|(_, content)| &content[..]).collect();
        assert_eq!(read, [&b"NodeCap=30\n"[..], b"NodeCap=20\n"]);
        assert_eq!(anm.script.unwrap().1, b"x=1\nntpr=41\n");
    }
}
