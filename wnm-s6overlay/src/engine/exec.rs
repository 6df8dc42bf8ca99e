//! Runs programs in containers.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt;
use wnm_core::manager::ManagerError;

use super::Engine;

/// How many bytes of standard output to keep: more than the pages of all nodes in a large container.
const MAX_STDOUT: usize = 256 * 1024 * 1024;

/// How many bytes of standard error to keep.
const MAX_STDERR: usize = 4 * 1024;

/// Size of a read buffer in bytes, so that one read returns many pages.
const READ_BUFFER: usize = 64 * 1024;

/// The result of a program in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecResult {
    /// The exit code; -1 if the engine does not report one.
    pub code: i64,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error, trimmed.
    pub stderr: String,
}

impl Engine {
    /// Runs a program in a container as root and waits for it. After `limit`, returns an error, and the program may
    /// continue.
    pub async fn exec(
        &self,
        container: &str,
        argv: Vec<String>,
        limit: Duration,
    ) -> Result<ExecResult, ManagerError> {
        let docker = self.docker().await?;
        let options = CreateExecOptions {
            cmd: Some(argv),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            user: Some("0:0".to_owned()),
            ..CreateExecOptions::default()
        };
        let call = async {
            let exec = docker.create_exec(container, options).await?;
            let start = StartExecOptions {
                output_capacity: Some(READ_BUFFER),
                ..StartExecOptions::default()
            };
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            if let StartExecResults::Attached {
                output: mut messages,
                ..
            } = docker.start_exec(&exec.id, Some(start)).await?
            {
                while let Some(message) = messages.next().await {
                    let (buffer, message, limit) = match message? {
                        LogOutput::StdErr { message } => (&mut stderr, message, MAX_STDERR),
                        LogOutput::StdOut { message }
                        | LogOutput::StdIn { message }
                        | LogOutput::Console { message } => (&mut stdout, message, MAX_STDOUT),
                    };
                    let room = limit.saturating_sub(buffer.len());
                    buffer.extend_from_slice(&message[..message.len().min(room)]);
                }
            }
            let code = docker.inspect_exec(&exec.id).await?.exit_code;
            Ok(ExecResult {
                code: code.unwrap_or(-1),
                stdout,
                stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
            })
        };
        let what = format!("running a program in container {container}");
        self.with_timeout(limit, &what, call).await
    }
}
