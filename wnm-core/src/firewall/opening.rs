use std::fmt;

use crate::id::{NodeId, NodeName};
use crate::node::Node;
use crate::ports::{Port, PortRange};

/// Ports in a row that the network must reach (UDP), for as many nodes in a row: the first port is the first
/// node's, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opening {
    ports: PortRange,
    first: NodeId,
}

impl Opening {
    /// The port of one node.
    pub const fn new(node: NodeId, port: Port) -> Self {
        Self {
            ports: PortRange::single(port),
            first: node,
        }
    }

    /// The port that a node has.
    pub const fn of(node: &Node) -> Self {
        Self::new(node.id, node.ports.node)
    }

    /// Ports of nodes in a row, of which this is the first.
    pub const fn row(first: NodeId, ports: PortRange) -> Self {
        Self { ports, first }
    }

    /// Few openings for many: where nodes in a row have ports in a row they come together in one.
    pub fn runs(openings: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut sorted: Vec<Self> = openings.into_iter().collect();
        sorted.sort_by_key(|opening| (opening.ports, opening.first));
        sorted.dedup();
        let mut runs: Vec<Self> = Vec::new();
        for next in sorted {
            match runs.last_mut() {
                Some(run) if run.leads_to(&next) => {
                    run.ports =
                        PortRange::new(run.ports.first(), next.ports.last()).unwrap_or(run.ports);
                }
                _ => runs.push(next),
            }
        }
        runs
    }

    fn leads_to(&self, next: &Self) -> bool {
        self.ports.last().next() == Some(next.ports.first())
            && self.first_after(self.len()) == Some(next.first)
    }

    /// Reads back what a firewall keeps: the ports, and the text that is its [`Display`](fmt::Display). `None`
    /// for any other text, which somebody else wrote.
    pub fn listed(ports: PortRange, comment: &str) -> Option<Self> {
        let first = comment.split('-').next()?.parse::<NodeName>().ok()?;
        let opening = Self {
            ports,
            first: first.0,
        };
        (opening.to_string() == comment).then_some(opening)
    }

    /// Its ports.
    pub const fn ports(&self) -> PortRange {
        self.ports
    }

    /// What is left of it without these ports.
    pub fn without(&self, ports: PortRange) -> impl Iterator<Item = Self> {
        self.ports.without(ports).filter_map(|part| {
            let before = part.first().get() - self.ports.first().get();
            Some(Self {
                ports: part,
                first: self.first_after(u32::from(before))?,
            })
        })
    }

    fn len(&self) -> u32 {
        u32::from(self.ports.span()) + 1
    }

    /// The node so many after the first.
    fn first_after(&self, count: u32) -> Option<NodeId> {
        self.first.get().checked_add(count).and_then(NodeId::new)
    }
}

/// Its nodes, `antnode0001` or `antnode0001-antnode0030`: the comment of its rule, where the firewall has
/// comments.
impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.directory_name())?;
        match self.first_after(u32::from(self.ports.span())) {
            Some(last) if last != self.first => write!(f, "-{}", last.directory_name()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::NodeId;

    fn ports(first: u16, last: u16) -> PortRange {
        let port = |number| Port::new(number).unwrap();
        PortRange::new(port(first), port(last)).unwrap()
    }

    /// An opening of these ports; the first belongs to this node.
    fn opening(first: u16, last: u16, node: u32) -> Opening {
        let single = |after: u16| {
            let node = NodeId::new(node + u32::from(after)).unwrap();
            Opening::new(node, Port::new(first + after).unwrap())
        };
        Opening::runs((0..=last - first).map(single)).pop().unwrap()
    }

    fn single(node: u32, port: u16) -> Opening {
        opening(port, port, node)
    }

    #[test]
    fn nodes_in_a_row_with_ports_in_a_row_are_one_opening() {
        let told = |openings: Vec<Opening>| -> Vec<String> {
            let runs = Opening::runs(openings).into_iter();
            runs.map(|run| format!("{} {run}", run.ports().text('-')))
                .collect()
        };
        assert_eq!(told(Vec::new()), [""; 0]);
        assert_eq!(told(vec![single(7, 55_007)]), ["55007 antnode0007"]);
        assert_eq!(
            told(vec![
                single(3, 55_003),
                single(1, 55_001),
                single(2, 55_002),
                single(2, 55_002),
                single(5, 55_005),
            ]),
            ["55001-55003 antnode0001-antnode0003", "55005 antnode0005"]
        );
        // An adopted node in between has a port that its number does not give.
        assert_eq!(
            told(vec![
                single(1, 55_001),
                single(9, 55_002),
                single(3, 55_003)
            ]),
            [
                "55001 antnode0001",
                "55002 antnode0009",
                "55003 antnode0003"
            ]
        );
        assert_eq!(
            told(vec![single(1, 65_535), single(2, 1)]),
            ["1 antnode0002", "65535 antnode0001"]
        );
    }

    #[test]
    fn only_our_own_comments_read_back() {
        let listed = |first, last, comment| Opening::listed(ports(first, last), comment);
        assert_eq!(
            listed(55_001, 55_030, "antnode0001-antnode0030"),
            Some(opening(55_001, 55_030, 1))
        );
        assert_eq!(
            listed(55_001, 55_001, "antnode0001"),
            Some(single(1, 55_001))
        );
        for comment in [
            "",
            "1",
            "antnode1",
            "antnode0001 ",
            "antnode0001.service",
            "antnode0001-antnode0002",
            "web",
        ] {
            assert_eq!(listed(55_001, 55_001, comment), None, "{comment}");
        }
        for comment in ["antnode0001", "antnode0001-antnode0029", "antnode0001-x"] {
            assert_eq!(listed(55_001, 55_030, comment), None, "{comment}");
        }
    }

    proptest! {
        #[test]
        fn runs_have_every_port_once_and_cannot_be_joined(
            nodes in proptest::collection::btree_set(1..60_u32, 0..40),
            moved in proptest::collection::btree_set(1..60_u32, 0..4),
        ) {
            let port = |node: u32| u16::try_from(if moved.contains(&node) { 40_000 + node } else { 55_000 + node });
            let singles: Vec<Opening> = nodes.iter().map(|&node| single(node, port(node).unwrap())).collect();
            let runs = Opening::runs(singles.clone());
            for one in &singles {
                prop_assert_eq!(runs.iter().filter(|run| run.ports().covers(one.ports())).count(), 1);
            }
            let length: u32 = runs.iter().map(Opening::len).sum();
            prop_assert_eq!(length as usize, singles.len());
            for pair in runs.windows(2) {
                prop_assert!(!pair[0].leads_to(&pair[1]));
            }
        }

        #[test]
        fn an_opening_reads_back_from_its_comment(first in 1..9000_u32, port in 1..60_000_u16, span in 0..500_u16) {
            let opening = opening(port, port + span, first);
            prop_assert_eq!(Opening::listed(opening.ports(), &opening.to_string()), Some(opening));
        }
    }
}
