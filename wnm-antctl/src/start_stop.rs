//! Starts and stops nodes, and checks antctl's result against the process itself.

use std::path::Path;
use std::time::{Duration, SystemTime};

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_host::rollback;

use crate::Antctl;
use crate::client::Call;
use crate::process_table::NodePaths;
use crate::registry::Service;

/// antctl waits three seconds for the process and five for the node to answer, on an idle machine.
pub(crate) const START: Duration = Duration::from_secs(45);

/// systemd kills a unit that does not end within 90 seconds.
pub(crate) const STOP: Duration = Duration::from_secs(120);

/// Milliseconds between two starts of one call; wnm starts one node per call. Without this option antctl waits
/// five minutes for the node to have peers, and then fails.
pub(crate) const INTERVAL: [&str; 2] = ["--interval", "1"];

/// Larger than any failure reason that a node writes.
const MAX_REASON_BYTES: u64 = 64 * 1024;

impl Antctl {
    /// Starts the node. If an upgrade replaced its program and the new one does not start, restores the old
    /// program and starts that.
    pub(crate) async fn start_or_roll_back(&self, node: &Node) -> Result<(), ManagerError> {
        let service = self.require_service(node).await?;
        let started = self.start_service(&service).await;
        fault::point("antctl.start.called");
        let restart = self.start_service(&service);
        rollback::settle(self.files.as_ref(), &service.program, started, restart).await?;
        // Not every firewall keeps its rules over a reboot.
        self.context.open_port(node).await
    }

    /// Starts a service unless it runs.
    pub(crate) async fn start_service(&self, service: &Service) -> Result<(), ManagerError> {
        if self.is_running(service).await? {
            return Ok(());
        }
        if !service.data_dir.is_dir() {
            return Err(ManagerError::NotFound(
                service.data_dir.display().to_string(),
            ));
        }
        if !self.units.exists(&service.name) {
            self.rewrite_unit(service).await?;
        }
        self.units.reset_failed(&service.name).await;
        let began = SystemTime::now();
        let call = Call::quiet("start").args(INTERVAL).limit(START);
        let result = self
            .client
            .run_ok(call.args(["--service-name", &service.name]))
            .await;
        // antctl fails if the node does not answer in time, and succeeds if the node exits a moment later.
        let runs = self.is_running(service).await?;
        match result {
            _ if runs => Ok(()),
            Err(error) if error.leaves_it_open() => Err(error),
            result => {
                let mut words = match result {
                    Err(ManagerError::Rejected { words, .. }) => words,
                    Err(error) => error.to_string(),
                    Ok(_) => "antctl reported success but no process runs".to_owned(),
                };
                if let Some(reason) = failure_reason(service, began) {
                    words = format!("{words}; the node reports: {reason}");
                }
                Err(ManagerError::Rejected {
                    what: format!("starting {}", service.name),
                    words,
                })
            }
        }
    }

    /// Stops the node.
    pub(crate) async fn stop_node(&self, node: &Node) -> Result<(), ManagerError> {
        match self.find_service(node).await? {
            Some(service) => self.stop_service(&service).await,
            None => self.check_not_running(node).await,
        }
    }

    /// Stops a service, even if it has no process: antctl may believe it runs and refuse later calls.
    pub(crate) async fn stop_service(&self, service: &Service) -> Result<(), ManagerError> {
        let call = Call::quiet("stop").limit(STOP);
        let result = self
            .client
            .run_ok(call.args(["--service-name", &service.name]))
            .await;
        fault::point("antctl.stop.called");
        if !self.is_running(service).await? {
            return Ok(());
        }
        result?;
        Err(ManagerError::Rejected {
            what: format!("stopping {}", service.name),
            words: "antctl reported success but it still runs".to_owned(),
        })
    }

    /// Fails if the node runs: antctl cannot stop a node that it does not list.
    pub(crate) async fn check_not_running(&self, node: &Node) -> Result<(), ManagerError> {
        match self.process_table.find(NodePaths::from(node)).await? {
            None => Ok(()),
            Some(pid) => Err(ManagerError::Rejected {
                what: format!("stopping {}", node.service),
                words: format!(
                    "antctl does not list it, but its process {pid} runs; stop that process"
                ),
            }),
        }
    }

    /// Whether a service has a process. An unknown state is an error, so that nothing follows from it.
    pub(crate) async fn is_running(&self, service: &Service) -> Result<bool, ManagerError> {
        match self.process_table.state(service).await? {
            ProcessState::Running { .. } => Ok(true),
            ProcessState::Stopped | ProcessState::Missing => Ok(false),
            ProcessState::Unknown(reason) => Err(ManagerError::Unreachable {
                supervisor: "the process table".to_owned(),
                reason,
            }),
        }
    }

    /// The node's service; an error if it has none.
    pub(crate) async fn require_service(&self, node: &Node) -> Result<Service, ManagerError> {
        self.find_service(node).await?.ok_or_else(|| {
            ManagerError::NotFound(format!("antctl service for {}", node.root_dir.display()))
        })
    }
}

/// Why a node exited, if it wrote a line `[time] reason` to its failure log since it was started.
fn failure_reason(service: &Service, since: SystemTime) -> Option<String> {
    let path = service.log_dir.as_deref()?.join("critical_failure.log");
    let file = std::fs::metadata(&path).ok()?;
    if !file.is_file() || file.len() > MAX_REASON_BYTES || file.modified().ok()? < since {
        return None;
    }
    reason(&path)
}

fn reason(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().rfind(|line| !line.trim().is_empty())?;
    let words = line.split_once(']').map_or(line, |(_, words)| words);
    let plain = words.trim().chars().filter(|c| !c.is_control());
    Some(plain.take(300).collect())
}
