//! Requests and answers, and the codes and texts of the real launchctl.

use serde::{Deserialize, Serialize};

/// The exit code of the real one when it cannot reach launchd.
pub const NO_LAUNCHD: u8 = 118;

/// The real one prints this after failures of a user.
const ADVICE: &str = "Try re-running the command as root for richer errors.";

#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub uid: u32,
    pub words: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answer {
    pub code: u8,
    #[serde(default)]
    pub stdout: String,
    #[serde(default)]
    pub stderr: String,
}

impl Answer {
    pub fn done() -> Self {
        Self::default()
    }

    pub fn printed(stdout: String) -> Self {
        Self {
            stdout,
            ..Self::default()
        }
    }

    /// `Bootstrap failed: 5: Input/output error`.
    pub fn failed(what: &str, code: u8) -> Self {
        let mut stderr = format!("{what} failed: {code}: {}\n", meaning(code));
        if code == 5 {
            stderr.push_str(ADVICE);
            stderr.push('\n');
        }
        Self {
            code,
            stderr,
            ..Self::default()
        }
    }

    pub fn no_service(domain: &str, label: &str) -> Self {
        Self::complaint(
            113,
            &format!(
                "Could not find service \"{label}\" in domain for {}",
                described(domain)
            ),
        )
    }

    pub fn no_domain(domain: &str) -> Self {
        Self::complaint(
            112,
            &format!("Could not find domain for {}", described(domain)),
        )
    }

    pub fn unknown(verb: &str) -> Self {
        Self::complaint(
            64,
            &format!("Unrecognized subcommand: {verb}\nusage: launchctl <subcommand> [arguments]"),
        )
    }

    pub fn complaint(code: u8, words: &str) -> Self {
        Self {
            code,
            stderr: format!("{words}\n"),
            ..Self::default()
        }
    }
}

/// The name of a domain in the real one's sentences.
fn described(domain: &str) -> String {
    match domain.split_once('/') {
        Some(("gui", uid)) => format!("user gui: {uid}"),
        Some(("user", uid)) => format!("uid: {uid}"),
        _ => domain.to_owned(),
    }
}

fn meaning(code: u8) -> &'static str {
    match code {
        1 => "Operation not permitted",
        3 => "No such process",
        5 => "Input/output error",
        36 => "Operation now in progress",
        37 => "Operation already in progress",
        119 => "Service is disabled",
        122 => "Path had bad ownership/permissions",
        125 => "Domain does not support specified action",
        134 => "Service cannot load in requested session",
        _ => "Unknown error",
    }
}
