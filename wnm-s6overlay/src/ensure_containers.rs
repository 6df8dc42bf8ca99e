//! Ensures that the needed containers run, and restarts the nodes that went down with theirs.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};
use wnm_core::container::ContainerNetwork;
use wnm_core::firewall::Opening;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::{Housing, ManagerError};
use wnm_core::node::ProcessState;
use wnm_core::node::{DesiredState, Node, ObservedState};
use wnm_core::ports::PortRange;

use crate::containers::ContainerState;
use crate::scripts::Script;
use crate::{Block, S6Overlay, port_check};

/// How many containers to create or start at once. Publishing ports loads the engine.
const CONCURRENCY: usize = 8;

impl S6Overlay {
    pub(crate) async fn ensure_containers(
        &self,
        nodes: &[Node],
        adding: &[NodeId],
    ) -> Result<Housing, ManagerError> {
        let mut containers = self.containers().await?;
        let mut report = Housing::default();
        let kept = nodes.iter().filter(|node| node.is_kept());
        let occupied: BTreeSet<ContainerId> = kept.map(|node| self.container_of(node)).collect();
        let needed = self.needed_containers(&occupied, adding);
        let not_running: Vec<(ContainerId, Option<ContainerState>)> = needed
            .iter()
            .map(|id| (*id, containers.get(id).map(|found| found.state)))
            .filter(|(_, state)| *state != Some(ContainerState::Running))
            .collect();
        let mut starts = stream::iter(not_running)
            .map(|(id, state)| {
                let is_occupied = occupied.contains(&id);
                async move { (id, self.ensure_container(id, state, is_occupied).await) }
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((id, outcome)) = starts.next().await {
            match outcome {
                Ok(()) => report.opened.push(id),
                Err(error) => {
                    report.closed.insert(id, error);
                }
            }
        }
        drop(starts);
        if !report.opened.is_empty() {
            report.opened.sort();
            containers = self.containers().await?;
        }
        report.returned = self.restart_lost_nodes(nodes, &report).await?;
        let bases = &self.context.machine.ports;
        report.containers = containers
            .values()
            .map(|found| found.record(Block::of(found.id, self.nodes_per_container), bases))
            .collect();
        Ok(report)
    }

    /// The containers that must run: the minimum number, and those of existing and new nodes.
    fn needed_containers(
        &self,
        occupied: &BTreeSet<ContainerId>,
        adding: &[NodeId],
    ) -> BTreeSet<ContainerId> {
        let minimum = (1..=self.context.machine.containers.min_count).map(ContainerId);
        let new = adding
            .iter()
            .map(|id| Block::container_of(*id, self.nodes_per_container));
        minimum.chain(occupied.iter().copied()).chain(new).collect()
    }

    async fn ensure_container(
        &self,
        id: ContainerId,
        state: Option<ContainerState>,
        is_occupied: bool,
    ) -> Result<(), ManagerError> {
        let network = self.context.machine.containers.network;
        match state {
            None => {
                // In the host network, a port in use affects only one node. Recreate an occupied container anyway,
                // so that its other nodes need not wait for that port.
                if !is_occupied || network == ContainerNetwork::Published {
                    let bases = self.context.machine.ports;
                    port_check::check_free(self.block(id)?, bases, network).await?;
                }
                self.create_container(id).await?;
            }
            Some(ContainerState::Exited) => self.engine.start(&id.to_string()).await?,
            Some(ContainerState::Running) => return Ok(()),
            Some(ContainerState::Other(description)) => {
                return Err(ManagerError::Rejected {
                    what: format!("container {id}"),
                    words: description.to_owned(),
                });
            }
        }
        // Find out once here whether nodes can run in it, instead of with each node.
        self.run_script(id, Script::Ready, Vec::new()).await?;
        // The engine itself opens the firewall for published ports.
        if network == ContainerNetwork::Host {
            let opening = self.port_opening(id)?;
            let opened = self.context.firewall.open(&opening).await;
            opened.map_err(|error| {
                ManagerError::firewall(format!("opening ports of container {id}"), error)
            })?;
        }
        Ok(())
    }

    /// The ports of a container that the network must reach, as one firewall rule.
    pub(crate) fn port_opening(&self, id: ContainerId) -> Result<Opening, ManagerError> {
        let (first, last) = self.block_ports(id)?.node;
        let node = self.block(id)?.first;
        let opening = PortRange::new(first, last).map(|ports| Opening::row(node, ports));
        Ok(opening.unwrap_or_else(|| Opening::new(node, first)))
    }

    /// Starts the nodes that should run but have no service, with one call per container: the start of a container
    /// wipes its services. A node that has a service and does not run ended by itself, so this leaves it alone.
    async fn restart_lost_nodes(
        &self,
        nodes: &[Node],
        report: &Housing,
    ) -> Result<Vec<(NodeId, Result<(), ManagerError>)>, ManagerError> {
        let may_be_lost = |node: &&Node| {
            node.desired().state == DesiredState::Running
                && matches!(
                    node.observed().state,
                    // Nodes are unknown while their container starts. The status script below waits for s6.
                    ObservedState::Stopped | ObservedState::Unknown
                )
                && node.transition().is_none_or(|step| step.acted)
                && !report.closed.contains_key(&self.container_of(node))
                && node.root_dir.is_dir()
        };
        let candidates: Vec<Node> = nodes.iter().filter(may_be_lost).cloned().collect();
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.states_when_up(&candidates).await?;
        let lost: Vec<Node> = candidates
            .into_iter()
            .filter(|node| states.get(&node.id) == Some(&ProcessState::Missing))
            .collect();
        let outcomes = self.start_nodes(&lost).await;
        Ok(lost.iter().map(|node| node.id).zip(outcomes).collect())
    }
}
