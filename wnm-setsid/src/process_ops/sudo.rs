use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use tokio::process::Child;
use wnm_core::command::CommandRunner;
use wnm_core::manager::ManagerError;
use wnm_host::files;
use wnm_host::files::Files;
use wnm_host::spawn_when_free;

use super::ProcessOps;
use crate::detach::LaunchSpec;
use crate::handle::ProcessHandle;
use crate::output_file::{open_regular, rotated_path};
use crate::table::Table;

/// Limit for a command that touches a file or a few processes on a loaded machine.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts and signals processes through `sudo -n`, for a caller who is not root. Uses no shell: every path and
/// every node argument is one argument of the command.
pub(crate) struct Sudo {
    sudo: OsString,
    owner: String,
    files: files::Sudo,
}

impl Sudo {
    /// For nodes that run under `owner`.
    pub fn new(owner: &str, runner: Arc<dyn CommandRunner>) -> Self {
        Self {
            sudo: "sudo".into(),
            owner: owner.to_owned(),
            files: files::Sudo::new(owner, runner),
        }
    }

    /// Starts nodes with another program in place of sudo.
    #[cfg(all(test, target_os = "linux"))]
    pub fn with_program(mut self, sudo: &Path) -> Self {
        self.sudo = sudo.into();
        self
    }

    /// Creates an empty file that the caller may write. The node's account could replace it with a link, so
    /// [`open_regular`] follows none.
    async fn create_output(&self, path: &Path) -> Result<(), ManagerError> {
        let uid = nix::unistd::geteuid().to_string();
        let gid = nix::unistd::getegid().to_string();
        let args = ["install", "-m", "0644", "-o", &uid, "-g", &gid, "/dev/null"];
        let args = args.map(OsStr::new).into_iter().chain([path.as_ref()]);
        self.files.run(COMMAND_TIMEOUT, args).await
    }
}

#[async_trait]
impl ProcessOps for Sudo {
    fn reads_other_accounts(&self) -> bool {
        true
    }

    async fn open_output(&self, path: &Path) -> Result<File, ManagerError> {
        match open_regular(path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(source) => {
                return Err(ManagerError::io(
                    format!("opening {}", path.display()),
                    source,
                ));
            }
        }
        if std::fs::symlink_metadata(path).is_ok() {
            self.files.rename(path, &rotated_path(path)).await?;
        }
        self.create_output(path).await?;
        open_regular(path)
            .map_err(|source| ManagerError::io(format!("opening {}", path.display()), source))
    }

    /// Bypasses the runner: the node inherits the streams of the command that starts it, and the runner would
    /// read them until the node exits.
    async fn spawn(&self, spec: &LaunchSpec, output: &File) -> Result<Option<Child>, ManagerError> {
        let mut args: Vec<OsString> = ["-n", "-u", &self.owner, "--"].map(OsString::from).into();
        if !spec.env.is_empty() {
            args.push("env".into());
            args.extend(spec.env.iter().map(|(key, value)| {
                let mut word = key.clone();
                word.push("=");
                word.push(value);
                word
            }));
        }
        args.extend(["setsid", "--fork"].map(OsString::from));
        args.push(spec.program.clone());
        args.extend(spec.args.iter().cloned());
        let sudo_spec = LaunchSpec {
            program: self.sudo.clone(),
            args,
            env: Vec::new(),
            dir: spec.dir.clone(),
        };
        let what = || {
            format!(
                "starting {} through sudo",
                crate::detach::display_name(&spec.program)
            )
        };
        let io_error = |source| ManagerError::io(what(), source);
        let mut command = sudo_spec.command(output).map_err(io_error)?;
        let started = spawn_when_free(command.kill_on_drop(true)).await;
        let mut child = started.map_err(io_error)?;
        match tokio::time::timeout(COMMAND_TIMEOUT, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(None),
            Ok(Ok(status)) => Err(ManagerError::NotPermitted(format!("{}: {status}", what()))),
            Ok(Err(source)) => Err(io_error(source)),
            Err(_) => Err(ManagerError::TimedOut {
                what: what(),
                limit: COMMAND_TIMEOUT,
            }),
        }
    }

    async fn signal(
        &self,
        table: &Table,
        handles: &[ProcessHandle],
        signal: Signal,
    ) -> Result<(), ManagerError> {
        let running: Vec<&ProcessHandle> = handles
            .iter()
            .filter(|process| process.is_running(table))
            .collect();
        if running.is_empty() {
            return Ok(());
        }
        let name = signal.as_str().trim_start_matches("SIG");
        let args = ["kill", "-s", name].map(OsString::from).into_iter();
        let pids = running
            .iter()
            .map(|process| OsString::from(process.id.pid.to_string()));
        let result = self.files.run(COMMAND_TIMEOUT, args.chain(pids)).await;
        // kill(1) fails if one of the processes exited a moment before.
        match result {
            Err(ManagerError::Rejected { .. })
                if !running.iter().all(|process| process.is_running(table)) =>
            {
                Ok(())
            }
            other => other,
        }
    }
}
