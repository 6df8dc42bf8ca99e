//! What is run in a container: fixed scripts, whose arguments say what they work on. Nothing is ever put into the
//! text of one.

use std::time::Duration;

use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

use crate::S6Overlay;

/// What all of them begin with.
const COMMON: &str = include_str!("scripts/common.sh");

/// Exit code for a scanner that does not answer: the container is just starting, or it has no s6.
const NO_SCANNER: i64 = 90;

/// Exit code for a user `ant` that has not the owner's numbers.
const OTHER_NUMBERS: i64 = 91;

/// One of the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Waits until nodes can be started.
    Ready,
    /// Writes services and brings them up.
    Start,
    /// Takes services down.
    Stop,
    /// Takes services down and their directories away.
    Drop,
    /// Says which services are up.
    Look,
    /// The same once the scanner answers.
    LookOnceUp,
    /// Asks nodes for their pages.
    Ask,
    /// Ends the command of the container, and with it the container.
    HangUp,
}

impl Script {
    const fn text(self) -> &'static str {
        match self {
            Script::Ready => include_str!("scripts/ready.sh"),
            Script::Start => include_str!("scripts/start.sh"),
            Script::Stop => include_str!("scripts/stop.sh"),
            Script::Drop => include_str!("scripts/drop.sh"),
            Script::Look => include_str!("scripts/look.sh"),
            Script::LookOnceUp => include_str!("scripts/look-once-up.sh"),
            Script::Ask => include_str!("scripts/ask.sh"),
            Script::HangUp => include_str!("scripts/hang-up.sh"),
        }
    }

    /// How long it is waited for: more than it takes on a busy machine. One that takes longer still is given up, and its
    /// nodes are looked at with the next cycle.
    const fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Script::Start => 180,
            Script::Stop | Script::Drop => 120,
            Script::Look => 30,
            Script::LookOnceUp | Script::Ready => 60,
            Script::Ask => 30,
            Script::HangUp => 30,
        })
    }

    const fn what(self) -> &'static str {
        match self {
            Script::Ready => "waiting for s6",
            Script::Start => "starting nodes",
            Script::Stop => "stopping nodes",
            Script::Drop => "removing nodes",
            Script::Look | Script::LookOnceUp => "asking s6",
            Script::Ask => "asking nodes",
            Script::HangUp => "ending",
        }
    }
}

impl S6Overlay {
    /// Runs a script in a container and gives what it printed.
    pub(crate) async fn run(
        &self,
        id: ContainerId,
        script: Script,
        args: Vec<String>,
    ) -> Result<Vec<u8>, ManagerError> {
        let text = format!("{COMMON}\n{}", script.text());
        let head = [
            "/bin/sh".to_owned(),
            "-c".to_owned(),
            text,
            "wnm".to_owned(),
        ];
        let argv = head.into_iter().chain([self.owner.text()]).chain(args);
        let ended = self
            .engine
            .exec(&id.to_string(), argv.collect(), script.limit())
            .await?;
        let what = || format!("{} in container {id}", script.what());
        match ended.code {
            0 => Ok(ended.output),
            // Nothing was done, and it is open whether it will answer: nobody said that the nodes are stopped.
            NO_SCANNER => Err(ManagerError::Unreachable {
                supervisor: format!("s6 in container {id}"),
                reason: "its scanner does not answer".to_owned(),
            }),
            OTHER_NUMBERS => Err(ManagerError::Rejected {
                what: what(),
                words: format!(
                    "its user ant is not {}; remove the container, which is then made anew, or build its \
                     image with wnm --dockerfile",
                    self.owner.text()
                ),
            }),
            code => {
                let said = String::from_utf8_lossy(&ended.output);
                // The engine itself reports a missing shell as output.
                let words = match ended.complaint.is_empty() {
                    true => said.lines().last().unwrap_or_default().to_owned(),
                    false => ended
                        .complaint
                        .lines()
                        .last()
                        .unwrap_or_default()
                        .to_owned(),
                };
                Err(ManagerError::Rejected {
                    what: what(),
                    words: format!("exit code {code}: {words}"),
                })
            }
        }
    }
}

/// The service of a node, if its name is one that wnm gives: it becomes a path that root deletes.
pub(crate) fn service_of(node: &Node) -> Result<String, ManagerError> {
    match layout::id_of(&node.service) {
        Some(id) if id == node.id => Ok(node.service.clone()),
        _ => Err(ManagerError::Rejected {
            what: format!("node {}", node.id),
            words: format!("'{}' is not the name of its service", node.service),
        }),
    }
}
