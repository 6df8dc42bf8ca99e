//! Observes the containers, and creates and starts them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use wnm_core::container::{Container, ContainerNetwork, ContainerObservation};
use wnm_core::firewall::Opening;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::{ContainerReport, Containers, ManagerError, ObservedContainers};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::ports::PortRange;

use crate::containers::{ContainerState, FoundContainer};
use crate::scripts::Script;
use crate::{Block, S6Overlay, port_check};

/// How many containers to create or start at once. Publishing ports loads the engine.
const CONCURRENCY: usize = 8;

#[async_trait]
impl Containers for S6Overlay {
    async fn observe(&self, nodes: &[Node]) -> Result<ObservedContainers, ManagerError> {
        let containers = self.containers().await?;
        let mut lost = self.lost_nodes(nodes, &containers).await?;
        let observe = |found: &FoundContainer| ContainerObservation {
            lost: lost.remove(&found.id).unwrap_or_default(),
            ..found.observation()
        };
        Ok(ObservedContainers {
            containers: containers.values().map(observe).collect(),
            records: self.records(&containers),
        })
    }

    async fn ensure(
        &self,
        ids: &[ContainerId],
        nodes: &[Node],
    ) -> Result<ContainerReport, ManagerError> {
        let containers = self.containers().await?;
        let kept = nodes.iter().filter(|node| node.is_kept());
        let occupied: BTreeSet<ContainerId> = kept.map(|node| self.container_of(node)).collect();
        let mut report = ContainerReport::default();
        let mut starts = stream::iter(ids.to_vec())
            .map(|id| {
                let state = containers.get(&id).map(|found| found.state);
                let is_occupied = occupied.contains(&id);
                async move { (id, self.ensure_container(id, state, is_occupied).await) }
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((id, outcome)) = starts.next().await {
            report.outcomes.insert(id, outcome);
        }
        drop(starts);
        report.records = self.records(&self.containers().await?);
        Ok(report)
    }
}

impl S6Overlay {
    fn records(&self, containers: &BTreeMap<ContainerId, FoundContainer>) -> Vec<Container> {
        let bases = &self.context.machine.ports;
        let record = |found: &FoundContainer| {
            found.record(Block::of(found.id, self.nodes_per_container), bases)
        };
        containers.values().map(record).collect()
    }

    /// Those of `nodes` that have no service in a running container: the start of a container wipes its services.
    /// A node that has a service and does not run ended by itself, so it is not lost.
    async fn lost_nodes(
        &self,
        nodes: &[Node],
        containers: &BTreeMap<ContainerId, FoundContainer>,
    ) -> Result<BTreeMap<ContainerId, Vec<NodeId>>, ManagerError> {
        let runs = |id| {
            containers
                .get(&id)
                .is_some_and(|found| found.state == ContainerState::Running)
        };
        let may_be_lost = |node: &&Node| runs(self.container_of(node)) && node.root_dir.is_dir();
        let candidates: Vec<Node> = nodes.iter().filter(may_be_lost).cloned().collect();
        let mut lost: BTreeMap<ContainerId, Vec<NodeId>> = BTreeMap::new();
        if candidates.is_empty() {
            return Ok(lost);
        }
        // A container may have started just now. This waits for its s6.
        let states = self.states_when_up(&candidates).await?;
        for node in candidates {
            if states.get(&node.id) == Some(&ProcessState::Missing) {
                let nodes = lost.entry(self.container_of(&node)).or_default();
                nodes.push(node.id);
            }
        }
        Ok(lost)
    }

    async fn ensure_container(
        &self,
        id: ContainerId,
        state: Option<ContainerState>,
        is_occupied: bool,
    ) -> Result<(), ManagerError> {
        let network = self.settings.network;
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
}
