//! Whose systemd is driven, and where its things are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wnm_core::command::CommandSpec;
use wnm_core::kind::Mode;
use wnm_core::manager::ManagerError;
use wnm_host::command::AsRoot;

/// The machine's systemd or the caller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Domain {
    /// The machine's.
    System,
    /// The caller's.
    User {
        /// `XDG_RUNTIME_DIR`, where its sockets are.
        runtime: PathBuf,
        /// Whether the caller's environment lacks it, as cron's does.
        told: bool,
    },
}

impl Domain {
    /// The domain of a mode, for this process.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::Sudo => Self::System,
            Mode::User | Mode::Zen => Self::user(
                std::env::var_os("XDG_RUNTIME_DIR"),
                nix::unistd::geteuid().as_raw(),
            ),
        }
    }

    /// The one of a user. Without a variable it is where pam_systemd(8) puts it.
    fn user(runtime: Option<OsString>, uid: u32) -> Self {
        match runtime.filter(|dir| !dir.is_empty()) {
            Some(dir) => Self::User {
                runtime: dir.into(),
                told: true,
            },
            None => Self::User {
                runtime: format!("/run/user/{uid}").into(),
                told: false,
            },
        }
    }

    /// Directory of the units that wnm writes.
    pub fn unit_dir(&self) -> Result<PathBuf, ManagerError> {
        match self {
            Self::System => Ok(PathBuf::from("/etc/systemd/system")),
            Self::User { .. } => {
                let variable = |name| std::env::var_os(name).map(PathBuf::from);
                // A relative one is to be ignored, says the XDG base directory specification.
                variable("XDG_CONFIG_HOME")
                    .filter(|dir| dir.is_absolute())
                    .or_else(|| Some(variable("HOME")?.join(".config")))
                    .map(|config| config.join("systemd/user"))
                    .ok_or_else(|| ManagerError::Rejected {
                        what: "finding the directory of units".to_owned(),
                        words: "HOME is not set".to_owned(),
                    })
            }
        }
    }

    /// Directories in which units of others are looked for as well, in the order in which systemd prefers them.
    ///
    /// Not those below `/run`: what is there is gone with the next boot. Not those that hold units for every user
    /// either (`/etc/systemd/user` and the like): each user's systemd would run the same node, and whose it is
    /// cannot be told.
    pub fn other_unit_dirs(&self) -> Vec<PathBuf> {
        match self {
            Self::System => ["/usr/local/lib", "/usr/lib", "/lib"]
                .map(|base| Path::new(base).join("systemd/system"))
                .into(),
            Self::User { .. } => {
                let variable = |name| std::env::var_os(name).map(PathBuf::from);
                let data = variable("XDG_DATA_HOME")
                    .filter(|dir| dir.is_absolute())
                    .or_else(|| Some(variable("HOME")?.join(".local/share")));
                data.map(|data| data.join("systemd/user"))
                    .into_iter()
                    .collect()
            }
        }
    }

    /// A command that only looks.
    pub fn command(&self, program: &str, deadline: Duration) -> CommandSpec {
        let mut spec = CommandSpec::new(program, deadline);
        // Its words are read.
        spec.env.push(("LC_ALL".into(), "C".into()));
        if let Self::User { runtime, told } = self {
            spec = spec.arg("--user");
            if !told {
                spec.env.push(("XDG_RUNTIME_DIR".into(), runtime.into()));
            }
        }
        spec.arg("--no-pager")
    }

    /// A command that changes something, as root where it must be.
    pub fn acting(&self, program: &str, deadline: Duration) -> CommandSpec {
        let spec = self.command(program, deadline);
        match self {
            Self::System => spec.as_root(),
            Self::User { .. } => spec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_has_no_runtime_directory_and_needs_none() {
        let cron = Domain::user(None, 1000);
        let spec = cron.command("systemctl", Duration::from_secs(1));
        let runtime = ("XDG_RUNTIME_DIR".into(), "/run/user/1000".into());
        assert!(spec.env.contains(&runtime), "{spec:?}");
        assert_eq!(spec.args, ["--user", "--no-pager"]);
        let login = Domain::user(Some("/run/user/7".into()), 7);
        assert_eq!(
            login,
            Domain::User {
                runtime: "/run/user/7".into(),
                told: true
            }
        );
        assert_eq!(Domain::user(Some("".into()), 1000), cron);
    }
}
