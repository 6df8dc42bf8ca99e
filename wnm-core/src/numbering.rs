//! How numbers are given to new nodes.

mod blocks;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::container::Block;
use crate::id::ContainerId;
use crate::id::NodeId;
use crate::ports::{NodePorts, PortBases, PortError};

/// Which numbers a new node may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdPolicy {
    /// The lowest number that is free: removed nodes leave holes, and these are filled first.
    FillHoles,
    /// Only numbers above the highest ever given, for supervisors that never give one twice.
    GrowOnly,
    /// A number in the block of the container that holds the fewest nodes, the lowest one free in there.
    Blocks {
        /// Nodes in a container, and so numbers in a block.
        size: u32,
        /// Containers there are, or should be from the start. Another is begun when these are full.
        open: u32,
    },
}

impl IdPolicy {
    /// The next `count` numbers, fewer only where numbers end.
    ///
    /// `taken` are the numbers in use, `blocked` those that are otherwise not to be had, `highest` the highest
    /// ever given. Blocked numbers are passed over rather than taken: a manager that only counts upwards must
    /// not leap over all that lies below one of them, and a container is no fuller for them.
    pub fn next(
        self,
        taken: &BTreeSet<NodeId>,
        blocked: &BTreeSet<NodeId>,
        highest: Option<NodeId>,
        count: usize,
    ) -> Vec<NodeId> {
        if let IdPolicy::Blocks { size, open } = self {
            return match NonZeroU32::new(size) {
                Some(size) => blocks::next(size, open, taken, blocked, count),
                None => Vec::new(),
            };
        }
        // The highest number has no next one; taking it for its own would go on for ever.
        let after = |id: &NodeId| Some(id.next()).filter(|next| next != id);
        let first = match (self, highest.max(taken.last().copied())) {
            (IdPolicy::GrowOnly, Some(above)) => after(&above),
            _ => Some(NodeId::FIRST),
        };
        std::iter::successors(first, after)
            .filter(|id| !taken.contains(id) && !blocked.contains(id))
            .take(count)
            .collect()
    }

    /// The block that a number is of, where there are containers.
    pub fn block_of(self, id: NodeId) -> Option<Block> {
        let IdPolicy::Blocks { size, .. } = self else {
            return None;
        };
        let size = NonZeroU32::new(size)?;
        Block::of(Block::container_of(id, size), size)
    }

    /// The container that a node of this number belongs into, where there are containers.
    pub fn container_of(self, id: NodeId) -> Option<ContainerId> {
        self.block_of(id).map(|block| block.container)
    }

    /// The same, knowing of containers up to this one.
    #[must_use]
    pub fn with_open(self, last: ContainerId) -> Self {
        match self {
            IdPolicy::Blocks { size, open } => IdPolicy::Blocks {
                size,
                open: open.max(last.0),
            },
            other => other,
        }
    }

    /// The ports of a new node of this number. Where there are containers, the whole block has to have room.
    pub fn ports_of(self, id: NodeId, bases: &PortBases) -> Result<NodePorts, PortError> {
        if let Some(block) = self.block_of(id) {
            block.ports(bases)?;
        }
        bases.of(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u32]) -> BTreeSet<NodeId> {
        numbers.iter().map(|&n| NodeId::new(n).unwrap()).collect()
    }

    fn next(policy: IdPolicy, taken: &[u32], highest: Option<u32>, count: usize) -> Vec<u32> {
        let highest = highest.and_then(NodeId::new);
        policy
            .next(&ids(taken), &BTreeSet::new(), highest, count)
            .iter()
            .map(|id| id.get())
            .collect()
    }

    #[test]
    fn holes_are_filled_from_below() {
        assert_eq!(
            next(IdPolicy::FillHoles, &[1, 2, 4, 7], None, 4),
            [3, 5, 6, 8]
        );
        assert_eq!(next(IdPolicy::FillHoles, &[], Some(9), 2), [1, 2]);
    }

    #[test]
    fn growing_never_gives_a_number_twice() {
        assert_eq!(next(IdPolicy::GrowOnly, &[1, 2], Some(5), 2), [6, 7]);
        assert_eq!(next(IdPolicy::GrowOnly, &[8], Some(5), 1), [9]);
        assert_eq!(next(IdPolicy::GrowOnly, &[], None, 2), [1, 2]);
    }

    #[test]
    fn numbers_end() {
        assert_eq!(
            next(IdPolicy::GrowOnly, &[u32::MAX - 1], None, 5),
            [u32::MAX]
        );
        assert!(next(IdPolicy::GrowOnly, &[], Some(u32::MAX), 5).is_empty());
    }
}
