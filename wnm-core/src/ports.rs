//! Port arithmetic: node N listens on `base × 1000 + N`, and nothing may pass 65535 or meet another range.

mod fault;
mod range;

use std::fmt;
use std::num::NonZeroU16;

pub use fault::{BlockFault, PortError};
pub use range::PortRange;
use serde::{Deserialize, Serialize};

use crate::id::NodeId;

/// A TCP or UDP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Port(NonZeroU16);

impl Port {
    /// A port, or `None` for 0, which means "any" to the kernel and so names none.
    pub fn new(number: u16) -> Option<Self> {
        NonZeroU16::new(number).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The next higher port, if there is one.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl TryFrom<i64> for Port {
    type Error = PortError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u16::try_from(number)
            .ok()
            .and_then(Port::new)
            .ok_or(PortError::NotAPort(number))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a range of ports is for. The three ranges of a machine must not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortUse {
    /// Where the node talks to the network (UDP).
    Node,
    /// Where it answers a survey (TCP, loopback).
    Metrics,
    /// Where antctl controls it (TCP, loopback).
    Rpc,
}

impl PortUse {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Node, Self::Metrics, Self::Rpc];
}

impl fmt::Display for PortUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PortUse::Node => "node",
            PortUse::Metrics => "metrics",
            PortUse::Rpc => "rpc",
        })
    }
}

/// Start of a range in thousands: `55` means 55000, so that node 1 has port 55001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortBase(u8);

impl PortBase {
    /// The highest base of which at least one node still has a port.
    pub const MAX: u8 = 65;

    /// Takes thousands (`55`) or a full port (`55000`, `55001`), as the option allows both.
    pub fn parse(text: &str) -> Result<Self, PortError> {
        let number: i64 = text
            .trim()
            .parse()
            .map_err(|_| PortError::NotANumber(text.trim().to_owned()))?;
        Self::from_number(number)
    }

    /// The same from a number.
    pub fn from_number(number: i64) -> Result<Self, PortError> {
        let thousands = match number {
            1000..=65535 => number / 1000,
            small => small,
        };
        match u8::try_from(thousands) {
            Ok(base @ 1..=Self::MAX) => Ok(Self(base)),
            _ => Err(PortError::BaseOutOfRange(number)),
        }
    }

    /// The thousands, as the database stores them.
    pub const fn thousands(self) -> u8 {
        self.0
    }

    /// The port of one node in this range.
    pub fn port(self, id: NodeId) -> Result<Port, PortError> {
        let number = u64::from(self.0) * 1000 + u64::from(id.get());
        u16::try_from(number)
            .ok()
            .and_then(Port::new)
            .ok_or(PortError::PastTheEnd { base: self, id })
    }
}

impl fmt::Display for PortBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}000", self.0)
    }
}

/// Where the three ranges of a machine begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortBases {
    /// Node ports; 55 by default.
    pub node: PortBase,
    /// Metrics ports; 13 by default.
    pub metrics: PortBase,
    /// RPC ports; 30 by default.
    pub rpc: PortBase,
}

impl Default for PortBases {
    fn default() -> Self {
        Self {
            node: PortBase(55),
            metrics: PortBase(13),
            rpc: PortBase(30),
        }
    }
}

/// The three ports of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePorts {
    /// Where it talks to the network.
    pub node: Port,
    /// Where it answers a survey; adopted nodes may have none.
    pub metrics: Option<Port>,
    /// Where antctl controls it; most nodes do not open it.
    pub rpc: Option<Port>,
}

impl PortBases {
    /// Where one of the ranges begins.
    pub const fn base(&self, what: PortUse) -> PortBase {
        match what {
            PortUse::Node => self.node,
            PortUse::Metrics => self.metrics,
            PortUse::Rpc => self.rpc,
        }
    }

    /// The ports of node `id`.
    pub fn of(&self, id: NodeId) -> Result<NodePorts, PortError> {
        Ok(NodePorts {
            node: self.node.port(id)?,
            metrics: Some(self.metrics.port(id)?),
            rpc: Some(self.rpc.port(id)?),
        })
    }

    /// Checks that nodes 1 to `highest` fit below 65536 in all three ranges and that no two ranges meet.
    pub fn check(&self, highest: NodeId) -> Result<(), PortError> {
        let ranges = [
            (PortUse::Node, self.node),
            (PortUse::Metrics, self.metrics),
            (PortUse::Rpc, self.rpc),
        ];
        let spans: Vec<(PortUse, u16, u16)> = ranges
            .into_iter()
            .map(|(what, base)| {
                let first = base.port(NodeId::FIRST)?;
                let last = base.port(highest)?;
                Ok((what, first.get(), last.get()))
            })
            .collect::<Result<_, PortError>>()?;
        for (i, &(what, first, last)) in spans.iter().enumerate() {
            for &(other, other_first, other_last) in &spans[i + 1..] {
                if first <= other_last && other_first <= last {
                    return Err(PortError::Overlap {
                        what,
                        range: (first, last),
                        other,
                        other_range: (other_first, other_last),
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> NodeId {
        NodeId::new(n).unwrap()
    }

    #[test]
    fn thousands_and_full_ports_mean_the_same_range() {
        for text in ["55", "55000", "55001", " 55 "] {
            assert_eq!(PortBase::parse(text).unwrap().thousands(), 55, "{text}");
        }
        for text in ["0", "66", "65536", "-1", "999", "abc", ""] {
            assert!(PortBase::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_port_is_65535() {
        let base = PortBase::parse("65").unwrap();
        assert_eq!(base.port(id(535)).unwrap().get(), 65535);
        assert_eq!(
            base.port(id(536)).unwrap_err().to_string(),
            "node 536 would need port 65536, past 65535, in the range that starts at 65000"
        );
    }

    #[test]
    fn ranges_that_meet_are_named() {
        let bases = PortBases {
            metrics: PortBase(54),
            ..PortBases::default()
        };
        assert!(bases.check(id(1000)).is_ok());
        assert_eq!(
            bases.check(id(1001)).unwrap_err().to_string(),
            "node ports 55001-56001 overlap metrics ports 54001-55001"
        );
    }

    #[test]
    fn a_container_of_200_has_the_ports_of_its_block() {
        let bases = PortBases::default();
        let first = bases.of(id(201)).unwrap();
        let last = bases.of(id(400)).unwrap();
        assert_eq!((first.node.get(), last.node.get()), (55201, 55400));
        assert_eq!(
            (first.metrics.unwrap().get(), last.metrics.unwrap().get()),
            (13201, 13400)
        );
    }
}
