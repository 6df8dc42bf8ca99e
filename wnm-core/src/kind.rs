//! The name of a process manager: a supervisor and a mode.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// With whose rights a supervisor is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The machine's, through sudo unless already root. Nodes run as the user `ant`.
    Sudo,
    /// The caller's.
    User,
    /// The caller's, with the supervisor's own defaults for everything.
    Zen,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 3] = [Mode::Sudo, Mode::User, Mode::Zen];

    /// Its word, as in the name of a manager.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Sudo => "sudo",
            Mode::User => "user",
            Mode::Zen => "zen",
        }
    }
}

/// The name of a manager: a supervisor and a mode, as `systemd+user`.
///
/// Any well-formed name is a kind. Whether a program has such a manager is for its
/// [`ManagerRegistry`](crate::registry::ManagerRegistry) to say.
///
/// ```
/// use wnm_core::kind::{ManagerKind, Mode};
///
/// const TMUX_USER: ManagerKind = ManagerKind::from_static("tmux+user");
/// assert_eq!("tmux+user".parse::<ManagerKind>()?, TMUX_USER);
/// assert_eq!((TMUX_USER.supervisor(), TMUX_USER.mode()), ("tmux", Mode::User));
/// # Ok::<(), wnm_core::kind::InvalidKind>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ManagerKind(Cow<'static, str>);

/// A text that is no name of a manager.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no process manager: a name is SUPERVISOR+MODE, as systemd+user, with the mode user, sudo or zen"
)]
pub struct InvalidKind(pub String);

impl ManagerKind {
    /// The kind of this name. For constants: a name that is not well-formed fails to compile there.
    ///
    /// # Panics
    ///
    /// Outside of a constant, if the name is not well-formed.
    pub const fn from_static(name: &'static str) -> Self {
        assert!(
            is_valid(name.as_bytes()),
            "the name of a manager is SUPERVISOR+MODE in lower case"
        );
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The supervisor: what is before the `+`.
    pub fn supervisor(&self) -> &str {
        self.0
            .split_once('+')
            .map_or("", |(supervisor, _)| supervisor)
    }

    /// The mode: what is behind the `+`.
    pub fn mode(&self) -> Mode {
        let word = self.0.split_once('+').map_or("", |(_, mode)| mode);
        let mut modes = Mode::ALL.into_iter();
        modes
            .find(|mode| mode.as_str() == word)
            .unwrap_or(Mode::User)
    }
}

/// Whether this is a supervisor's name, a `+` and a mode.
const fn is_valid(name: &[u8]) -> bool {
    let mut plus = 0;
    while plus < name.len() && name[plus] != b'+' {
        if !matches!(name[plus], b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        plus += 1;
    }
    // A name that began with a hyphen would look like an option.
    if plus == 0 || plus == name.len() || name[0] == b'-' {
        return false;
    }
    let (_, rest) = name.split_at(plus);
    matches!(rest, b"+sudo" | b"+user" | b"+zen")
}

impl fmt::Display for ManagerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ManagerKind {
    type Err = InvalidKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_lowercase();
        if is_valid(name.as_bytes()) {
            Ok(Self(Cow::Owned(name)))
        } else {
            Err(InvalidKind(text.trim().to_owned()))
        }
    }
}

impl TryFrom<String> for ManagerKind {
    type Error = InvalidKind;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ManagerKind> for String {
    fn from(kind: ManagerKind) -> Self {
        kind.0.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_supervisor_and_a_mode() {
        for name in ["systemd+user", "s6overlay+user", "my-tmux2+sudo", "x+zen"] {
            let kind: ManagerKind = name.parse().unwrap();
            assert_eq!(kind.to_string(), name);
            assert_eq!(
                format!("{}+{}", kind.supervisor(), kind.mode().as_str()),
                name
            );
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<ManagerKind>(&json).unwrap(), kind);
        }
        let spelled: ManagerKind = " SYSTEMD+User ".parse().unwrap();
        assert_eq!(spelled, ManagerKind::from_static("systemd+user"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "+",
            "systemd",
            "systemd+",
            "+user",
            "-x+user",
            "systemd+root",
            "sys temd+user",
            "systemd+user+zen",
            "é+user",
            "a/b+user",
        ] {
            assert_eq!(
                text.parse::<ManagerKind>(),
                Err(InvalidKind(text.to_owned()))
            );
        }
    }
}
