//! Readers of untrusted input, one function for each kind: each reads the bytes as the product does and panics
//! when an invariant of the result does not hold. For fuzzing, and for the tests that replay the corpus.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use crate::decide::{Act, Plan, decide};
use crate::node::{DesiredState, ObservedState};
use crate::snapshot::Snapshot;
use crate::wallet::{Address, RewardsAddress};

/// A weighted list of rewards addresses: what is read is drawn from, and only that, and reads back.
pub fn rewards_address(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(rewards) = text.parse::<RewardsAddress>() else {
        return;
    };
    let donate = Address::FAUCET;
    let named: Vec<Address> = rewards
        .shares()
        .iter()
        .map(|(recipient, _)| recipient.address(donate))
        .collect();
    for ticket in [0, 1, 7, u64::from(u32::MAX), u64::MAX] {
        assert!(named.contains(&rewards.draw(ticket, donate)), "{text}");
    }
    let again: RewardsAddress = rewards.as_str().parse().expect("does not read back");
    assert_eq!(again, rewards);
}

/// A snapshot from a file: what reads as one can be decided on, and the plan is safe.
pub fn snapshot(input: &[u8]) {
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(input) else {
        return;
    };
    let plan = decide(&snapshot);
    check(&snapshot, &plan);
    let text = serde_json::to_vec(&plan).expect("a plan that cannot be written");
    let again: Plan = serde_json::from_slice(&text).expect("a plan that does not read back");
    assert_eq!(again, plan);
}

fn check(snapshot: &Snapshot, plan: &Plan) {
    let mut chosen = BTreeSet::new();
    for step in &plan.steps {
        assert!(chosen.insert(step.node), "node {} twice", step.node);
        let mut known = snapshot.nodes.iter().filter(|node| node.id == step.node);
        let Some(node) = known.next() else {
            assert_eq!(step.act, Act::Add, "node {} is not there", step.node);
            continue;
        };
        let over = node.observed().state != ObservedState::Unknown || step.act == Act::Forget;
        assert!(over, "act against node {}, which is unknown", step.node);
        let left_alone =
            node.desired().state == DesiredState::Disabled && node.transition().is_none();
        assert!(!left_alone, "node {} is disabled", step.node);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    /// A kind of input and its reader.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 2] = [("rewards_address", rewards_address), ("snapshot", snapshot)];

    #[test]
    fn reads_the_kept_corpus() {
        for (target, read) in TARGETS {
            Corpus::of(target).replay(read);
        }
    }

    proptest! {
        #[test]
        fn reads_any_bytes(input in prop::collection::vec(any::<u8>(), 0..600)) {
            for (_, read) in TARGETS {
                read(&input);
            }
        }

        #[test]
        fn reads_changed_inputs(seed: u64) {
            for (target, read) in TARGETS {
                read(&Corpus::of(target).changed(seed));
            }
        }
    }
}
