//! Which node goes first. Every order is total, so that the same snapshot always gives the same choice.

use std::cmp::Ordering;

use crate::machine::RemovalStrategy;
use crate::node::Node;

/// The first `count` of `nodes` in this order.
pub(super) fn first(
    mut nodes: Vec<&Node>,
    count: u32,
    order: impl Fn(&Node, &Node) -> Ordering,
) -> Vec<&Node> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 {
        return Vec::new();
    }
    // Of thousands a few are wanted: those are set apart before they are put in order.
    if count < nodes.len() {
        nodes.select_nth_unstable_by(count - 1, |a, b| order(a, b));
        nodes.truncate(count);
    }
    nodes.sort_unstable_by(|a, b| order(a, b));
    nodes
}

/// The one launched first goes first: it is worth most to the network.
pub(super) fn oldest(a: &Node, b: &Node) -> Ordering {
    (a.first_launch, a.id).cmp(&(b.first_launch, b.id))
}

fn youngest(a: &Node, b: &Node) -> Ordering {
    oldest(b, a)
}

/// The order in which nodes have to go.
pub(super) fn to_go(strategy: RemovalStrategy) -> impl Fn(&Node, &Node) -> Ordering {
    move |a, b| {
        let (seen_a, seen_b) = (&a.measured, &b.measured);
        let by_figure = match strategy {
            RemovalStrategy::Youngest => Ordering::Equal,
            RemovalStrategy::Oldest => oldest(a, b),
            RemovalStrategy::LeastRecords => seen_a.records.cmp(&seen_b.records),
            RemovalStrategy::MostShunned => seen_b.shunned.cmp(&seen_a.shunned),
            RemovalStrategy::HighestMemory => seen_b.memory_mb.total_cmp(&seen_a.memory_mb),
        };
        by_figure.then_with(|| youngest(a, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::UnixTime;
    use crate::testing::node;

    fn chosen(nodes: &[Node], count: u32, order: impl Fn(&Node, &Node) -> Ordering) -> Vec<u32> {
        let chosen = first(nodes.iter().collect(), count, order);
        chosen.iter().map(|node| node.id.get()).collect()
    }

    #[test]
    fn each_strategy_has_its_order_and_ties_go_to_the_youngest() {
        // Launched in the order of their numbers, save 5 which was launched together with 4.
        let mut nodes: Vec<Node> = (1..=5).map(node).collect();
        nodes[4].first_launch = nodes[3].first_launch;
        for (node, records, shunned, memory) in [
            (0, 10, 0, 50.0),
            (1, 5, 7, 90.0),
            (2, 5, 7, 60.0),
            (3, 90, 0, 60.0),
            (4, 90, 1, 60.0),
        ] {
            nodes[node].measured.records = records;
            nodes[node].measured.shunned = shunned;
            nodes[node].measured.memory_mb = memory;
        }
        let order = |strategy| chosen(&nodes, 9, to_go(strategy));
        assert_eq!(order(RemovalStrategy::Youngest), [5, 4, 3, 2, 1]);
        assert_eq!(order(RemovalStrategy::Oldest), [1, 2, 3, 4, 5]);
        assert_eq!(order(RemovalStrategy::LeastRecords), [3, 2, 1, 5, 4]);
        assert_eq!(order(RemovalStrategy::MostShunned), [3, 2, 5, 4, 1]);
        assert_eq!(order(RemovalStrategy::HighestMemory), [2, 5, 4, 3, 1]);
    }

    #[test]
    fn a_few_are_chosen_as_the_beginning_of_the_whole_order() {
        let mut nodes: Vec<Node> = (1..=50).map(node).collect();
        for node in &mut nodes {
            node.first_launch = UnixTime(i64::from(node.id.get() * 7 % 11));
        }
        let all = chosen(&nodes, 50, oldest);
        for count in [0, 1, 7, 49] {
            assert_eq!(chosen(&nodes, count, oldest), all[..count as usize]);
        }
    }
}
