//! Runs the fixed scripts in containers. All parameters are arguments; wnm never inserts anything into a script's
//! text.

use std::time::Duration;

use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

use crate::S6Overlay;

/// The functions and variables at the beginning of every script.
const PRELUDE: &str = include_str!("scripts/prelude.sh");

/// Exit code if s6-svscan does not answer: the container is just starting, or it has no s6.
const NO_SCANNER: i64 = 90;

/// Exit code if the user `ant` does not have the owner's uid and gid.
const WRONG_IDS: i64 = 91;

/// A script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Waits until nodes can start.
    Ready,
    /// Writes services and brings them up.
    Start,
    /// Stops services.
    Stop,
    /// Stops services and removes their directories.
    Remove,
    /// Prints which services are up.
    Status,
    /// Waits for s6-svscan, then prints which services are up.
    StatusWhenUp,
    /// Requests the pages of nodes.
    Probe,
    /// Ends the container's command, and with it the container.
    EndContainer,
}

impl Script {
    const fn text(self) -> &'static str {
        match self {
            Script::Ready => include_str!("scripts/ready.sh"),
            Script::Start => include_str!("scripts/start.sh"),
            Script::Stop => include_str!("scripts/stop.sh"),
            Script::Remove => include_str!("scripts/remove.sh"),
            Script::Status => include_str!("scripts/status.sh"),
            Script::StatusWhenUp => include_str!("scripts/status-when-up.sh"),
            Script::Probe => include_str!("scripts/probe.sh"),
            Script::EndContainer => include_str!("scripts/end-container.sh"),
        }
    }

    /// How long to wait for the script: more than it takes on a busy machine. After a timeout, the next cycle checks
    /// the nodes.
    const fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Script::Start => 180,
            Script::Stop | Script::Remove => 120,
            Script::Status => 30,
            Script::StatusWhenUp | Script::Ready => 60,
            Script::Probe => 30,
            Script::EndContainer => 30,
        })
    }

    /// What the script does, for error messages.
    const fn description(self) -> &'static str {
        match self {
            Script::Ready => "waiting for s6",
            Script::Start => "starting nodes",
            Script::Stop => "stopping nodes",
            Script::Remove => "removing nodes",
            Script::Status | Script::StatusWhenUp => "reading the status of nodes",
            Script::Probe => "probing nodes",
            Script::EndContainer => "ending the command",
        }
    }
}

impl S6Overlay {
    /// Runs a script in a container and returns its standard output.
    pub(crate) async fn run_script(
        &self,
        id: ContainerId,
        script: Script,
        args: Vec<String>,
    ) -> Result<Vec<u8>, ManagerError> {
        let text = format!("{PRELUDE}\n{}", script.text());
        let head = [
            "/bin/sh".to_owned(),
            "-c".to_owned(),
            text,
            "wnm".to_owned(),
        ];
        let argv = head.into_iter().chain([self.owner.ids()]).chain(args);
        let result = self
            .engine
            .exec(&id.to_string(), argv.collect(), script.timeout())
            .await?;
        let what = || format!("{} in container {id}", script.description());
        match result.code {
            0 => Ok(result.stdout),
            // The script did nothing, and s6 may answer later. The nodes are unknown, not stopped.
            NO_SCANNER => Err(ManagerError::Unreachable {
                supervisor: format!("s6 in container {id}"),
                reason: "s6-svscan does not answer".to_owned(),
            }),
            WRONG_IDS => Err(ManagerError::Rejected {
                what: what(),
                words: format!(
                    "its user ant is not {}; remove the container, so that wnm creates it again, or build \
                     its image with wnm --dockerfile",
                    self.owner.ids()
                ),
            }),
            code => {
                let stdout = String::from_utf8_lossy(&result.stdout);
                // The engine reports a missing shell on standard output.
                let words = match result.stderr.is_empty() {
                    true => stdout.lines().last().unwrap_or_default().to_owned(),
                    false => result.stderr.lines().last().unwrap_or_default().to_owned(),
                };
                Err(ManagerError::Rejected {
                    what: what(),
                    words: format!("exit code {code}: {words}"),
                })
            }
        }
    }
}

/// The name of a node's service. Rejects any name that wnm would not generate: root deletes the path made from it.
pub(crate) fn service_name(node: &Node) -> Result<String, ManagerError> {
    match layout::id_of(&node.service) {
        Some(id) if id == node.id => Ok(node.service.clone()),
        _ => Err(ManagerError::Rejected {
            what: format!("node {}", node.id),
            words: format!("invalid service name '{}'", node.service),
        }),
    }
}
