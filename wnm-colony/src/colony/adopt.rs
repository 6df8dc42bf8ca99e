//! Taking over nodes that exist on the machine. Nothing is done to them: they are looked at and recorded.

use std::path::Path;
use std::time::UNIX_EPOCH;

use super::{Colony, ColonyError, Environment, open};
use crate::observe::NodeObserver;
use crate::store::Changes;
use crate::takeover::{Adoption, assign_ids};
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::id::NodeId;
use wnm_core::machine::Machine;
use wnm_core::manager::{FoundNode, ProcessManager};
use wnm_core::node::lifecycle;
use wnm_core::node::{LifecycleState, Node, NodeMeasurements};
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeProgram;
use wnm_core::quantity::UnixTime;

impl Colony {
    /// Every node that the supervisor of these settings knows, before there is a colony.
    pub async fn scout(
        machine: &Machine,
        environment: &Environment,
    ) -> Result<Vec<FoundNode>, ColonyError> {
        let manager = open::build_manager(environment, machine)?.manager;
        discover(machine, manager.as_ref()).await
    }

    /// What a new colony of these settings would adopt of what was found. Refused where the node storage has none
    /// of the directories that nodes have there: the wrong disk, or none, is mounted, and all nodes would be
    /// taken for dead.
    pub async fn sight_for(
        machine: &Machine,
        environment: &Environment,
        found: Vec<FoundNode>,
        sure: bool,
    ) -> Result<Adoption, ColonyError> {
        let storage = &machine.node_storage;
        let below = found
            .iter()
            .filter(|node| node.root_dir.starts_with(storage));
        let nodes = below.clone().count();
        if nodes > 0 && !sure && !below.clone().any(|node| node.root_dir.is_dir()) {
            return Err(ColonyError::NoneInStorage {
                storage: storage.clone(),
                nodes,
            });
        }
        let manager = open::build_manager(environment, machine)?.manager;
        adoption(machine, environment, manager.as_ref(), &[], found).await
    }

    /// Finds nodes that the manager knows and the database does not. Nothing is written.
    pub async fn find_nodes(&self) -> Result<Adoption, ColonyError> {
        let found = discover(&self.machine, self.manager.as_ref()).await?;
        let known = self.store.nodes().await?;
        let manager = self.manager.as_ref();
        adoption(&self.machine, &self.environment, manager, &known, found).await
    }

    /// Records found nodes. None of them is touched.
    pub async fn adopt(&mut self, adoption: &Adoption) -> Result<(), ColonyError> {
        let changes = Changes {
            highest_id: highest_adopted(self.manager.as_ref(), adoption),
            nodes: adoption.nodes.clone(),
            events: events(adoption, self.environment.clock.now()),
            ..Changes::default()
        };
        Ok(self.store.record(&changes).await?)
    }
}

/// The journal's lines of an adoption.
pub(super) fn events(adoption: &Adoption, at: UnixTime) -> Vec<Event> {
    let event = |outcome, reason: String| Event::new(at, EventKind::Adopted, outcome, reason);
    let adopted = adoption.nodes.iter().map(|node| {
        let found = format!("found at {}", node.root_dir.display());
        event(Outcome::Done, found).about(node.id)
    });
    let left = adoption.left_alone.iter();
    let left = left.map(|left| event(Outcome::Failed, left.to_string()));
    adopted.chain(left).collect()
}

/// The highest number that counts as given: where none is given twice, numbers go on above those of adopted nodes.
pub(super) fn highest_adopted(manager: &dyn ProcessManager, adoption: &Adoption) -> Option<NodeId> {
    match manager.policy().ids {
        IdPolicy::FillHoles | IdPolicy::Blocks { .. } => None,
        IdPolicy::GrowOnly => adoption.nodes.iter().map(|node| node.id).max(),
    }
}

async fn discover(
    machine: &Machine,
    manager: &dyn ProcessManager,
) -> Result<Vec<FoundNode>, ColonyError> {
    let kind = machine.manager.clone();
    let found = manager.discover().await;
    found.map_err(|source| ColonyError::Manager { kind, source })
}

/// Gives numbers to what was found and looks at each of it, so that what is recorded says how it stands.
async fn adoption(
    machine: &Machine,
    environment: &Environment,
    manager: &dyn ProcessManager,
    known: &[Node],
    found: Vec<FoundNode>,
) -> Result<Adoption, ColonyError> {
    let now = environment.clock.now();
    let program = environment.program.as_ref();
    let (numbered, left_alone) = assign_ids(found, known, &machine.ports);
    let mut nodes: Vec<Node> = numbered
        .into_iter()
        .map(|(id, found)| adopted(id, found, machine, program, now))
        .collect();
    let observer = NodeObserver {
        manager,
        program,
        probe: environment.nodes.as_ref(),
        storage: &machine.node_storage,
        survey_delay: machine.pacing.survey,
        now,
    };
    let looked = observer.observe(&mut nodes).await;
    looked.map_err(|source| ColonyError::Manager {
        kind: machine.manager.clone(),
        source,
    })?;
    for node in &mut nodes {
        lifecycle::settle_adopted(node, now);
    }
    Ok(Adoption { nodes, left_alone })
}

fn adopted(
    id: NodeId,
    found: FoundNode,
    machine: &Machine,
    program: &dyn NodeProgram,
    now: UnixTime,
) -> Node {
    let lifecycle = LifecycleState::adopted(&found.state, now);
    Node {
        id,
        manager: machine.manager.clone(),
        service: found.service,
        user: found.user,
        binary: found.binary,
        version: None,
        first_launch: first_launch(program, &found.root_dir).unwrap_or(now),
        root_dir: found.root_dir,
        log_dir: found.log_dir,
        ports: found.ports,
        host: machine.host.clone(),
        network: found
            .network
            .unwrap_or_else(|| program.network().to_owned()),
        wallet: found.wallet,
        peer_id: None,
        container: None,
        environment: None,
        lifecycle,
        measured: NodeMeasurements::default(),
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
