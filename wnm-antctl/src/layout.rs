//! Where antctl keeps its files: root's at fixed paths, a user's below the XDG directories.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use wnm_core::kind::Mode;
use wnm_core::manager::ManagerError;

/// Lower bound for the size of one service in the registry.
const MIN_BYTES_PER_SERVICE: u64 = 500;

/// Whose services antctl manages. This depends only on the account that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The machine's services, run by root.
    System,
    /// The caller's own services.
    User,
}

/// The paths of one antctl installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Whose services it manages.
    pub ownership: Ownership,
    /// The file that lists all services.
    pub registry: PathBuf,
    /// Directory of the units that antctl writes.
    pub unit_dir: PathBuf,
}

impl Layout {
    /// The paths for a mode, taken from this process's environment.
    pub fn for_mode(mode: Mode) -> Result<Self, ManagerError> {
        match mode {
            Mode::Sudo => Ok(Self::system()),
            Mode::User | Mode::Zen => {
                Self::user(&|name| std::env::var_os(name)).ok_or_else(|| ManagerError::Rejected {
                    what: "locating antctl's registry".to_owned(),
                    words: "HOME is not set".to_owned(),
                })
            }
        }
    }

    fn system() -> Self {
        Self {
            ownership: Ownership::System,
            registry: PathBuf::from("/var/antctl/node_registry.json"),
            unit_dir: PathBuf::from(if cfg!(target_os = "macos") {
                "/Library/LaunchDaemons"
            } else {
                "/etc/systemd/system"
            }),
        }
    }

    /// The paths of a user with these variables; `None` without a home directory.
    pub fn user(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        // The XDG base directory specification says to ignore relative paths.
        let given = |name| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let home = || given("HOME");
        let (data, unit_dir) = if cfg!(target_os = "macos") {
            let library = home()?.join("Library");
            (
                library.join("Application Support"),
                library.join("LaunchAgents"),
            )
        } else {
            let data = given("XDG_DATA_HOME").or_else(|| Some(home()?.join(".local/share")))?;
            let config = given("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))?;
            (data, config.join("systemd/user"))
        };
        Some(Self {
            ownership: Ownership::User,
            registry: data.join("autonomi/node/node_registry.json"),
            unit_dir,
        })
    }

    /// Directory of the registry.
    pub fn directory(&self) -> &Path {
        self.registry.parent().unwrap_or(Path::new("/"))
    }

    /// An upper estimate of the number of services. Every call takes time for each of them.
    pub fn max_services(&self) -> u32 {
        let bytes = std::fs::metadata(&self.registry).map_or(0, |file| file.len());
        u32::try_from(bytes / MIN_BYTES_PER_SERVICE + 1).unwrap_or(u32::MAX)
    }

    /// Whether the registry file is missing or lists no service, whatever antctl reports.
    pub fn has_no_services(&self) -> Result<bool, ManagerError> {
        match std::fs::read(&self.registry) {
            Ok(content) => Ok(lists_no_services(&content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(source) => Err(ManagerError::io(
                format!("reading {}", self.registry.display()),
                source,
            )),
        }
    }
}

/// Whether a registry with this content lists no service. A damaged one may list some.
pub(crate) fn lists_no_services(content: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Content {
        nodes: Vec<serde_json::Value>,
    }
    let read = || serde_json::from_slice::<Content>(content);
    content.is_empty() || read().is_ok_and(|content| content.nodes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn user_paths_follow_the_xdg_directories() {
        let with = |pairs: &'static [(&str, &str)]| {
            Layout::user(&move |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        let home = with(&[("HOME", "/home/ann"), ("XDG_DATA_HOME", "relative")]).unwrap();
        assert_eq!(
            home.registry,
            Path::new("/home/ann/.local/share/autonomi/node/node_registry.json")
        );
        assert_eq!(home.unit_dir, Path::new("/home/ann/.config/systemd/user"));
        let own = with(&[("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "/c")]).unwrap();
        assert_eq!(own.directory(), Path::new("/d/autonomi/node"));
        assert_eq!(own.unit_dir, Path::new("/c/systemd/user"));
        assert_eq!(with(&[("XDG_DATA_HOME", "/d")]), None);
    }

    #[test]
    fn only_a_registry_without_services_counts_as_empty() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            ownership: Ownership::User,
            registry: dir.path().join("node_registry.json"),
            unit_dir: dir.path().join("units"),
        };
        assert!(layout.has_no_services().unwrap());
        let with = |content: &str| {
            std::fs::write(&layout.registry, content).unwrap();
            layout.has_no_services().unwrap()
        };
        assert!(with(""));
        assert!(with(r#"{"daemon":null,"nodes":[],"save_path":"/x"}"#));
        assert!(!with(r#"{"daemon":null,"nodes":[{}]}"#));
        assert!(!with(r#"{"daemon":null,"nodes":["#));
    }
}
