//! The events of one run, drawn before it begins.

use std::time::Duration;

use fastrand::Rng;

use crate::operation::Operation;

/// The latest time in an operation at which a fault begins. It may begin right after a shorter operation; earlier times
/// are drawn more often to make that rare.
const LATEST: Duration = Duration::from_millis(900);

/// A whole run.
#[derive(Debug)]
pub struct Script {
    /// The initial states of nodes 1, 2, … Outdated ones come first.
    pub nodes: Vec<Start>,
    /// The operation.
    pub operation: Operation,
    /// When the fault begins.
    pub when: When,
    /// The time from the beginning of the operation to the fault, where that begins during it.
    pub moment: Duration,
    /// Cycles between the operation and the end of the fault.
    pub cycles: u32,
    /// Whether cycles upgrade nodes.
    pub upgrades: bool,
    /// The delay after each step, in seconds.
    pub delay: u32,
}

/// The initial state of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Whether there is a newer program than its own.
    pub outdated: bool,
    /// Its desired state.
    pub desired: Desired,
}

/// The desired state of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Desired {
    Running,
    Stopped,
    Disabled,
}

/// When a fault begins. One that lasts ends after the operation and some cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Before,
    During,
    After,
}

impl Script {
    /// Draws one.
    pub fn draw(rng: &mut Rng) -> Self {
        let count = rng.u32(3..=5);
        let outdated = rng.u32(0..=count);
        let nodes = (0..count).map(|at| Start {
            outdated: at < outdated,
            desired: match rng.u32(0..10) {
                0..5 => Desired::Running,
                5..8 => Desired::Stopped,
                _ => Desired::Disabled,
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

    /// The nodes with this desired state, in the form of an option.
    pub fn names(&self, desired: Desired) -> String {
        let numbered = (1..).zip(&self.nodes);
        let these = numbered.filter(|(_, node)| node.desired == desired);
        let names: Vec<String> = these.map(|(id, _): (u32, _)| format!("{id:04}")).collect();
        names.join(",")
    }

    /// How many nodes are outdated.
    pub fn outdated(&self) -> usize {
        self.nodes.iter().filter(|node| node.outdated).count()
    }
}
