use std::num::NonZeroU32;

use crate::id::ContainerId;
use crate::id::NodeId;
use crate::ports::{BlockFault, Port, PortBases, PortError, PortUse};

/// The numbers of the nodes that can be in one container: container k of m nodes has (k−1)m+1 to km, and with
/// them a block of ports of every kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The container.
    pub container: ContainerId,
    /// Its first node.
    pub first: NodeId,
    /// Its last node.
    pub last: NodeId,
}

/// First and last port of each kind that a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockPorts {
    /// Where nodes talk to the network.
    pub node: (Port, Port),
    /// Where they answer a survey.
    pub metrics: (Port, Port),
    /// Where they could be controlled.
    pub rpc: (Port, Port),
}

impl Block {
    /// The block of a container of `size` nodes; none beyond the last number there is.
    pub fn of(container: ContainerId, size: NonZeroU32) -> Option<Self> {
        let last = container.0.checked_mul(size.get())?;
        Some(Self {
            container,
            first: NodeId::new(last.checked_sub(size.get())?.checked_add(1)?)?,
            last: NodeId::new(last)?,
        })
    }

    /// The container that a node of this number belongs into.
    pub fn container_of(node: NodeId, size: NonZeroU32) -> ContainerId {
        ContainerId((node.get() - 1) / size.get() + 1)
    }

    /// Its ports. A block that would pass 65535, or meet ports that are for something else in this container or one
    /// before it, is refused with its range.
    pub fn ports(&self, bases: &PortBases) -> Result<BlockPorts, PortError> {
        let ports = BlockPorts {
            node: self.range(PortUse::Node, bases)?,
            metrics: self.range(PortUse::Metrics, bases)?,
            rpc: self.range(PortUse::Rpc, bases)?,
        };
        // Ranges of one kind never meet.
        for what in PortUse::ALL {
            let (first, last) = ports.of(what);
            for other in PortUse::ALL.into_iter().filter(|other| *other != what) {
                let range = (bases.base(other).port(NodeId::FIRST)?, ports.of(other).1);
                if first <= range.1 && range.0 <= last {
                    return Err(self.refused(what, bases, BlockFault::Overlap { other, range }));
                }
            }
        }
        Ok(ports)
    }

    fn range(&self, what: PortUse, bases: &PortBases) -> Result<(Port, Port), PortError> {
        let base = bases.base(what);
        match (base.port(self.first), base.port(self.last)) {
            (Ok(first), Ok(last)) => Ok((first, last)),
            _ => Err(self.refused(what, bases, BlockFault::PastTheEnd)),
        }
    }

    /// That it cannot have its ports of one kind, for this reason.
    pub fn refused(&self, what: PortUse, bases: &PortBases, fault: BlockFault) -> PortError {
        let number =
            |node: NodeId| u64::from(bases.base(what).thousands()) * 1000 + u64::from(node.get());
        PortError::NoBlock {
            container: self.container,
            what,
            range: (number(self.first), number(self.last)),
            fault,
        }
    }
}

impl BlockPorts {
    /// First and last port of one kind.
    pub const fn of(&self, what: PortUse) -> (Port, Port) {
        match what {
            PortUse::Node => self.node,
            PortUse::Metrics => self.metrics,
            PortUse::Rpc => self.rpc,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u32, size: u32) -> Block {
        Block::of(ContainerId(number), NonZeroU32::new(size).unwrap()).unwrap()
    }

    #[test]
    fn five_containers_of_two_hundred_have_the_ports_of_the_table() {
        let table: Vec<String> = (1..=5)
            .map(|number| {
                let block = block(number, 200);
                let ports = block.ports(&PortBases::default()).unwrap();
                let (metrics, node) = (ports.metrics, ports.node);
                format!(
                    "{},{}-{},{}-{}",
                    block.container, metrics.0, metrics.1, node.0, node.1
                )
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        a1,13001-13200,55001-55200
        a2,13201-13400,55201-55400
        a3,13401-13600,55401-55600
        a4,13601-13800,55601-55800
        a5,13801-14000,55801-56000
        ");
    }

    #[test]
    fn every_node_is_in_the_block_of_its_container() {
        let size = NonZeroU32::new(7).unwrap();
        for number in 1..=100 {
            let id = NodeId::new(number).unwrap();
            let block = Block::of(Block::container_of(id, size), size).unwrap();
            assert!(block.first <= id && id <= block.last, "{number}");
        }
        assert_eq!(Block::of(ContainerId(0), size), None);
        assert_eq!(Block::of(ContainerId(u32::MAX), size), None);
    }

    #[test]
    fn a_block_that_does_not_fit_is_refused_with_its_range() {
        let refused = |number| {
            let ports = block(number, 200).ports(&PortBases::default());
            ports.unwrap_err().to_string()
        };
        assert!(block(52, 200).ports(&PortBases::default()).is_ok());
        assert_eq!(
            refused(53),
            "container a53 would need node ports 65401-65600, past 65535"
        );
        let bases = PortBases {
            metrics: crate::ports::PortBase::parse("54").unwrap(),
            ..PortBases::default()
        };
        let error = block(6, 200).ports(&bases).unwrap_err().to_string();
        assert_eq!(
            error,
            "container a6 would need metrics ports 55001-55200, which overlap node ports 55001-56200"
        );
    }
}
