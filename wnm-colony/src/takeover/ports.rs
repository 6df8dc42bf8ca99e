//! Infers the bases of port ranges from the ports of nodes.

use std::collections::BTreeMap;

use wnm_core::id::NodeId;
use wnm_core::manager::FoundNode;
use wnm_core::ports::{Port, PortBase};

/// The base that most numbered nodes use, for each port range. `None` if no node fits the formula,
/// or if two bases tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InferredBases {
    /// The base of node ports.
    pub node: Option<PortBase>,
    /// The base of metrics ports.
    pub metrics: Option<PortBase>,
    /// The base of antctl's control ports.
    pub rpc: Option<PortBase>,
}

/// Infers the bases. Ignores nodes without a number in their name.
pub fn infer_port_bases(found: &[FoundNode]) -> InferredBases {
    let of = |port: fn(&FoundNode) -> Option<Port>| {
        let numbered = found
            .iter()
            .filter_map(|node| Some((node.id?, port(node)?)));
        most_common(numbered.filter_map(|(id, port)| base(id, port)))
    };
    InferredBases {
        node: of(|node| Some(node.ports.node)),
        metrics: of(|node| node.ports.metrics),
        rpc: of(|node| node.ports.rpc),
    }
}

/// The base that gives node `id` this port, if there is one.
fn base(id: NodeId, port: Port) -> Option<PortBase> {
    let start = u32::from(port.get()).checked_sub(id.get())?;
    let thousands = start.is_multiple_of(1000).then_some(start / 1000)?;
    PortBase::from_number(thousands.into()).ok()
}

fn most_common(bases: impl Iterator<Item = PortBase>) -> Option<PortBase> {
    let mut counts: BTreeMap<PortBase, usize> = BTreeMap::new();
    for base in bases {
        *counts.entry(base).or_default() += 1;
    }
    let (&winner, &most) = counts.iter().max_by_key(|(_, count)| **count)?;
    let rivals = counts.values().filter(|count| **count == most).count();
    (rivals == 1).then_some(winner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::testing::found;

    fn bases(ports: &[(u32, u16)]) -> Option<u8> {
        let nodes: Vec<FoundNode> = ports.iter().map(|&(id, port)| found(id, port)).collect();
        infer_port_bases(&nodes).node.map(PortBase::thousands)
    }

    #[test]
    fn the_base_of_most_nodes_wins() {
        assert_eq!(bases(&[(1, 55001), (2, 55002)]), Some(55));
        assert_eq!(bases(&[(1, 41001), (2, 41002), (3, 12345)]), Some(41));
        assert_eq!(bases(&[(1, 41001), (2, 42002)]), None, "no majority");
        assert_eq!(bases(&[(1, 40777)]), None, "no formula");
        assert_eq!(bases(&[(1001, 56001)]), Some(55), "past a thousand");
        assert_eq!(bases(&[(7, 7), (50, 20)]), None, "below the first base");
        assert_eq!(bases(&[]), None);
    }
}
