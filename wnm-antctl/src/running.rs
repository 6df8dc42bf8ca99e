//! Starting and stopping. What antctl says of it is checked against the process itself.

use std::path::Path;
use std::time::{Duration, SystemTime};

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_host::rollback;

use crate::Antctl;
use crate::caller::Call;
use crate::process::Trace;
use crate::registry::Service;

/// antctl waits three seconds for the process and five for the node to answer, on an idle machine.
pub(crate) const START: Duration = Duration::from_secs(45);

/// systemd kills a unit that does not end after 90 seconds.
pub(crate) const STOP: Duration = Duration::from_secs(120);

/// Milliseconds between two starts of one call, which has one only. Without it antctl waits until the node has peers,
/// for five minutes and then in vain.
pub(crate) const INTERVAL: [&str; 2] = ["--interval", "1"];

/// Longer than any reason that a node leaves behind.
const LONGEST_REASON: u64 = 64 * 1024;

impl Antctl {
    /// Starts the node. If its program was replaced and does not start, the kept one is put back and started.
    pub(crate) async fn start_or_go_back(&self, node: &Node) -> Result<(), ManagerError> {
        let service = self.known(node).await?;
        let started = self.launch(&service).await;
        fault::point("antctl.start.called");
        let again = self.launch(&service);
        rollback::settle(self.files.as_ref(), &service.program, started, again).await?;
        // Not every firewall keeps its rules over a reboot.
        self.context.open_port(node).await
    }

    /// Starts a service unless it runs.
    pub(crate) async fn launch(&self, service: &Service) -> Result<(), ManagerError> {
        if self.runs(service).await? {
            return Ok(());
        }
        if !service.data_dir.is_dir() {
            return Err(ManagerError::NotFound(
                service.data_dir.display().to_string(),
            ));
        }
        if !self.units.is_there(&service.name) {
            self.rebuild(service).await?;
        }
        self.units.forgive(&service.name).await;
        let began = SystemTime::now();
        let call = Call::quiet("start").args(INTERVAL).within(START);
        let called = self
            .caller
            .act(call.args(["--service-name", &service.name]))
            .await;
        // antctl fails when the node does not answer in time, and succeeds with one that ends a moment later.
        let runs = self.runs(service).await?;
        match called {
            _ if runs => Ok(()),
            Err(error) if error.leaves_it_open() => Err(error),
            called => {
                let mut words = match called {
                    Err(ManagerError::Rejected { words, .. }) => words,
                    Err(error) => error.to_string(),
                    Ok(_) => "antctl started it and no process is left".to_owned(),
                };
                if let Some(reason) = last_words(service, began) {
                    words = format!("{words}; it says: {reason}");
                }
                Err(ManagerError::Rejected {
                    what: format!("starting {}", service.name),
                    words,
                })
            }
        }
    }

    /// Stops the node.
    pub(crate) async fn end(&self, node: &Node) -> Result<(), ManagerError> {
        match self.service(node).await? {
            Some(service) => self.end_service(&service).await,
            None => self.check_nothing_runs(node).await,
        }
    }

    /// Stops a service, one that antctl takes for running included: its mistake would be in the way later.
    pub(crate) async fn end_service(&self, service: &Service) -> Result<(), ManagerError> {
        let call = Call::quiet("stop").within(STOP);
        let called = self
            .caller
            .act(call.args(["--service-name", &service.name]))
            .await;
        fault::point("antctl.stop.called");
        if !self.runs(service).await? {
            return Ok(());
        }
        called?;
        Err(ManagerError::Rejected {
            what: format!("stopping {}", service.name),
            words: "antctl stopped it and it still runs".to_owned(),
        })
    }

    /// A node that antctl does not know cannot be stopped through it.
    pub(crate) async fn check_nothing_runs(&self, node: &Node) -> Result<(), ManagerError> {
        match self.processes.find(Trace::of(node)).await? {
            None => Ok(()),
            Some(pid) => Err(ManagerError::Rejected {
                what: format!("stopping {}", node.service),
                words: format!("antctl does not know it, and its process {pid} runs; end that"),
            }),
        }
    }

    /// Whether a service has a process. Not to know is an error: nothing may follow from it.
    pub(crate) async fn runs(&self, service: &Service) -> Result<bool, ManagerError> {
        match self.processes.state(service).await? {
            ProcessState::Running { .. } => Ok(true),
            ProcessState::Stopped | ProcessState::Missing => Ok(false),
            ProcessState::Unknown(reason) => Err(ManagerError::Unreachable {
                supervisor: "the process table".to_owned(),
                reason,
            }),
        }
    }

    /// The service of a node that must have one.
    pub(crate) async fn known(&self, node: &Node) -> Result<Service, ManagerError> {
        self.service(node).await?.ok_or_else(|| {
            ManagerError::NotFound(format!(
                "a service of antctl for {}",
                node.root_dir.display()
            ))
        })
    }
}

/// Why a node ended, if it said so since it was started: a line `[time] reason` among its logs.
fn last_words(service: &Service, since: SystemTime) -> Option<String> {
    let path = service.log_dir.as_deref()?.join("critical_failure.log");
    let file = std::fs::metadata(&path).ok()?;
    if !file.is_file() || file.len() > LONGEST_REASON || file.modified().ok()? < since {
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
