//! Outside commands: an argument vector, a deadline after which the process group is killed, and output with
//! a limit. There is no shell.

use std::ffi::{OsStr, OsString};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::spawn::spawn_when_free;

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

    /// Puts `sudo -n` in front unless the caller is root already. It never asks for a password: without the
    /// right it fails at once.
    #[must_use]
    pub fn as_root(mut self) -> Self {
        if !nix::unistd::geteuid().is_root() {
            let program = std::mem::replace(&mut self.program, OsString::from("sudo"));
            self.args.splice(0..0, [OsString::from("-n"), program]);
        }
        self
    }

    fn name(&self) -> String {
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

/// Runs them for real.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRunner;

#[async_trait]
impl CommandRunner for SystemRunner {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        let program = spec.name();
        let mut command = Command::new(&spec.program);
        command
            .args(&spec.args)
            .envs(spec.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let started = spawn_when_free(&mut command).await;
        let mut child = started.map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => CommandError::NotFound {
                program: program.clone(),
            },
            std::io::ErrorKind::PermissionDenied => CommandError::NotPermitted {
                program: program.clone(),
                words: source.to_string(),
            },
            _ => CommandError::Io {
                program: program.clone(),
                source,
            },
        })?;
        let group = child.id();
        match tokio::time::timeout(spec.deadline, collect(&mut child, spec.output_limit)).await {
            Ok(output) => output.map_err(|source| CommandError::Io { program, source }),
            Err(_) => {
                kill_group(group);
                Err(CommandError::TimedOut {
                    program,
                    limit: spec.deadline,
                })
            }
        }
    }
}

async fn collect(child: &mut Child, limit: usize) -> std::io::Result<CommandOutput> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr, status) = tokio::try_join!(
        read_limited(stdout, limit),
        read_limited(stderr, limit),
        child.wait()
    )?;
    Ok(CommandOutput {
        code: status.code(),
        stdout,
        stderr,
    })
}

/// Reads to the end, so that the writer never blocks, and keeps the beginning.
async fn read_limited(
    stream: Option<impl AsyncRead + Unpin>,
    limit: usize,
) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else {
        return Ok(kept);
    };
    let mut chunk = [0; 8192];
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(kept);
        }
        let room = limit.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&chunk[..room]);
    }
}

fn kill_group(leader: Option<u32>) {
    let group = leader
        .and_then(|pid| i32::try_from(pid).ok())
        .map(Pid::from_raw);
    if let Some(group) = group
        && let Err(error) = killpg(group, Signal::SIGKILL)
    {
        tracing::debug!(%group, %error, "the process group had ended already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> CommandSpec {
        CommandSpec::new("/bin/sh", deadline).arg("-c").arg(script)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn output_and_exit_code_come_back() {
        let output = SystemRunner
            .run(&shell("echo out; echo err >&2; exit 3", LONG))
            .await
            .unwrap();
        assert_eq!(output.code, Some(3));
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
    }

    #[tokio::test]
    async fn more_output_than_the_limit_is_read_and_dropped() {
        let script = format!("head -c {} /dev/zero", OUTPUT_LIMIT * 3);
        let output = SystemRunner.run(&shell(&script, LONG)).await.unwrap();
        assert_eq!(output.code, Some(0));
        assert_eq!(output.stdout.len(), OUTPUT_LIMIT);
    }

    #[tokio::test]
    async fn a_deadline_ends_the_children_too() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("held-open");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let script = format!("sleep 600 > {} & wait", fifo.display());
        let spec = shell(&script, Duration::from_millis(300));
        let reader = tokio::task::spawn_blocking(move || std::fs::read(fifo));
        let error = SystemRunner.run(&spec).await.unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
        // The read ends only once the last writer, the grandchild, is gone.
        let read = tokio::time::timeout(LONG, reader).await.unwrap().unwrap();
        assert_eq!(read.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_missing_program_is_told_apart() {
        let spec = CommandSpec::new("/nonexistent/program", LONG);
        let error = SystemRunner.run(&spec).await.unwrap_err();
        assert!(matches!(error, CommandError::NotFound { .. }), "{error}");
    }
}
