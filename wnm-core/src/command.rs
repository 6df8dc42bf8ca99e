//! Outside commands: an argument vector, a deadline after which the process group is killed, and output with
//! a limit. There is no shell.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// Most bytes kept of what a command writes to either stream unless it is given another limit; the rest is read
/// and thrown away.
pub const OUTPUT_LIMIT: usize = 1 << 20;

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// Path, or a name to be looked up in PATH.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// How long it may take.
    pub deadline: Duration,
    /// Most bytes kept of what it writes to either stream.
    pub output_limit: usize,
}

impl CommandSpec {
    /// A command without arguments.
    pub fn new(program: impl AsRef<OsStr>, deadline: Duration) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            deadline,
            output_limit: OUTPUT_LIMIT,
        }
    }

    /// Keeps more or less of its output.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// The program, as text.
    pub fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

/// What a command left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandOutput {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote, up to the limit.
    pub stdout: Vec<u8>,
    /// What it complained about, up to the limit.
    pub stderr: Vec<u8>,
}

impl CommandOutput {
    /// The output, or the failure in the command's own words.
    pub fn success(self, spec: &CommandSpec) -> Result<Self, CommandError> {
        if self.code == Some(0) {
            return Ok(self);
        }
        let words = String::from_utf8_lossy(&self.stderr).trim().to_owned();
        let program = spec.name();
        if program == "sudo" && words.starts_with("sudo:") {
            let wanted: Vec<_> = spec
                .args
                .iter()
                .skip(1)
                .map(|a| a.to_string_lossy())
                .collect();
            return Err(CommandError::NotPermitted {
                program: wanted.join(" "),
                words,
            });
        }
        let status = match self.code {
            Some(code) => format!("exit code {code}"),
            None => "ended by a signal".to_owned(),
        };
        Err(CommandError::Failed {
            program,
            status,
            words,
        })
    }
}

/// Why a command gave no result.
#[derive(Debug, Error)]
pub enum CommandError {
    /// There is no such program.
    #[error("no program '{program}' was found")]
    NotFound {
        /// The program.
        program: String,
    },
    /// The rights to run it are missing.
    #[error("'{program}' was not permitted: {words}")]
    NotPermitted {
        /// The command that was refused.
        program: String,
        /// What was said.
        words: String,
    },
    /// It did not end in time and was killed.
    #[error("'{program}' did not finish within {limit:?} and was killed")]
    TimedOut {
        /// The program.
        program: String,
        /// The time it had.
        limit: Duration,
    },
    /// It ended and said no.
    #[error("'{program}' failed ({status}): {words}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// What it said.
        words: String,
    },
    /// It could not be run or read.
    #[error("'{program}': {source}")]
    Io {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Runs outside commands.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CommandRunner: Send + Sync {
    /// Runs one to its end. An exit code other than 0 is a result here, not an error.
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError>;
}
