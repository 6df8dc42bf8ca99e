use thiserror::Error;

use super::{Port, PortBase, PortUse};
use crate::id::ContainerId;
use crate::id::NodeId;

/// Why a port or a range of ports was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PortError {
    /// The text is no whole number.
    #[error("'{0}' is not a port: give thousands (55) or a full port (55000)")]
    NotANumber(String),
    /// The number is no port.
    #[error("{0} is not a port (1 to 65535)")]
    NotAPort(i64),
    /// The range would begin outside of what ports there are.
    #[error("'{0}' begins no port range: give 1 to 65 (thousands) or a port from 1000 to 65535")]
    BaseOutOfRange(i64),
    /// A node of this number has no port left in the range.
    #[error("node {id} would need port {}, past 65535, in the range that starts at {base}", u64::from(base.thousands()) * 1000 + u64::from(id.get()))]
    PastTheEnd {
        /// Where the range starts.
        base: PortBase,
        /// The node without a port.
        id: NodeId,
    },
    /// A container cannot have its block of ports.
    #[error("container {container} would need {what} ports {}-{}, {fault}", range.0, range.1)]
    NoBlock {
        /// The container.
        container: ContainerId,
        /// What the ports are for.
        what: PortUse,
        /// First and last of them.
        range: (u64, u64),
        /// What is wrong with them.
        fault: BlockFault,
    },
    /// Two ranges share ports.
    #[error("{what} ports {}-{} overlap {other} ports {}-{}", range.0, range.1, other_range.0, other_range.1)]
    Overlap {
        /// What the first range is for.
        what: PortUse,
        /// First and last port of it.
        range: (u16, u16),
        /// What the second range is for.
        other: PortUse,
        /// First and last port of it.
        other_range: (u16, u16),
    },
}

/// What is wrong with the block of ports of a container.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlockFault {
    /// There are not so many ports.
    #[error("past 65535")]
    PastTheEnd,
    /// This container or one before it has some of them for something else.
    #[error("which overlap {other} ports {}-{}", range.0, range.1)]
    Overlap {
        /// What for.
        other: PortUse,
        /// First and last of those, from the first container to this one.
        range: (Port, Port),
    },
    /// Something that is not of the colony has one of them.
    #[error("of which {0} is taken by another program; end that, or choose other ports at --init")]
    Taken(Port),
}
