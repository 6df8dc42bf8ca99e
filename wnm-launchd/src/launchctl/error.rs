//! Classifies the exit codes and messages of launchctl.
//!
//! Codes below 100 are those of errno(2) on macOS; the others are launchd's own, as `launchctl
//! error CODE` explains them. Some come from one subcommand only, and code 5 has several meanings.

use thiserror::Error;
use wnm_core::command::{CommandError, CommandOutput, CommandSpec};
use wnm_core::manager::ManagerError;

/// Exit code for a missing subcommand or wrong usage (sysexits(3)).
const USAGE: i32 = 64;

/// A generic hint that does not describe the failure.
const ADVICE: &str = "Try re-running the command as root for richer errors.";

/// Why launchd refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The job is not loaded.
    NotLoaded,
    /// The job is being loaded or unloaded; retry later.
    InProgress,
    /// The job is already loaded, being unloaded, or invalid; only its state tells.
    Ambiguous,
    /// The domain does not exist or does not accept this job: the user has no graphical session.
    NoDomain,
    /// The job is disabled.
    Disabled,
    /// The caller lacks permission.
    NotPermitted,
    /// This launchctl lacks the subcommand.
    Unsupported,
    /// Anything else.
    Other,
}

impl Refusal {
    fn classify(code: i32, words: &str) -> Self {
        match code {
            3 | 113 => Self::NotLoaded,
            36 | 37 => Self::InProgress,
            5 => Self::Ambiguous,
            112 | 125 | 134 => Self::NoDomain,
            119 => Self::Disabled,
            1 | 13 | 122 | 150 => Self::NotPermitted,
            _ if is_unknown_subcommand(words) => Self::Unsupported,
            // Our usage is always the same, so the subcommand must be missing.
            USAGE => Self::Unsupported,
            _ => Self::Other,
        }
    }

    /// Returns what the user can do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::NotLoaded => "the job is not loaded",
            Self::InProgress => "launchd is still working on it; try again later",
            Self::Ambiguous => {
                "launchd rejected the job; check its file with plutil -lint, and read \
                 `log show --last 5m --predicate 'process == \"launchd\"'`"
            }
            Self::NoDomain => {
                "the user has no login session to run it in; log in, or use launchd+sudo"
            }
            Self::Disabled => "the job is disabled; see launchctl print-disabled",
            Self::NotPermitted => "the caller lacks permission",
            Self::Unsupported => "this launchctl has no such subcommand",
            Self::Other => "launchd refused the request",
        }
    }
}

/// Why a request failed.
#[derive(Debug, Error)]
pub(crate) enum LaunchctlError {
    /// launchd refused it.
    #[error("{what}: {words}; {}", refusal.advice())]
    Refused {
        /// The command.
        what: String,
        /// The message of launchctl.
        words: String,
        /// The classified reason.
        refusal: Refusal,
    },
    /// launchctl did not run or did not finish.
    #[error(transparent)]
    Other(#[from] ManagerError),
}

impl LaunchctlError {
    /// Returns why launchd refused, if it did.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::Other(_) => None,
        }
    }
}

impl From<LaunchctlError> for ManagerError {
    fn from(error: LaunchctlError) -> Self {
        match error {
            LaunchctlError::Refused {
                what,
                words,
                refusal,
            } => {
                let advice = refusal.advice();
                match refusal {
                    Refusal::NotLoaded => Self::NotFound(format!("{what}: {words}; {advice}")),
                    Refusal::NotPermitted => {
                        Self::NotPermitted(format!("{what}: {words}; {advice}"))
                    }
                    Refusal::NoDomain => Self::Unreachable {
                        supervisor: "launchd".to_owned(),
                        reason: format!("{words}; {advice}"),
                    },
                    Refusal::InProgress
                    | Refusal::Ambiguous
                    | Refusal::Disabled
                    | Refusal::Unsupported
                    | Refusal::Other => Self::Rejected {
                        what,
                        words: format!("{words}; {advice}"),
                    },
                }
            }
            LaunchctlError::Other(error) => error,
        }
    }
}

/// Returns the output of a successful command, or classifies its failure.
pub(super) fn check_output(
    spec: &CommandSpec,
    output: CommandOutput,
) -> Result<String, LaunchctlError> {
    let code = output.code;
    match output.success(spec) {
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(CommandError::Failed { status, words, .. }) => {
            let words = without_advice(&words);
            let refusal = match code {
                Some(code) => Refusal::classify(code, &words),
                None => Refusal::Other,
            };
            Err(LaunchctlError::Refused {
                what: command_line(spec),
                words: if words.is_empty() { status } else { words },
                refusal,
            })
        }
        Err(error) => Err(LaunchctlError::Other(error.into())),
    }
}

/// Checks a legacy subcommand, which exits with 0 even if it failed.
pub(super) fn check_legacy_output(
    spec: &CommandSpec,
    output: CommandOutput,
) -> Result<(), LaunchctlError> {
    let silent = output.stderr.iter().all(u8::is_ascii_whitespace);
    if output.code != Some(0) || silent {
        return check_output(spec, output).map(drop);
    }
    let words = without_advice(&String::from_utf8_lossy(&output.stderr));
    let refusal = match failure_code(&words) {
        Some(code) => Refusal::classify(code, &words),
        None if words.contains("Could not find") || words.contains("No such process") => {
            Refusal::NotLoaded
        }
        None if words.contains("already loaded") => Refusal::Ambiguous,
        None => Refusal::Other,
    };
    Err(LaunchctlError::Refused {
        what: command_line(spec),
        words,
        refusal,
    })
}

