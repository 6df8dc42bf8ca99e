//! Selects the systemd instance and its directories.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wnm_core::command::CommandSpec;
use wnm_core::kind::Mode;
use wnm_core::manager::ManagerError;
use wnm_host::command::WithRoot;

/// A systemd instance: the system manager or the caller's user manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Domain {
    /// The system manager.
    System,
    /// The caller's user manager.
    User {
        /// The value of `XDG_RUNTIME_DIR`, the directory of its sockets.
        runtime: PathBuf,
        /// Whether the environment sets `XDG_RUNTIME_DIR`. Under cron it does not.
        in_environment: bool,
    },
}

impl Domain {
    /// Returns the domain of a mode for the current process.
    pub fn for_mode(mode: Mode) -> Self {
        match mode {
            Mode::Sudo => Self::System,
            Mode::User | Mode::Zen => Self::user(
                std::env::var_os("XDG_RUNTIME_DIR"),
                nix::unistd::geteuid().as_raw(),
            ),
        }
    }

    /// Returns a user's domain. Without the variable, uses the directory that pam_systemd(8)
    /// creates.
    fn user(runtime: Option<OsString>, uid: u32) -> Self {
        match runtime.filter(|dir| !dir.is_empty()) {
            Some(dir) => Self::User {
                runtime: dir.into(),
                in_environment: true,
            },
            None => Self::User {
                runtime: format!("/run/user/{uid}").into(),
                in_environment: false,
            },
        }
    }

    /// Returns the directory where wnm writes units.
    pub fn unit_dir(&self) -> Result<PathBuf, ManagerError> {
        match self {
            Self::System => Ok(PathBuf::from("/etc/systemd/system")),
            Self::User { .. } => {
                let variable = |name| std::env::var_os(name).map(PathBuf::from);
                // The XDG base directory specification says to ignore relative paths.
                variable("XDG_CONFIG_HOME")
                    .filter(|dir| dir.is_absolute())
                    .or_else(|| Some(variable("HOME")?.join(".config")))
                    .map(|config| config.join("systemd/user"))
                    .ok_or_else(|| ManagerError::Rejected {
                        what: "finding the unit directory".to_owned(),
                        words: "HOME is not set".to_owned(),
                    })
            }
        }
    }

    /// Returns the other directories to search for units, in systemd's order of precedence.
    ///
    /// This excludes `/run`, which does not survive a reboot, and directories for the units of all
    /// users, such as `/etc/systemd/user`: every user manager would run the same node, and its
    /// owner would be unknown.
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

    /// Builds a command that only reads.
    pub fn query_command(&self, program: &str, deadline: Duration) -> CommandSpec {
        let mut spec = CommandSpec::new(program, deadline);
        // We parse its output.
        spec.env.push(("LC_ALL".into(), "C".into()));
        if let Self::User {
            runtime,
            in_environment,
        } = self
        {
            spec = spec.arg("--user");
            if !in_environment {
                spec.env.push(("XDG_RUNTIME_DIR".into(), runtime.into()));
            }
        }
        spec.arg("--no-pager")
    }

    /// Builds a command that changes something, as root for the system manager.
    pub fn change_command(&self, program: &str, deadline: Duration) -> CommandSpec {
        let spec = self.query_command(program, deadline);
        match self {
            Self::System => spec.with_root(),
            Self::User { .. } => spec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_without_a_runtime_directory_as_under_cron() {
        let cron = Domain::user(None, 1000);
        let spec = cron.query_command("systemctl", Duration::from_secs(1));
        let runtime = ("XDG_RUNTIME_DIR".into(), "/run/user/1000".into());
        assert!(spec.env.contains(&runtime), "{spec:?}");
        assert_eq!(spec.args, ["--user", "--no-pager"]);
        let login = Domain::user(Some("/run/user/7".into()), 7);
        assert_eq!(
            login,
            Domain::User {
                runtime: "/run/user/7".into(),
                in_environment: true
            }
        );
        assert_eq!(Domain::user(Some("".into()), 1000), cron);
    }
}
