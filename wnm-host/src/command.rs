//! Runs outside commands for real.

use std::ffi::OsString;
use std::process::Stdio;

use async_trait::async_trait;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};

use crate::spawn_when_free;

/// Adds root's rights to a command.
pub trait WithRoot {
    /// Puts `sudo -n` in front unless the caller is root already. It never asks for a password: without the
    /// right it fails at once.
    #[must_use]
    fn with_root(self) -> Self;
}

impl WithRoot for CommandSpec {
    fn with_root(mut self) -> Self {
        if !nix::unistd::geteuid().is_root() {
            let program = std::mem::replace(&mut self.program, OsString::from("sudo"));
            self.args.splice(0..0, [OsString::from("-n"), program]);
        }
        self
    }
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
    use std::time::Duration;
    use wnm_core::command::OUTPUT_LIMIT;

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
