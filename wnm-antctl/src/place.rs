//! Where antctl keeps its things: root's in fixed places, a user's below the XDG directories.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use wnm_core::kind::Mode;
use wnm_core::manager::ManagerError;

/// Shorter than what the registry holds of one service.
const LEAST_BYTES_OF_A_SERVICE: u64 = 500;

/// Whose services antctl manages. It goes by the account that it is run under and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// The machine's, kept by root.
    System,
    /// The caller's own.
    User,
}

/// The places of one antctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whose they are.
    pub domain: Domain,
    /// The file with all services.
    pub registry: PathBuf,
    /// Directory of the units that antctl writes.
    pub unit_dir: PathBuf,
}

impl Place {
    /// The places of a mode, for this process.
    pub fn of(mode: Mode) -> Result<Self, ManagerError> {
        match mode {
            Mode::Sudo => Ok(Self::system()),
            Mode::User | Mode::Zen => {
                Self::user(&|name| std::env::var_os(name)).ok_or_else(|| ManagerError::Rejected {
                    what: "finding the registry of antctl".to_owned(),
                    words: "HOME is not set".to_owned(),
                })
            }
        }
    }

    fn system() -> Self {
        Self {
            domain: Domain::System,
            registry: PathBuf::from("/var/antctl/node_registry.json"),
            unit_dir: PathBuf::from(if cfg!(target_os = "macos") {
                "/Library/LaunchDaemons"
            } else {
                "/etc/systemd/system"
            }),
        }
    }

    /// The places of a user with these variables. `None` without a home directory.
    pub fn user(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        // A relative one is to be ignored, says the XDG base directory specification.
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
            domain: Domain::User,
            registry: data.join("autonomi/node/node_registry.json"),
            unit_dir,
        })
    }

    /// Directory that the registry is in.
    pub fn directory(&self) -> &Path {
        self.registry.parent().unwrap_or(Path::new("/"))
    }

    /// About how many services the registry holds, and never fewer: every call takes its time for each of them.
    pub fn most_services(&self) -> u32 {
        let bytes = std::fs::metadata(&self.registry).map_or(0, |file| file.len());
        u32::try_from(bytes / LEAST_BYTES_OF_A_SERVICE + 1).unwrap_or(u32::MAX)
    }

    /// Whether the registry is not there or really holds nothing, whatever antctl says of it.
    pub fn holds_nothing(&self) -> Result<bool, ManagerError> {
        match std::fs::read(&self.registry) {
            Ok(content) => Ok(is_without_services(&content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(source) => Err(ManagerError::io(
                format!("reading {}", self.registry.display()),
                source,
            )),
        }
    }
}

/// Whether a registry that holds this has no services. One that is damaged may have some.
pub(crate) fn is_without_services(content: &[u8]) -> bool {
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
    fn a_users_places_follow_the_xdg_directories() {
        let with = |pairs: &'static [(&str, &str)]| {
            Place::user(&move |name| {
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
    fn only_a_registry_without_services_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place {
            domain: Domain::User,
            registry: dir.path().join("node_registry.json"),
            unit_dir: dir.path().join("units"),
        };
        assert!(place.holds_nothing().unwrap());
        let with = |content: &str| {
            std::fs::write(&place.registry, content).unwrap();
            place.holds_nothing().unwrap()
        };
        assert!(with(""));
        assert!(with(r#"{"daemon":null,"nodes":[],"save_path":"/x"}"#));
        assert!(!with(r#"{"daemon":null,"nodes":[{}]}"#));
        assert!(!with(r#"{"daemon":null,"nodes":["#));
    }
}
