//! Selects the domains of launchctl(1) and the directory of their job files.

use std::fmt;
use std::path::PathBuf;

use wnm_core::kind::Mode;
use wnm_core::manager::ManagerError;

use crate::label::Label;

/// A launchd domain, which holds jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Domain {
    /// The system domain.
    System,
    /// The graphical login session of a user.
    Gui(u32),
    /// The background domain of a user, logged in or not.
    User(u32),
}

impl Domain {
    /// Returns the service target of a job in this domain.
    pub fn target(self, label: &Label) -> String {
        format!("{self}/{label}")
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Gui(uid) => write!(f, "gui/{uid}"),
            Self::User(uid) => write!(f, "user/{uid}"),
        }
    }
}

/// The domains that wnm manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The system domain.
    Machine,
    /// The domains of the user with this uid.
    Caller(u32),
}

impl Scope {
    /// Returns the scope of a mode for the current process.
    pub fn for_mode(mode: Mode) -> Self {
        match mode {
            Mode::Sudo => Self::Machine,
            Mode::User | Mode::Zen => Self::Caller(nix::unistd::geteuid().as_raw()),
        }
    }

    /// Returns the domains that may hold a job, the preferred one for new jobs first. Without a
    /// graphical login, for example over ssh and under cron, only the second domain of a user
    /// exists.
    pub fn domains(self) -> Vec<Domain> {
        match self {
            Self::Machine => vec![Domain::System],
            Self::Caller(uid) => vec![Domain::Gui(uid), Domain::User(uid)],
        }
    }

    /// Returns the domain that stores whether jobs are disabled. Both domains of a user share one
    /// list.
    pub fn override_domain(self) -> Domain {
        match self {
            Self::Machine => Domain::System,
            Self::Caller(uid) => Domain::User(uid),
        }
    }

    /// Returns the directory of job files, which launchd reads at boot or at login.
    pub fn job_dir(self) -> Result<PathBuf, ManagerError> {
        match self {
            Self::Machine => Ok(PathBuf::from("/Library/LaunchDaemons")),
            Self::Caller(_) => std::env::var_os("HOME")
                .map(PathBuf::from)
                .filter(|home| home.is_absolute())
                .map(|home| home.join("Library/LaunchAgents"))
                .ok_or_else(|| ManagerError::Rejected {
                    what: "finding the launchd job directory".to_owned(),
                    words: "HOME is not set".to_owned(),
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graphical_domain_comes_first() {
        let names = |scope: Scope| -> Vec<String> {
            scope.domains().iter().map(Domain::to_string).collect()
        };
        assert_eq!(names(Scope::Machine), ["system"]);
        assert_eq!(names(Scope::Caller(501)), ["gui/501", "user/501"]);
        let label = Label::parse("antnode7").unwrap();
        assert_eq!(Domain::Gui(501).target(&label), "gui/501/antnode7");
    }
}
