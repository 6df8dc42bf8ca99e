//! Sums of reward balances. Balances count the smallest unit of the token and exceed 64 bits, so
//! they are never floats.

use wnm_core::node::Node;

/// The exact sum of the nodes' balances, in the smallest unit. Ignores balances that are not
/// numbers, and drops fractions. Saturates at 128 bits, ten billion times all existing tokens.
pub(super) fn total(nodes: &[&Node]) -> u128 {
    nodes
        .iter()
        .filter_map(|node| node.measured.rewards.as_deref())
        .filter_map(amount)
        .fold(0, u128::saturating_add)
}

fn amount(text: &str) -> Option<u128> {
    let text = text.trim();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn total_of(rewards: &[&str]) -> u128 {
        let sample = fixture::nodes().remove(0);
        let nodes: Vec<Node> = rewards
            .iter()
            .map(|text| {
                let mut node = sample.clone();
                node.measured.rewards = Some((*text).to_owned());
                node
            })
            .collect();
        total(&fixture::refs(&nodes))
    }

    #[test]
    fn sums_are_exact_beyond_64_bits() {
        let texts = ["12345678901234567890", "98765432109876543211", "1"];
        assert_eq!(total_of(&texts), 111_111_111_011_111_111_102);
    }

    #[test]
    fn invalid_balances_are_ignored() {
        assert_eq!(total_of(&["7", "", "None", "-3", "2.0", "1e9"]), 9);
        assert_eq!(total_of(&[&u128::MAX.to_string(), "5"]), u128::MAX);
    }
}
