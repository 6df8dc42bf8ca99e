//! What happens in one run, drawn before it begins.

use std::time::Duration;

use fastrand::Rng;

use crate::operation::Operation;

/// Longest time into an operation at which a fault comes. One that has ended by then meets it right after; so
/// that few have, earlier moments are drawn more often.
const LATEST: Duration = Duration::from_millis(900);

/// A whole run.
#[derive(Debug)]
pub struct Script {
    /// How nodes 1, 2, … stand at the beginning; outdated ones come first.
    pub nodes: Vec<Start>,
    /// What is done.
    pub operation: Operation,
    /// When something goes wrong.
    pub when: When,
    /// How long after the beginning of the operation, where it comes during it.
    pub moment: Duration,
    /// Cycles between the operation and the end of the fault.
    pub cycles: u32,
    /// Whether cycles upgrade of their own accord.
    pub upgrades: bool,
    /// Seconds that a node is left alone for after something was done with it.
    pub delay: u32,
}

/// How a node stands at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Whether there is a newer program than its own.
    pub outdated: bool,
    /// What a person said of it last.
    pub standing: Standing,
}

/// What is wanted of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Running,
    Stopped,
    Disabled,
}

/// When a fault begins. Those that last end after the operation and some cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Before,
    During,
    After,
}

impl Script {
    /// One of all there can be.
    pub fn draw(rng: &mut Rng) -> Self {
        let count = rng.u32(3..=5);
        let outdated = rng.u32(0..=count);
        let nodes = (0..count).map(|at| Start {
            outdated: at < outdated,
            standing: match rng.u32(0..10) {
                0..5 => Standing::Running,
                5..8 => Standing::Stopped,
                _ => Standing::Disabled,
            },
        });
        Self {
            nodes: nodes.collect(),
            operation: Operation::draw(rng, count),
            when: match rng.u32(0..4) {
                0 => When::Before,
                1 => When::After,
                _ => When::During,
            },
            moment: LATEST.mul_f64(rng.f64() * rng.f64()),
            cycles: rng.u32(0..=2),
            upgrades: rng.bool(),
            delay: if rng.bool() { 300 } else { 0 },
        }
    }

    /// How many nodes there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap()
    }

    /// The numbers of the nodes that stand like this, as the program takes them.
    pub fn names(&self, standing: Standing) -> String {
        let numbered = (1..).zip(&self.nodes);
        let these = numbered.filter(|(_, node)| node.standing == standing);
        let names: Vec<String> = these.map(|(id, _): (u32, _)| format!("{id:04}")).collect();
        names.join(",")
    }

    /// How many nodes are outdated.
    pub fn outdated(&self) -> usize {
        self.nodes.iter().filter(|node| node.outdated).count()
    }
}
