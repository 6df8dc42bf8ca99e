//! Containers that should be there are, and nodes that went down with theirs run again.

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

use crate::containers::Phase;
use crate::scripts::Script;
use crate::{Block, S6Overlay, claim};

/// Containers that are made or started at once: publishing ports keeps the engine busy.
const AT_ONCE: usize = 8;

impl S6Overlay {
    pub(crate) async fn see_to_containers(
        &self,
        nodes: &[Node],
        adding: &[NodeId],
    ) -> Result<Housing, ManagerError> {
        let mut found = self.containers().await?;
        let mut housing = Housing::default();
        let kept = nodes.iter().filter(|node| node.is_kept());
        let lived_in: BTreeSet<ContainerId> = kept.map(|node| self.container_of(node)).collect();
        let needed = self.needed(&lived_in, adding);
        let missing: Vec<(ContainerId, Option<Phase>)> = needed
            .iter()
            .map(|id| (*id, found.get(id).map(|found| found.state)))
            .filter(|(_, phase)| *phase != Some(Phase::Running))
            .collect();
        let mut opening = stream::iter(missing)
            .map(|(id, phase)| {
                let is_lived_in = lived_in.contains(&id);
                async move { (id, self.open(id, phase, is_lived_in).await) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((id, opened)) = opening.next().await {
            match opened {
                Ok(()) => housing.opened.push(id),
                Err(error) => {
                    housing.closed.insert(id, error);
                }
            }
        }
        drop(opening);
        if !housing.opened.is_empty() {
            housing.opened.sort();
            found = self.containers().await?;
        }
        housing.returned = self.bring_back(nodes, &housing).await?;
        let bases = &self.context.machine.ports;
        housing.containers = found
            .values()
            .map(|found| found.record(Block::of(found.id, self.size), bases))
            .collect();
        Ok(housing)
    }

    /// The containers that should be there: the first ones, and those that nodes are or will be in.
    fn needed(&self, lived_in: &BTreeSet<ContainerId>, adding: &[NodeId]) -> BTreeSet<ContainerId> {
        let first = (1..=self.context.machine.containers.min_count).map(ContainerId);
        let new = adding.iter().map(|id| Block::container_of(*id, self.size));
        first.chain(lived_in.iter().copied()).chain(new).collect()
    }

    async fn open(
        &self,
        id: ContainerId,
        phase: Option<Phase>,
        is_lived_in: bool,
    ) -> Result<(), ManagerError> {
        let network = self.context.machine.containers.network;
        match phase {
            None => {
                // In the machine's network a port that is lost takes one node with it. The others of a container
                // that is made again are not to wait for that.
                if !is_lived_in || network == ContainerNetwork::Published {
                    let bases = self.context.machine.ports;
                    claim::check_free(self.block(id)?, bases, network).await?;
                }
                self.make_container(id).await?;
            }
            Some(Phase::Ended) => self.engine.start(&id.to_string()).await?,
            Some(Phase::Running) => return Ok(()),
            Some(Phase::Other(words)) => {
                return Err(ManagerError::Rejected {
                    what: format!("container {id}"),
                    words: words.to_owned(),
                });
            }
        }
        // Whoever finds here that nodes cannot run in it need not find it with each of them.
        self.run(id, Script::Ready, Vec::new()).await?;
        // What is published the engine lets through by itself.
        if network == ContainerNetwork::Host {
            let opening = self.range(id)?;
            let opened = self.context.firewall.open(&opening).await;
            opened.map_err(|error| {
                ManagerError::firewall(format!("opening ports of container {id}"), error)
            })?;
        }
        Ok(())
    }

    /// The ports of a container that the network must reach, which one rule can let through.
    pub(crate) fn range(&self, id: ContainerId) -> Result<Opening, ManagerError> {
        let (first, last) = self.ports_of(id)?.node;
        let node = self.block(id)?.first;
        let opening = PortRange::new(first, last).map(|ports| Opening::row(node, ports));
        Ok(opening.unwrap_or_else(|| Opening::new(node, first)))
    }

    /// A container's start leaves it without services. Nodes that should run and of which nothing is there any
    /// more are started, all of a container at once. Those that are there and do not run ended by themselves.
    async fn bring_back(
        &self,
        nodes: &[Node],
        housing: &Housing,
    ) -> Result<Vec<(NodeId, Result<(), ManagerError>)>, ManagerError> {
        let lost = |node: &&Node| {
            node.desired.state == DesiredState::Running
                && matches!(
                    node.observed.state,
                    // Unknown is what nodes are while their container starts. Here it is waited for what s6 says.
                    ObservedState::Stopped | ObservedState::Unknown
                )
                && node.transition.is_none_or(|step| step.acted)
                && !housing.closed.contains_key(&self.container_of(node))
                && node.root_dir.is_dir()
        };
        let lost: Vec<Node> = nodes.iter().filter(lost).cloned().collect();
        if lost.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.states_once_up(&lost).await?;
        let gone: Vec<Node> = lost
            .into_iter()
            .filter(|node| states.get(&node.id) == Some(&ProcessState::Missing))
            .collect();
        let outcomes = self.start_or_go_back(&gone).await;
        Ok(gone.iter().map(|node| node.id).zip(outcomes).collect())
    }
}
