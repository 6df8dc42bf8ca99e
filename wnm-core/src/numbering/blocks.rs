//! Numbers for nodes in containers. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use crate::container::Block;
use crate::id::ContainerId;
use crate::id::NodeId;

/// The next `count` numbers: each goes to the container with the fewest nodes, of these to the first, and there
/// to the lowest free place. Another container is begun only when no place is free in any.
pub(super) fn next(
    size: NonZeroU32,
    open: u32,
    taken: &BTreeSet<NodeId>,
    blocked: &BTreeSet<NodeId>,
    count: usize,
) -> Vec<NodeId> {
    let is_free = |id: &NodeId| !taken.contains(id) && !blocked.contains(id);
    let mut holds: BTreeMap<ContainerId, usize> = (1..=open).map(|k| (ContainerId(k), 0)).collect();
    for id in taken {
        *holds.entry(Block::container_of(*id, size)).or_default() += 1;
    }
    let mut last = holds.last_key_value().map_or(ContainerId(0), |(id, _)| *id);
    // Containers that only lie below one that is in use can be used as well.
    for number in 1..=last.0 {
        holds.entry(ContainerId(number)).or_default();
    }
    let mut queue: BTreeSet<(usize, ContainerId)> =
        holds.into_iter().map(|(id, nodes)| (nodes, id)).collect();
    // Where to look for the next free place of a container.
    let mut from: BTreeMap<ContainerId, NodeId> = BTreeMap::new();
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let Some((nodes, container)) = queue.pop_first() else {
            let begun = last.0.checked_add(1).map(ContainerId);
            let Some(begun) = begun.filter(|id| Block::of(*id, size).is_some()) else {
                break;
            };
            last = begun;
            queue.insert((0, begun));
            continue;
        };
        let Some(block) = Block::of(container, size) else {
            continue;
        };
        let start = from.get(&container).copied().unwrap_or(block.first);
        let place = (start.get()..=block.last.get())
            .filter_map(NodeId::new)
            .find(is_free);
        // A container without a free place is out of the queue for good.
        let Some(id) = place else {
            continue;
        };
        chosen.push(id);
        from.insert(container, id.next());
        queue.insert((nodes + 1, container));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<NodeId> {
        numbers.into_iter().filter_map(NodeId::new).collect()
    }

    fn numbers(size: u32, open: u32, taken: &[u32], blocked: &[u32], count: usize) -> Vec<u32> {
        let (taken, blocked) = (ids(taken.to_vec()), ids(blocked.to_vec()));
        let size = NonZeroU32::new(size).unwrap();
        let chosen = next(size, open, &taken, &blocked, count);
        chosen.iter().map(|id| id.get()).collect()
    }

    #[test]
    fn nodes_are_dealt_out_over_the_containers() {
        assert_eq!(
            numbers(200, 5, &[], &[], 7),
            [1, 201, 401, 601, 801, 2, 202]
        );
        // The second has fewer; the hole in the first is no reason to fill that one up.
        assert_eq!(numbers(4, 2, &[1, 3, 4, 5], &[], 4), [6, 7, 2, 8]);
    }

    #[test]
    fn another_container_is_begun_when_all_are_full() {
        assert_eq!(numbers(2, 1, &[1], &[], 3), [2, 3, 4]);
        assert_eq!(numbers(2, 0, &[], &[], 1), [1]);
        // A place that is blocked is none, and makes no container fuller.
        assert_eq!(numbers(2, 2, &[1], &[3], 3), [4, 2, 5]);
        assert_eq!(numbers(2, 2, &[], &[1, 2, 3, 4], 1), [5]);
    }

    #[test]
    fn a_container_beyond_the_first_ones_counts_as_open() {
        assert_eq!(numbers(2, 1, &[1, 2, 6], &[], 3), [3, 4, 5]);
    }

    proptest! {
        #[test]
        fn what_is_given_is_new_free_balanced_and_begins_no_container_too_early(
            size in 1_u32..8,
            open in 0_u32..5,
            taken in prop::collection::btree_set(1_u32..30, 0..25),
            blocked in prop::collection::btree_set(1_u32..30, 0..6),
            count in 0_usize..40,
        ) {
            let size = NonZeroU32::new(size).unwrap();
            let (taken, blocked) = (ids(taken), ids(blocked));
            let chosen = next(size, open, &taken, &blocked, count);
            prop_assert_eq!(chosen.len(), count);
            let mut all = taken.clone();
            let mut last = taken.iter().map(|id| Block::container_of(*id, size).0).max();
            for id in chosen {
                let holds = |container: ContainerId| {
                    let block = Block::of(container, size).unwrap();
                    all.range(block.first..=block.last).count()
                };
                let has_room = |container: ContainerId| {
                    let block = Block::of(container, size).unwrap();
                    (block.first.get()..=block.last.get())
                        .filter_map(NodeId::new)
                        .any(|id| !all.contains(&id) && !blocked.contains(&id))
                };
                let own = Block::container_of(id, size);
                let others = open.max(last.unwrap_or(0));
                for other in (1..=others).map(ContainerId).filter(|other| has_room(*other)) {
                    prop_assert!(own.0 <= others, "{} was begun while {} had room", own, other);
                    prop_assert!(
                        (holds(own), own) <= (holds(other), other),
                        "{} was given more although {} holds fewer", own, other
                    );
                }
                let block = Block::of(own, size).unwrap();
                let lower = (block.first.get()..id.get()).filter_map(NodeId::new);
                for lower in lower {
                    prop_assert!(all.contains(&lower) || blocked.contains(&lower));
                }
                prop_assert!(!blocked.contains(&id));
                prop_assert!(all.insert(id), "{} was given twice", id);
                last = last.max(Some(own.0));
            }
        }
    }
}
