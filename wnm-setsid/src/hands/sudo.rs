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

use super::Hands;
use crate::detach::Order;
use crate::output::{aside, open_plain};
use crate::table::Table;
use crate::watch::Held;

/// Commands that touch a file or a process or two, on a machine that may be loaded.
const SHORT: Duration = Duration::from_secs(30);

/// Processes started and ended through `sudo -n` by a caller who is not root. No shell: every path and every
/// argument of a node is one argument of the command.
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

    /// Starts nodes with another program in the place of sudo.
    #[cfg(all(test, target_os = "linux"))]
    pub fn through(mut self, sudo: &Path) -> Self {
        self.sudo = sudo.into();
        self
    }

    /// Makes an empty file that the caller may write and the node's account may not replace by a link
    /// unnoticed: it is opened without following any.
    async fn make_output(&self, path: &Path) -> Result<(), ManagerError> {
        let uid = nix::unistd::geteuid().to_string();
        let gid = nix::unistd::getegid().to_string();
        let words = ["install", "-m", "0644", "-o", &uid, "-g", &gid, "/dev/null"];
        let words = words.map(OsStr::new).into_iter().chain([path.as_ref()]);
        self.files.run(SHORT, words).await
    }
}

#[async_trait]
impl Hands for Sudo {
    fn looks_at_others(&self) -> bool {
        true
    }

    async fn output(&self, path: &Path) -> Result<File, ManagerError> {
        match open_plain(path) {
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
            self.files.rename(path, &aside(path)).await?;
        }
        self.make_output(path).await?;
        open_plain(path)
            .map_err(|source| ManagerError::io(format!("opening {}", path.display()), source))
    }

    /// Not through the runner: the node inherits the streams of what starts it, and the runner would read
    /// them until the node ends.
    async fn spawn(&self, order: &Order, output: &File) -> Result<Option<Child>, ManagerError> {
        let mut args: Vec<OsString> = ["-n", "-u", &self.owner, "--"].map(OsString::from).into();
        if !order.env.is_empty() {
            args.push("env".into());
            args.extend(order.env.iter().map(|(key, value)| {
                let mut word = key.clone();
                word.push("=");
                word.push(value);
                word
            }));
        }
        args.extend(["setsid", "--fork"].map(OsString::from));
        args.push(order.program.clone());
        args.extend(order.args.iter().cloned());
        let through = Order {
            program: self.sudo.clone(),
            args,
            env: Vec::new(),
            dir: order.dir.clone(),
        };
        let what = || {
            format!(
                "starting {} through sudo",
                crate::detach::name(&order.program)
            )
        };
        let io_error = |source| ManagerError::io(what(), source);
        let mut command = through.command(output).map_err(io_error)?;
        let started = spawn_when_free(command.kill_on_drop(true)).await;
        let mut child = started.map_err(io_error)?;
        match tokio::time::timeout(SHORT, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(None),
            Ok(Ok(status)) => Err(ManagerError::NotPermitted(format!("{}: {status}", what()))),
            Ok(Err(source)) => Err(io_error(source)),
            Err(_) => Err(ManagerError::TimedOut {
                what: what(),
                limit: SHORT,
            }),
        }
    }

    async fn signal(
        &self,
        table: &Table,
        held: &[Held],
        signal: Signal,
    ) -> Result<(), ManagerError> {
        let running: Vec<&Held> = held.iter().filter(|process| process.runs(table)).collect();
        if running.is_empty() {
            return Ok(());
        }
        let short = signal.as_str().trim_start_matches("SIG");
        let words = ["kill", "-s", short].map(OsString::from).into_iter();
        let pids = running
            .iter()
            .map(|process| OsString::from(process.kin.pid.to_string()));
        let sent = self.files.run(SHORT, words.chain(pids)).await;
        // kill(1) fails when one of them ended a moment before.
        match sent {
            Err(ManagerError::Rejected { .. })
                if !running.iter().all(|process| process.runs(table)) =>
            {
                Ok(())
            }
            other => other,
        }
    }
}
