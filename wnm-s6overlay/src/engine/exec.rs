use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt;
use wnm_core::manager::ManagerError;

use super::Engine;

/// More than the pages of all nodes of a large container.
const LARGEST_OUTPUT: usize = 256 * 1024 * 1024;

/// What is kept of complaints.
const LARGEST_COMPLAINT: usize = 4 * 1024;

/// One read from the engine: many pages come in one go.
const CHUNK: usize = 64 * 1024;

/// How a program in a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit code.
    pub code: i64,
    /// What it printed.
    pub output: Vec<u8>,
    /// What it complained of.
    pub complaint: String,
}

impl Engine {
    /// Runs a program in a container, as root there, to its end. Past the limit it is not waited for any more.
    pub async fn exec(
        &self,
        container: &str,
        argv: Vec<String>,
        limit: Duration,
    ) -> Result<Ended, ManagerError> {
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
                output_capacity: Some(CHUNK),
                ..StartExecOptions::default()
            };
            let (mut output, mut complaint) = (Vec::new(), Vec::new());
            if let StartExecResults::Attached {
                output: mut parts, ..
            } = docker.start_exec(&exec.id, Some(start)).await?
            {
                while let Some(part) = parts.next().await {
                    let (kept, message, most) = match part? {
                        LogOutput::StdErr { message } => {
                            (&mut complaint, message, LARGEST_COMPLAINT)
                        }
                        LogOutput::StdOut { message }
                        | LogOutput::StdIn { message }
                        | LogOutput::Console { message } => (&mut output, message, LARGEST_OUTPUT),
                    };
                    let room = most.saturating_sub(kept.len());
                    kept.extend_from_slice(&message[..message.len().min(room)]);
                }
            }
            let code = docker.inspect_exec(&exec.id).await?.exit_code;
            Ok(Ended {
                code: code.unwrap_or(-1),
                output,
                complaint: String::from_utf8_lossy(&complaint).trim().to_owned(),
            })
        };
        let what = format!("a program in container {container}");
        self.within(limit, &what, call).await
    }
}