/// Extracts the code from a message like `Load failed: 5: Input/output error`.
fn failure_code(words: &str) -> Option<i32> {
    let mut parts = words.split(": ");
    parts.find(|part| part.ends_with("failed"))?;
    parts.next()?.parse().ok()
}

fn is_unknown_subcommand(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("unrecognized subcommand") || words.contains("unknown subcommand")
}

/// Returns the command line without the sudo prefix.
fn command_line(spec: &CommandSpec) -> String {
    let words = std::iter::once(&spec.program).chain(&spec.args);
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let words = words.join(" ");
    words.strip_prefix("sudo -n ").unwrap_or(&words).to_owned()
}

fn without_advice(words: &str) -> String {
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

    fn manager_error(code: i32, stderr: &str) -> ManagerError {
        let spec =
            CommandSpec::new("launchctl", Duration::from_secs(1)).args(["bootstrap", "gui/501"]);
        check_output(&spec, output(code, stderr))
            .unwrap_err()
            .into()
    }

    fn output(code: i32, stderr: &str) -> CommandOutput {
        CommandOutput {
            code: Some(code),
            stderr: stderr.as_bytes().to_vec(),
            ..CommandOutput::default()
        }
    }

    #[test]
    fn maps_exit_codes_to_errors_with_advice() {
        let table: [(i32, &str, &str); 10] = [
            (
                3,
                "Boot-out failed: 3: No such process",
                "not found: launchctl bootstrap gui/501: Boot-out failed: 3: No such process; the job is not loaded",
            ),
            (
                5,
                "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.",
                "launchctl bootstrap gui/501: Bootstrap failed: 5: Input/output error; launchd rejected the job; check its file with plutil -lint, and read `log show --last 5m --predicate 'process == \"launchd\"'`",
            ),
            (
                36,
                "Boot-out failed: 36: Operation now in progress",
                "launchctl bootstrap gui/501: Boot-out failed: 36: Operation now in progress; launchd is still working on it; try again later",
            ),
            (
                37,
                "Could not kickstart service: 37: Operation already in progress",
                "launchctl bootstrap gui/501: Could not kickstart service: 37: Operation already in progress; launchd is still working on it; try again later",
            ),
            (
                113,
                "Could not find service \"x\" in domain for user gui: 501",
                "not found: launchctl bootstrap gui/501: Could not find service \"x\" in domain for user gui: 501; the job is not loaded",
            ),
            (
                119,
                "Bootstrap failed: 119: Service is disabled",
                "launchctl bootstrap gui/501: Bootstrap failed: 119: Service is disabled; the job is disabled; see launchctl print-disabled",
            ),
            (
                125,
                "Bootstrap failed: 125: Domain does not support specified action",
                "launchd is not reachable: Bootstrap failed: 125: Domain does not support specified action; the user has no login session to run it in; log in, or use launchd+sudo",
            ),
            (
                1,
                "Bootstrap failed: 1: Operation not permitted",
                "not permitted: launchctl bootstrap gui/501: Bootstrap failed: 1: Operation not permitted; the caller lacks permission",
            ),
            (
                64,
                "Unrecognized subcommand: bootstrap",
                "launchctl bootstrap gui/501: Unrecognized subcommand: bootstrap; this launchctl has no such subcommand",
            ),
            (
                114,
                "",
                "launchctl bootstrap gui/501: exit code 114; launchd refused the request",
            ),
        ];
        for (code, stderr, expected) in table {
            assert_eq!(manager_error(code, stderr).to_string(), expected, "{code}");
        }
        assert!(manager_error(125, "x").leaves_it_open());
        assert!(!manager_error(5, "x").leaves_it_open());
    }

    #[test]
    fn legacy_subcommands_are_judged_by_their_messages() {
        let spec = CommandSpec::new("launchctl", Duration::from_secs(1)).args(["load", "-w", "/x"]);
        let refusal = |stderr: &str| match check_legacy_output(&spec, output(0, stderr)) {
            Ok(()) => None,
            Err(error) => error.refusal(),
        };
        assert_eq!(refusal(""), None);
        assert_eq!(refusal("\n"), None);
        let failed = "Load failed: 5: Input/output error\nTry running `launchctl bootstrap` as root for richer errors.";
        assert_eq!(refusal(failed), Some(Refusal::Ambiguous));
        assert_eq!(
            refusal("Unload failed: 113: Could not find specified service"),
            Some(Refusal::NotLoaded)
        );
        assert_eq!(
            refusal("launchctl: Error unloading: Could not find specified service"),
            Some(Refusal::NotLoaded)
        );
        assert_eq!(
            refusal("x: service already loaded"),
            Some(Refusal::Ambiguous)
        );
        assert_eq!(refusal("launchctl: no such file"), Some(Refusal::Other));
    }

    #[test]
    fn a_sudo_failure_is_not_a_refusal_of_launchd() {
        let spec =
            CommandSpec::new("sudo", Duration::from_secs(1)).args(["-n", "launchctl", "list"]);
        let error = check_output(&spec, output(1, "sudo: a password is required")).unwrap_err();
        assert_eq!(error.refusal(), None);
        assert!(matches!(
            error,
            LaunchctlError::Other(ManagerError::NotPermitted(_))
        ));
        let error = check_output(&spec, output(37, "in progress")).unwrap_err();
        assert!(error.to_string().starts_with("launchctl list: "), "{error}");
    }
}
