//! What strangers write and wnm reads, one function for each kind: it reads the bytes as the product does and
//! panics when something that must hold of the result does not. For fuzzing, and for the tests that read the
//! same inputs again, here and in the crates of the managers. Behind the feature `fuzz`, which is not for programs.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

mod corpus;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

pub use corpus::Corpus;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::decide::{Act, Plan, decide};
use crate::manager::SystemRunner;
use crate::node::{DesiredState, ObservedState};
use crate::observe::{Snapshot, read_pages};
use crate::program::{Antnode, NodeProgram};
use crate::settings::Layers;
use crate::wallet::{Address, RewardsAddress};

/// Bytes that are taken of a page: few, so that a short input can have more.
const MOST_OF_A_PAGE: usize = 2000;

/// Both pages of a node in one input, the second behind the first NUL byte.
pub fn pages(input: &[u8]) {
    let cut = input.iter().position(|&byte| byte == 0);
    let (metadata, metrics) = cut.map_or((input, input), |at| (&input[..at], &input[at + 1..]));
    let program = Antnode::new(Arc::new(SystemRunner));
    if let Some(report) = program.read_report(metadata, metrics) {
        let measured = report.measured;
        for figure in [measured.memory_mb, measured.cpu_percent] {
            assert!(figure.is_finite() && figure >= 0.0, "{figure}");
        }
        if let Some(rewards) = measured.rewards {
            assert!(
                rewards.bytes().all(|byte| byte.is_ascii_digit()),
                "{rewards}"
            );
        }
    }
}

/// What a connection to a node brings: it is the same however it is cut on its way, here where its first byte says.
pub fn answers(input: &[u8]) {
    let Some((&cut, bytes)) = input.split_first() else {
        return;
    };
    let (begin, rest) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let read = |bytes: &mut (dyn AsyncRead + Unpin)| {
        let read = read_pages(bytes, MOST_OF_A_PAGE).now_or_never();
        read.expect("waits for what is there")
    };
    let pages = read(&mut &*bytes);
    assert_eq!(read(&mut begin.chain(rest)), pages);
    for page in pages.0 {
        assert!(page.len() <= MOST_OF_A_PAGE, "{} bytes", page.len());
    }
}

/// A config file: whatever it says, it is read to the end or its faults are told.
pub fn config_file(input: &[u8]) {
    let layers = Layers::new().file(Path::new("config"), input);
    let words = format!("{layers:?}");
    assert!(!words.is_empty());
}

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
        let over = node.observed.state != ObservedState::Unknown || step.act == Act::Forget;
        assert!(over, "act against node {}, which is unknown", step.node);
        let left_alone = node.desired.state == DesiredState::Disabled && node.transition.is_none();
        assert!(!left_alone, "node {} is disabled", step.node);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A kind of input and what reads it.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 5] = [
        ("pages", pages),
        ("answers", answers),
        ("config_file", config_file),
        ("rewards_address", rewards_address),
        ("snapshot", snapshot),
    ];

    #[test]
    fn what_fuzzing_kept_is_read_again() {
        for (target, read) in TARGETS {
            Corpus::of(target).replay(read);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(input in prop::collection::vec(any::<u8>(), 0..600)) {
            for (_, read) in TARGETS {
                read(&input);
            }
        }

        #[test]
        fn changed_inputs_are_read(seed: u64) {
            for (target, read) in TARGETS {
                read(&Corpus::of(target).changed(seed));
            }
        }
    }
}
