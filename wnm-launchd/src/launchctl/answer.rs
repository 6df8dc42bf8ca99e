//! What launchctl means by its exit codes and words.
//!
//! The codes below 100 are those of errno(2) on macOS, the others launchd's own, as `launchctl error CODE`
//! explains them. Some are told by one subcommand only, and code 5 stands for several things.

use thiserror::Error;
use wnm_core::command::{CommandError, CommandOutput, CommandSpec};
use wnm_core::manager::ManagerError;

/// A subcommand that does not exist, or was misused (sysexits(3)).
const USAGE: i32 = 64;

/// A line of advice that says nothing of the failure.
const ADVICE: &str = "Try re-running the command as root for richer errors.";

/// What a refusal means for the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// launchd does not hold the job.
    Gone,
    /// The job is on its way in or out; it is to be asked again in a while.
    InProgress,
    /// Held already, on its way out, or not acceptable: only looking tells.
    Ambiguous,
    /// There is no such domain, or it does not take this job: the user is not logged in at the screen.
    NoDomain,
    /// It must not come up.
    Disabled,
    /// The caller lacks the rights.
    NotPermitted,
    /// This launchctl has no such subcommand.
    Unsupported,
    /// Anything else.
    Refused,
}

impl Meaning {
    fn of(code: i32, words: &str) -> Self {
        match code {
            3 | 113 => Self::Gone,
            36 | 37 => Self::InProgress,
            5 => Self::Ambiguous,
            112 | 125 | 134 => Self::NoDomain,
            119 => Self::Disabled,
            1 | 13 | 122 | 150 => Self::NotPermitted,
            _ if is_unknown_subcommand(words) => Self::Unsupported,
            // What is asked is always the same, so this is no misuse.
            USAGE => Self::Unsupported,
            _ => Self::Refused,
        }
    }

    /// What a person can do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Gone => "launchd does not hold it",
            Self::InProgress => "launchd is still at it; try again in a while",
            Self::Ambiguous => {
                "launchd does not take it; look at its file with plutil -lint, and at \
                 `log show --last 5m --predicate 'process == \"launchd\"'`"
            }
            Self::NoDomain => {
                "the user has no session that launchd could run it in; log in, or use launchd+sudo"
            }
            Self::Disabled => "it is disabled; look at it with launchctl print-disabled",
            Self::NotPermitted => "launchd does not take this from the caller",
            Self::Unsupported => "this launchctl has no such subcommand",
            Self::Refused => "launchd refused it",
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum TalkError {
    /// launchd said no.
    #[error("{what}: {words}; {}", meaning.advice())]
    Said {
        /// What was asked.
        what: String,
        /// Its own words.
        words: String,
        /// What they mean.
        meaning: Meaning,
    },
    /// It was not asked, or did not answer.
    #[error(transparent)]
    Other(#[from] ManagerError),
}

impl TalkError {
    /// What launchd meant, if it said something.
    pub fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Said { meaning, .. } => Some(*meaning),
            Self::Other(_) => None,
        }
    }
}

impl From<TalkError> for ManagerError {
    fn from(error: TalkError) -> Self {
        match error {
            TalkError::Said {
                what,
                words,
                meaning,
            } => {
                let advice = meaning.advice();
                match meaning {
                    Meaning::Gone => Self::NotFound(format!("{what}: {words}; {advice}")),
                    Meaning::NotPermitted => {
                        Self::NotPermitted(format!("{what}: {words}; {advice}"))
                    }
                    Meaning::NoDomain => Self::Unreachable {
                        supervisor: "launchd".to_owned(),
                        reason: format!("{words}; {advice}"),
                    },
                    Meaning::InProgress
                    | Meaning::Ambiguous
                    | Meaning::Disabled
                    | Meaning::Unsupported
                    | Meaning::Refused => Self::Rejected {
                        what,
                        words: format!("{words}; {advice}"),
                    },
                }
            }
            TalkError::Other(error) => error,
        }
    }
}

/// What it printed, or what its refusal means.
pub(super) fn judge(spec: &CommandSpec, output: CommandOutput) -> Result<String, TalkError> {
    let code = output.code;
    match output.success(spec) {
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(CommandError::Failed { status, words, .. }) => {
            let words = own_words(&words);
            let meaning = match code {
                Some(code) => Meaning::of(code, &words),
                None => Meaning::Refused,
            };
            Err(TalkError::Said {
                what: asked(spec),
                words: if words.is_empty() { status } else { words },
                meaning,
            })
        }
        Err(error) => Err(TalkError::Other(error.into())),
    }
}

/// The same for subcommands that end with 0 although they failed.
pub(super) fn judge_by_words(spec: &CommandSpec, output: CommandOutput) -> Result<(), TalkError> {
    let silent = output.stderr.iter().all(u8::is_ascii_whitespace);
    if output.code != Some(0) || silent {
        return judge(spec, output).map(drop);
    }
    let words = own_words(&String::from_utf8_lossy(&output.stderr));
    let meaning = match code_in(&words) {
        Some(code) => Meaning::of(code, &words),
        None if words.contains("Could not find") || words.contains("No such process") => {
            Meaning::Gone
        }
        None if words.contains("already loaded") => Meaning::Ambiguous,
        None => Meaning::Refused,
    };
    Err(TalkError::Said {
        what: asked(spec),
        words,
        meaning,
    })
}

