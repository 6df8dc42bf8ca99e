//! The name of a process manager: a supervisor and a mode.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Supervisor {
    /// systemd units.
    Systemd,
    /// Plain detached processes.
    Setsid,
    /// launchd jobs.
    Launchd,
    /// The official manager.
    Antctl,
    /// s6 services in containers.
    S6overlay,
}

/// With whose rights it is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The machine's, through sudo unless already root. Nodes run as the user `ant`.
    Sudo,
    /// The caller's.
    User,
    /// The caller's, with the defaults of antctl for everything (antctl only).
    Zen,
}

/// A supervisor and a mode that go together, as `systemd+user`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ManagerKind {
    supervisor: Supervisor,
    mode: Mode,
}

/// A manager that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is no process manager; there are {all}", all = ManagerKind::ALL.map(|k| k.to_string()).join(", "))]
pub struct UnknownManager(pub String);

impl ManagerKind {
    /// Plain processes under the caller's account: works everywhere.
    pub const SETSID_USER: ManagerKind = Self::of(Supervisor::Setsid, Mode::User);
    /// Plain processes under the user `ant`.
    pub const SETSID_SUDO: ManagerKind = Self::of(Supervisor::Setsid, Mode::Sudo);
    /// Units of the caller's own systemd.
    pub const SYSTEMD_USER: ManagerKind = Self::of(Supervisor::Systemd, Mode::User);
    /// Units of the machine's systemd.
    pub const SYSTEMD_SUDO: ManagerKind = Self::of(Supervisor::Systemd, Mode::Sudo);
    /// Jobs of the caller's own launchd domain.
    pub const LAUNCHD_USER: ManagerKind = Self::of(Supervisor::Launchd, Mode::User);
    /// Jobs of the machine's launchd domain.
    pub const LAUNCHD_SUDO: ManagerKind = Self::of(Supervisor::Launchd, Mode::Sudo);
    /// Services of root's antctl.
    pub const ANTCTL_SUDO: ManagerKind = Self::of(Supervisor::Antctl, Mode::Sudo);
    /// Services of the caller's own antctl.
    pub const ANTCTL_USER: ManagerKind = Self::of(Supervisor::Antctl, Mode::User);
    /// The same in the places that antctl chooses.
    pub const ANTCTL_ZEN: ManagerKind = Self::of(Supervisor::Antctl, Mode::Zen);

    /// Services of s6 in containers.
    pub const S6OVERLAY_USER: ManagerKind = Self::of(Supervisor::S6overlay, Mode::User);

    /// Every manager.
    pub const ALL: [ManagerKind; 10] = [
        Self::SYSTEMD_SUDO,
        Self::SYSTEMD_USER,
        Self::SETSID_SUDO,
        Self::SETSID_USER,
        Self::LAUNCHD_SUDO,
        Self::LAUNCHD_USER,
        Self::ANTCTL_SUDO,
        Self::ANTCTL_USER,
        Self::ANTCTL_ZEN,
        Self::S6OVERLAY_USER,
    ];

    const fn of(supervisor: Supervisor, mode: Mode) -> Self {
        Self { supervisor, mode }
    }

    /// The supervisor.
    pub const fn supervisor(self) -> Supervisor {
        self.supervisor
    }

    /// The mode.
    pub const fn mode(self) -> Mode {
        self.mode
    }
}

impl fmt::Display for ManagerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let supervisor = match self.supervisor {
            Supervisor::Systemd => "systemd",
            Supervisor::Setsid => "setsid",
            Supervisor::Launchd => "launchd",
            Supervisor::Antctl => "antctl",
            Supervisor::S6overlay => "s6overlay",
        };
        let mode = match self.mode {
            Mode::Sudo => "sudo",
            Mode::User => "user",
            Mode::Zen => "zen",
        };
        f.pad(&format!("{supervisor}+{mode}"))
    }
}

impl FromStr for ManagerKind {
    type Err = UnknownManager;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase();
        ManagerKind::ALL
            .into_iter()
            .find(|kind| kind.to_string() == wanted)
            .ok_or_else(|| UnknownManager(text.trim().to_owned()))
    }
}

impl TryFrom<String> for ManagerKind {
    type Error = UnknownManager;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ManagerKind> for String {
    fn from(kind: ManagerKind) -> Self {
        kind.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manager_reads_back_from_its_name() {
        for kind in ManagerKind::ALL {
            assert_eq!(kind.to_string().parse::<ManagerKind>().unwrap(), kind);
        }
        assert!("setsid+zen".parse::<ManagerKind>().is_err());
    }
}
