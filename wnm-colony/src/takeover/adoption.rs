//! Decides which discovered nodes the colony adopts, and under which numbers. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use wnm_core::id::NodeId;
use wnm_core::manager::FoundNode;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::ports::{Port, PortBases};

/// The result of an adoption, or of a dry run of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Adoption {
    /// The adopted nodes, as recorded.
    pub nodes: Vec<Node>,
    /// The discovered nodes that are not adopted.
    pub left_alone: Vec<LeftAlone>,
}

/// A discovered node that is not adopted because another node has the same port or directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// The supervisor's name for it.
    pub service: String,
    /// What both nodes claim.
    pub claims: Claim,
    /// The service of the other node.
    pub like: String,
    /// Whether the other node runs. A running node takes precedence.
    pub other_runs: bool,
}

/// A thing that two nodes cannot both have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// A node port.
    Port(Port),
    /// A data directory.
    Directory(PathBuf),
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, like, .. } = self;
        match &self.claims {
            Claim::Port(port) => write!(f, "{service} has the same port {port} as {like}")?,
            Claim::Directory(dir) => {
                write!(
                    f,
                    "{service} has the same directory {} as {like}",
                    dir.display()
                )?;
            }
        }
        f.write_str(if self.other_runs { ", which runs" } else { "" })
    }
}

/// Assigns a number to every discovered node that can be adopted. Returns the nodes by number, and
/// the nodes that conflict with others.
///
/// Skips nodes that the colony already has. If two nodes claim the same port or directory, the
/// running one wins, or else the one with the lower number.
///
/// The number comes from the node's name, or else from its port, or else it is the lowest free one.
/// Removes a metrics port that another node has too, because responses there prove nothing about
/// the node.
pub fn assign_ids(
    mut found: Vec<FoundNode>,
    known: &[Node],
    bases: &PortBases,
) -> (Vec<(NodeId, FoundNode)>, Vec<LeftAlone>) {
    found.retain(|node| known.iter().all(|known| known.root_dir != node.root_dir));
    found.sort_by_key(|node| {
        (
            !runs(node),
            node.id.is_none(),
            node.id,
            node.service.clone(),
        )
    });
    let mut left_alone = Vec::new();
    let mut kept: Vec<FoundNode> = Vec::with_capacity(found.len());
    for mut node in found {
        match conflict(&node, &kept, known) {
            Some(conflict) => left_alone.push(conflict),
            None => {
                let metrics = node.ports.metrics;
                let taken = kept.iter().map(|other| other.ports.metrics);
                let mut taken = taken.chain(known.iter().map(|other| other.ports.metrics));
                if metrics.is_some() && taken.any(|other| other == metrics) {
                    tracing::warn!(
                        service = node.service,
                        "another node has the same metrics port"
                    );
                    node.ports.metrics = None;
                }
                kept.push(node);
            }
        }
    }
    left_alone.sort_by(|a, b| a.service.cmp(&b.service));
    (numbered(kept, known, bases), left_alone)
}

fn runs(node: &FoundNode) -> bool {
    matches!(node.state, ProcessState::Running { .. })
}

fn conflict(node: &FoundNode, kept: &[FoundNode], known: &[Node]) -> Option<LeftAlone> {
    let left = |claims, like: &str, other_runs| LeftAlone {
        service: node.service.clone(),
        claims,
        like: like.to_owned(),
        other_runs,
    };
    for other in kept {
        let runs = runs(other);
        if other.root_dir == node.root_dir {
            let dir = Claim::Directory(node.root_dir.clone());
            return Some(left(dir, &other.service, runs));
        }
        if other.ports.node == node.ports.node {
            return Some(left(Claim::Port(node.ports.node), &other.service, runs));
        }
    }
    let recorded = known
        .iter()
        .find(|other| other.ports.node == node.ports.node)?;
    let runs = recorded.observed().state == wnm_core::node::ObservedState::Running;
    Some(left(Claim::Port(node.ports.node), &recorded.service, runs))
}

fn numbered(kept: Vec<FoundNode>, known: &[Node], bases: &PortBases) -> Vec<(NodeId, FoundNode)> {
    let mut taken: BTreeSet<NodeId> = known.iter().map(|node| node.id).collect();
    let mut nodes = Vec::with_capacity(kept.len());
    let mut without = Vec::new();
    for node in kept {
        match node.id.filter(|id| taken.insert(*id)) {
            Some(id) => nodes.push((id, node)),
            None => without.push(node),
        }
    }
    for node in without {
        let by_port = number_of(node.ports.node, bases).filter(|id| !taken.contains(id));
        let id = by_port.or_else(|| {
            IdPolicy::FillHoles
                .next(&taken, &BTreeSet::new(), None, 1)
                .first()
                .copied()
        });
        if let Some(id) = id {
            taken.insert(id);
            nodes.push((id, node));
        }
    }
    nodes.sort_by_key(|(id, _)| *id);
    nodes
}