/// The number in `Load failed: 5: Input/output error`.
fn code_in(words: &str) -> Option<i32> {
    let mut parts = words.split(": ");
    parts.find(|part| part.ends_with("failed"))?;
    parts.next()?.parse().ok()
}

fn is_unknown_subcommand(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("unrecognized subcommand") || words.contains("unknown subcommand")
}

/// The command without what sudo needs.
fn asked(spec: &CommandSpec) -> String {
    let words = std::iter::once(&spec.program).chain(&spec.args);
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let words = words.join(" ");
    words.strip_prefix("sudo -n ").unwrap_or(&words).to_owned()
}

fn own_words(words: &str) -> String {
    let lines = words.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && *line != ADVICE)
        .collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(code: i32, stderr: &str) -> ManagerError {
        let spec =
            CommandSpec::new("launchctl", Duration::from_secs(1)).args(["bootstrap", "gui/501"]);
        judge(&spec, output(code, stderr)).unwrap_err().into()
    }

    fn output(code: i32, stderr: &str) -> CommandOutput {
        CommandOutput {
            code: Some(code),
            stderr: stderr.as_bytes().to_vec(),
            ..CommandOutput::default()
        }
    }

    #[test]
    fn every_code_has_an_error_and_words_to_act_on() {
        let table: [(i32, &str, &str); 10] = [
            (
                3,
                "Boot-out failed: 3: No such process",
                "not found: launchctl bootstrap gui/501: Boot-out failed: 3: No such process; launchd does not hold it",
            ),
            (
                5,
                "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.",
                "launchctl bootstrap gui/501: Bootstrap failed: 5: Input/output error; launchd does not take it; look at its file with plutil -lint, and at `log show --last 5m --predicate 'process == \"launchd\"'`",
            ),
            (
                36,
                "Boot-out failed: 36: Operation now in progress",
                "launchctl bootstrap gui/501: Boot-out failed: 36: Operation now in progress; launchd is still at it; try again in a while",
            ),
            (
                37,
                "Could not kickstart service: 37: Operation already in progress",
                "launchctl bootstrap gui/501: Could not kickstart service: 37: Operation already in progress; launchd is still at it; try again in a while",
            ),
            (
                113,
                "Could not find service \"x\" in domain for user gui: 501",
                "not found: launchctl bootstrap gui/501: Could not find service \"x\" in domain for user gui: 501; launchd does not hold it",
            ),
            (
                119,
                "Bootstrap failed: 119: Service is disabled",
                "launchctl bootstrap gui/501: Bootstrap failed: 119: Service is disabled; it is disabled; look at it with launchctl print-disabled",
            ),
            (
                125,
                "Bootstrap failed: 125: Domain does not support specified action",
                "launchd is not reachable: Bootstrap failed: 125: Domain does not support specified action; the user has no session that launchd could run it in; log in, or use launchd+sudo",
            ),
            (
                1,
                "Bootstrap failed: 1: Operation not permitted",
                "not permitted: launchctl bootstrap gui/501: Bootstrap failed: 1: Operation not permitted; launchd does not take this from the caller",
            ),
            (
                64,
                "Unrecognized subcommand: bootstrap",
                "launchctl bootstrap gui/501: Unrecognized subcommand: bootstrap; this launchctl has no such subcommand",
            ),
            (
                114,
                "",
                "launchctl bootstrap gui/501: exit code 114; launchd refused it",
            ),
        ];
        for (code, stderr, told) in table {
            assert_eq!(said(code, stderr).to_string(), told, "{code}");
        }
        assert!(said(125, "x").leaves_it_open());
        assert!(!said(5, "x").leaves_it_open());
    }

    #[test]
    fn the_former_subcommands_are_judged_by_their_words() {
        let spec = CommandSpec::new("launchctl", Duration::from_secs(1)).args(["load", "-w", "/x"]);
        let meaning = |stderr: &str| match judge_by_words(&spec, output(0, stderr)) {
            Ok(()) => None,
            Err(error) => error.meaning(),
        };
        assert_eq!(meaning(""), None);
        assert_eq!(meaning("\n"), None);
        let failed = "Load failed: 5: Input/output error\nTry running `launchctl bootstrap` as root for richer errors.";
        assert_eq!(meaning(failed), Some(Meaning::Ambiguous));
        assert_eq!(
            meaning("Unload failed: 113: Could not find specified service"),
            Some(Meaning::Gone)
        );
        assert_eq!(
            meaning("launchctl: Error unloading: Could not find specified service"),
            Some(Meaning::Gone)
        );
        assert_eq!(
            meaning("x: service already loaded"),
            Some(Meaning::Ambiguous)
        );
        assert_eq!(meaning("launchctl: no such file"), Some(Meaning::Refused));
    }

    #[test]
    fn a_sudo_that_refuses_is_no_word_of_launchd() {
        let spec =
            CommandSpec::new("sudo", Duration::from_secs(1)).args(["-n", "launchctl", "list"]);
        let error = judge(&spec, output(1, "sudo: a password is required")).unwrap_err();
        assert_eq!(error.meaning(), None);
        assert!(matches!(
            error,
            TalkError::Other(ManagerError::NotPermitted(_))
        ));
        let error = judge(&spec, output(37, "in progress")).unwrap_err();
        assert!(error.to_string().starts_with("launchctl list: "), "{error}");
    }
}
