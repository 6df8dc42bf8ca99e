//! How numbers are given to new nodes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::node::NodeId;

/// Which numbers a new node may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdPolicy {
    /// The lowest number that is free: removed nodes leave holes, and these are filled first.
    FillHoles,
    /// Only numbers above the highest ever given, for supervisors that never give one twice.
    GrowOnly,
}

impl IdPolicy {
    /// The next `count` numbers, fewer only where numbers end.
    ///
    /// `taken` are the numbers in use or otherwise not to be had, `highest` the highest ever given.
    pub fn next(
        self,
        taken: &BTreeSet<NodeId>,
        highest: Option<NodeId>,
        count: usize,
    ) -> Vec<NodeId> {
        // The highest number has no next one; taking it for its own would go on for ever.
        let after = |id: &NodeId| Some(id.next()).filter(|next| next != id);
        let first = match (self, highest.max(taken.last().copied())) {
            (IdPolicy::FillHoles, _) | (_, None) => Some(NodeId::FIRST),
            (IdPolicy::GrowOnly, Some(above)) => after(&above),
        };
        std::iter::successors(first, after)
            .filter(|id| !taken.contains(id))
            .take(count)
            .collect()
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
            .next(&ids(taken), highest, count)
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
