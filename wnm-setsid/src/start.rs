//! Starts a node and checks that it keeps running.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::time::{Instant, timeout, timeout_at};
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::blocking;
use wnm_host::layout;

use crate::detach::LaunchSpec;
use crate::handle::ProcessHandle;
use crate::output::NodeOutput;
use crate::{Setsid, rejection};

/// A program that rejects its arguments or its key exits within this time; one that still runs counts as
/// started. The next status shows later exits.
const STARTUP_WATCH: Duration = Duration::from_millis(300);

/// How long sudo and setsid may take to become the node.
const APPEAR_TIMEOUT: Duration = Duration::from_secs(5);

/// How often to look for the node meanwhile: the system reports no event for another account's exec.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

impl Setsid {
    /// Starts the node's process unless it already runs.
    pub(crate) async fn start_process(&self, node: &Node) -> Result<(), ManagerError> {
        if !self.node_processes(node).await?.is_empty() {
            return Ok(());
        }
        let spec = self.spec(node)?;
        let log_dir = layout::log_dir(node, &self.context.paths);
        self.files.own_directory(&log_dir).await?;
        self.files
            .directory(&self.context.paths.bootstrap_cache)
            .await?;
        let output = log_dir.join(format!("{}.out", self.context.program.name()));
        let output =
            NodeOutput::open(self.files.as_ref(), self.process_ops.as_ref(), &output).await?;
        let child = self.process_ops.spawn(&spec, &output.file).await?;
        fault::point("setsid.start.spawned");
        let early_exit = match child {
            Some(child) => self.early_exit(child).await?,
            None => self.early_exit_by_polling(node).await?,
        };
        let Some(exit) = early_exit else {
            return Ok(());
        };
        // A program may hand over to a new process and exit.
        if !self.node_processes(node).await?.is_empty() {
            return Ok(());
        }
        Err(ManagerError::Rejected {
            what: format!("starting {}", node.service),
            words: format!("it exited at once ({exit}): {}", output.last_lines()),
        })
    }

    fn spec(&self, node: &Node) -> Result<LaunchSpec, ManagerError> {
        let what = || format!("starting {}", node.service);
        let check =
            |path: &Path, wanted: fn(&std::fs::Metadata) -> bool| match std::fs::metadata(path) {
                Ok(entry) if wanted(&entry) => Ok(()),
                Ok(_) => Err(ManagerError::Rejected {
                    what: what(),
                    words: format!("{} has the wrong file type", path.display()),
                }),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Err(ManagerError::NotFound(path.display().to_string()))
                }
                Err(source) => Err(ManagerError::io(
                    format!("{}: {}", what(), path.display()),
                    source,
                )),
            };
        check(&node.root_dir, std::fs::Metadata::is_dir)?;
        check(&node.binary, std::fs::Metadata::is_file)?;
        let context = &self.context;
        let mut node = node.clone();
        node.log_dir = Some(layout::log_dir(&node, &context.paths));
        Ok(LaunchSpec {
            program: node.binary.clone().into(),
            args: context
                .program
                .arguments(&node, &context.launch, &context.paths)
                .map_err(rejection::rejected(what()))?,
            env: context
                .program
                .environment(&node, &context.launch)
                .map_err(rejection::rejected(what()))?,
            dir: node.root_dir,
        })
    }

    /// How the child exited, if it did within the watch time. Otherwise drops the handle; the runtime reaps the
    /// child if it exits while wnm runs.
    async fn early_exit(&self, mut child: Child) -> Result<Option<String>, ManagerError> {
        match timeout(STARTUP_WATCH, child.wait()).await {
            Err(_) => Ok(None),
            Ok(Ok(status)) => Ok(Some(describe_exit(status))),
            Ok(Err(source)) => Err(ManagerError::io("waiting for a node", source)),
        }
    }

    /// As [`Self::early_exit`] for a process that is not our child. Must find it first.
    async fn early_exit_by_polling(&self, node: &Node) -> Result<Option<String>, ManagerError> {
        let exited = || Ok(Some("exit status unknown".to_owned()));
        let deadline = Instant::now() + APPEAR_TIMEOUT;
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        let process = loop {
            interval.tick().await;
            // Check in this order, or the process could change from one to the other unseen.
            let being_started = self.is_being_started(node).await?;
            if let Some(process) = self.node_processes(node).await?.into_iter().next() {
                break process;
            }
            if !being_started || Instant::now() >= deadline {
                return exited();
            }
        };
        let handle = ProcessHandle::open(&self.table, process.id)
            .map_err(|source| ManagerError::io("opening a handle to a node", source))?;
        let Some(handle) = handle else {
            return exited();
        };
        match timeout_at(
            Instant::now() + STARTUP_WATCH,
            handle.wait_for_exit(&self.table),
        )
        .await
        {
            Err(_) => Ok(None),
            Ok(Ok(())) => exited(),
            Ok(Err(source)) => Err(ManagerError::io("waiting for a node", source)),
        }
    }
}

impl Setsid {
    /// Whether a `setsid --fork` process exists that has yet to become the node's program.
    async fn is_being_started(&self, node: &Node) -> Result<bool, ManagerError> {
        let (table, binary) = (self.readable_table()?, node.binary.clone());
        blocking(move || {
            let processes = table.processes(&|_| true)?;
            Ok(processes.iter().any(|process| {
                let is_setsid = process.argv.first().is_some_and(|word| word == "setsid");
                is_setsid && process.argv.get(2).is_some_and(|word| *word == binary)
            }))
        })
        .await
    }
}

fn describe_exit(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