/// The node number that corresponds to this node port.
fn number_of(port: Port, bases: &PortBases) -> Option<NodeId> {
    let start = u32::from(bases.node.thousands()) * 1000;
    NodeId::new(u32::from(port.get()).checked_sub(start)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::testing::found;

    fn sorted(nodes: Vec<FoundNode>, known: &[Node]) -> (Vec<u32>, Vec<String>) {
        let (kept, left) = assign_ids(nodes, known, &PortBases::default());
        let left = left.iter().map(ToString::to_string).collect();
        (kept.iter().map(|(id, _)| id.get()).collect(), left)
    }

    #[test]
    fn numbers_come_from_names_then_ports_then_gaps() {
        let mut mine = found(9, 55_007);
        mine.id = None;
        mine.service = "antnode-mine.service".to_owned();
        let mut odd = found(9, 40_777);
        odd.id = None;
        odd.service = "antnode-odd.service".to_owned();
        odd.root_dir = "/elsewhere".into();
        let (ids, left) = sorted(vec![odd, mine, found(1, 55_001), found(3, 55_003)], &[]);
        assert_eq!((ids, left.len()), (vec![1, 2, 3, 7], 0));
    }

    #[test]
    fn the_running_one_of_two_nodes_with_one_port_is_adopted() {
        let mut stopped = found(1, 55_002);
        stopped.state = ProcessState::Stopped;
        let (ids, left) = sorted(vec![stopped.clone(), found(2, 55_002)], &[]);
        assert_eq!(ids, [2]);
        insta::assert_snapshot!(left.join("\n"), @"antnode0001.service has the same port 55002 as antnode0002.service, which runs");
        let mut twin = found(2, 55_002);
        twin.state = ProcessState::Stopped;
        let (ids, left) = sorted(vec![twin, stopped], &[]);
        assert_eq!(ids, [1]);
        insta::assert_snapshot!(left.join("\n"), @"antnode0002.service has the same port 55002 as antnode0001.service");
    }

    #[test]
    fn two_units_with_one_directory_are_one_node() {
        let mut copy = found(2, 55_002);
        copy.root_dir = found(1, 55_001).root_dir;
        let (ids, left) = sorted(vec![found(1, 55_001), copy], &[]);
        assert_eq!(ids, [1]);
        insta::assert_snapshot!(left.join("\n"), @"antnode0002.service has the same directory /n/antnode0001 as antnode0001.service, which runs");
    }

    #[test]
    fn a_known_node_is_skipped_and_keeps_its_port() {
        let known = wnm_core::testing::node(1);
        let mut same = found(1, 55_001);
        same.root_dir.clone_from(&known.root_dir);
        let other = found(2, known.ports.node.get());
        let (ids, left) = sorted(vec![same, other, found(3, 55_003)], &[known]);
        assert_eq!((ids, left.len()), (vec![3], 1));
    }

    #[test]
    fn a_shared_metrics_port_is_removed() {
        let mut second = found(2, 55_002);
        second.ports.metrics = found(1, 55_001).ports.metrics;
        let bases = PortBases::default();
        let (kept, _) = assign_ids(vec![found(1, 55_001), second], &[], &bases);
        assert!(kept[0].1.ports.metrics.is_some());
        assert_eq!(kept[1].1.ports.metrics, None);
    }

    proptest::proptest! {
        /// No number, port or directory is assigned twice, and every node is adopted or left alone.
        #[test]
        fn nothing_is_assigned_twice_and_no_node_is_lost(
            nodes in proptest::collection::vec((0u32..6, 1u16..6, 0u32..8, proptest::bool::ANY), 0..12),
        ) {
            let made: Vec<FoundNode> = nodes
                .iter()
                .enumerate()
                .map(|(index, &(id, port, dir, runs))| {
                    let mut node = found(id, 55_000 + port);
                    node.service = format!("antnode-{index}.service");
                    node.root_dir = format!("/n/{dir}").into();
                    if !runs {
                        node.state = ProcessState::Stopped;
                    }
                    node
                })
                .collect();
            let (kept, left) = assign_ids(made.clone(), &[], &PortBases::default());
            let distinct = |count: usize| assert_eq!(count, kept.len());
            distinct(kept.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>().len());
            distinct(kept.iter().map(|(_, node)| node.ports.node.get()).collect::<BTreeSet<_>>().len());
            distinct(kept.iter().map(|(_, node)| node.root_dir.clone()).collect::<BTreeSet<_>>().len());
            assert_eq!(kept.len() + left.len(), made.len());
            // A running node never loses to a stopped one.
            for left in left.iter().filter(|left| !left.other_runs) {
                let loser = made.iter().find(|node| node.service == left.service).unwrap();
                assert!(!runs(loser));
            }
        }
    }
}
