//! Whose launchd is driven: the domains of launchctl(1), and where their jobs are described.

use std::fmt;
use std::path::PathBuf;

use wnm_core::kind::Mode;
use wnm_core::manager::ManagerError;

use crate::label::Label;

/// A part of launchd that holds jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Domain {
    /// The machine's.
    System,
    /// That of a user who is logged in at the screen.
    Gui(u32),
    /// That of a user, logged in or not.
    User(u32),
}

impl Domain {
    /// How launchctl names a job in it.
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

/// Which domains are wnm's to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The machine's.
    Machine,
    /// Those of the user with this number.
    Caller(u32),
}

impl Reach {
    /// The reach of a mode, for this process.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::Sudo => Self::Machine,
            Mode::User | Mode::Zen => Self::Caller(nix::unistd::geteuid().as_raw()),
        }
    }

    /// Where a job may be, the place for new ones first. Without a login at the screen, as over ssh and from
    /// cron, only the second domain of a user exists.
    pub fn domains(self) -> Vec<Domain> {
        match self {
            Self::Machine => vec![Domain::System],
            Self::Caller(uid) => vec![Domain::Gui(uid), Domain::User(uid)],
        }
    }

    /// The domain under which it is kept what must not come up. Both of a user share one list.
    pub fn overrides(self) -> Domain {
        match self {
            Self::Machine => Domain::System,
            Self::Caller(uid) => Domain::User(uid),
        }
    }

    /// Directory of the files that describe jobs: launchd reads it when the machine comes up, or the user logs
    /// in.
    pub fn directory(self) -> Result<PathBuf, ManagerError> {
        match self {
            Self::Machine => Ok(PathBuf::from("/Library/LaunchDaemons")),
            Self::Caller(_) => std::env::var_os("HOME")
                .map(PathBuf::from)
                .filter(|home| home.is_absolute())
                .map(|home| home.join("Library/LaunchAgents"))
                .ok_or_else(|| ManagerError::Rejected {
                    what: "finding the directory of launchd jobs".to_owned(),
                    words: "HOME is not set".to_owned(),
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_comes_first() {
        let names = |reach: Reach| -> Vec<String> {
            reach.domains().iter().map(Domain::to_string).collect()
        };
        assert_eq!(names(Reach::Machine), ["system"]);
        assert_eq!(names(Reach::Caller(501)), ["gui/501", "user/501"]);
        let label = Label::read("antnode7").unwrap();
        assert_eq!(Domain::Gui(501).target(&label), "gui/501/antnode7");
    }
}
