//! Taking over nodes that exist on the machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::{Colony, ColonyError};
use crate::event::{Event, Outcome};
use crate::ids::IdPolicy;
use crate::manager::{FoundNode, ProcessState};
use crate::node::{
    Actor, Desired, DesiredState, Node, NodeId, NodeMeasurements, Observed, ObservedState,
};
use crate::program::NodeProgram;
use crate::quantity::UnixTime;
use crate::store::Changes;

/// What was found and is, or would be, adopted.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    /// The nodes as they are recorded.
    pub nodes: Vec<Node>,
}

impl Colony {
    /// Finds nodes that the manager knows and the database does not. Nothing is written.
    pub async fn find_nodes(&self) -> Result<Adoption, ColonyError> {
        let kind = self.machine.manager;
        let found = self
            .manager
            .discover()
            .await
            .map_err(|source| ColonyError::Manager { kind, source })?;
        let known = self.store.nodes().await?;
        let new: Vec<FoundNode> = found
            .into_iter()
            .filter(|found| known.iter().all(|node| node.root_dir != found.root_dir))
            .collect();
        if let Some(conflict) = port_conflict(&new, &known) {
            return Err(ColonyError::Adoption(conflict));
        }
        let mut taken: BTreeSet<NodeId> = known.iter().map(|node| node.id).collect();
        let named: BTreeSet<NodeId> = new.iter().filter_map(|found| found.id).collect();
        let now = self.outside.clock.now();
        let mut nodes = Vec::with_capacity(new.len());
        for found in new {
            let id = match found.id {
                Some(id) if !taken.contains(&id) => id,
                _ => {
                    let reserved: BTreeSet<NodeId> = taken.union(&named).copied().collect();
                    match IdPolicy::FillHoles.next(&reserved, None, 1).first() {
                        Some(&id) => id,
                        None => continue,
                    }
                }
            };
            taken.insert(id);
            nodes.push(self.adopted(id, found, now));
        }
        nodes.sort_by_key(|node| node.id);
        Ok(Adoption { nodes })
    }

    /// Records found nodes. None of them is touched.
    pub async fn adopt(&mut self, adoption: &Adoption) -> Result<(), ColonyError> {
        let at = self.outside.clock.now();
        let events = adoption
            .nodes
            .iter()
            .map(|node| Event {
                at,
                node: Some(node.id),
                action: "adopt".to_owned(),
                outcome: Outcome::Done,
                reason: format!("found at {}", node.root_dir.display()),
            })
            .collect();
        let changes = Changes {
            nodes: adoption.nodes.clone(),
            events,
            ..Changes::default()
        };
        Ok(self.store.record(&changes).await?)
    }

    fn adopted(&self, id: NodeId, found: FoundNode, now: UnixTime) -> Node {
        let running = matches!(found.state, ProcessState::Running { .. });
        let (desired, observed) = match found.state {
            ProcessState::Running { .. } => (DesiredState::Running, ObservedState::Running),
            ProcessState::Stopped | ProcessState::Missing => {
                (DesiredState::Stopped, ObservedState::Stopped)
            }
            ProcessState::Unknown(_) => (DesiredState::Running, ObservedState::Unknown),
        };
        let program = self.outside.program.as_ref();
        Node {
            id,
            manager: self.machine.manager,
            service: found.service,
            user: found.user,
            binary: found.binary,
            version: None,
            first_launch: first_launch(program, &found.root_dir).unwrap_or(now),
            root_dir: found.root_dir,
            log_dir: found.log_dir,
            ports: found.ports,
            host: self.machine.host.clone(),
            network: found
                .network
                .unwrap_or_else(|| program.network().to_owned()),
            wallet: found.wallet,
            peer_id: None,
            container: None,
            environment: None,
            desired: Desired {
                state: desired,
                by: Actor::Found,
                since: now,
            },
            observed: Observed {
                state: observed,
                at: now,
            },
            transition: None,
            measured: NodeMeasurements::default(),
            status_since: now,
            last_start: running.then_some(now),
            failed_starts: 0,
            load_stops: 0,
        }
    }
}

/// When a node was first launched: the time its identity was written.
fn first_launch(program: &dyn NodeProgram, root: &Path) -> Option<UnixTime> {
    let modified = program
        .identity_file(root)
        .metadata()
        .ok()?
        .modified()
        .ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(UnixTime)
}

fn port_conflict(new: &[FoundNode], known: &[Node]) -> Option<String> {
    let mut claims: Vec<(u16, String)> = known
        .iter()
        .map(|node| (node.ports.node.get(), node.service.clone()))
        .chain(
            new.iter()
                .map(|found| (found.ports.node.get(), found.service.clone())),
        )
        .collect();
    claims.sort();
    claims
        .windows(2)
        .find(|pair| pair[0].0 == pair[1].0)
        .map(|pair| {
            format!(
                "{} and {} both claim port {}",
                pair[0].1, pair[1].1, pair[0].0
            )
        })
}
