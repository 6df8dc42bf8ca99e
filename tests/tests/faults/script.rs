//! What happens in one run, drawn before it begins.

use std::time::Duration;

use fastrand::Rng;

use crate::fault::{Fault, Kind};
use crate::operation::Operation;

/// Longest time into an operation at which a fault comes. One that has ended by then meets it right after.
const LATEST: Duration = Duration::from_millis(900);

/// A whole run.
#[derive(Debug)]
pub struct Script {
    /// How nodes 1, 2, … stand at the beginning; outdated ones come first.
    pub nodes: Vec<Start>,
    /// What is done.
    pub operation: Operation,
    /// What goes wrong.
    pub fault: Fault,
    /// When it does.
    pub when: When,
    /// How long after the beginning of the operation, where it comes during it.
    pub moment: Duration,
    /// Cycles between the operation and the end of the fault.
    pub cycles: u32,
    /// Whether cycles upgrade of their own accord.
    pub upgrades: bool,
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
    /// The run of this seed with one of these faults; with others it is another one altogether.
    pub fn draw(seed: u64, kinds: &[Kind]) -> Self {
        let mut rng = Rng::with_seed(seed ^ (kinds[0] as u64) << 48);
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
        let nodes = nodes.collect();
        let operation = Operation::draw(&mut rng, count);
        let kind = kinds[rng.usize(0..kinds.len())];
        Self {
            nodes,
            operation,
            fault: Fault::draw(kind, &mut rng, count),
            when: match (kind, rng.u32(0..4)) {
                (Kind::Killed | Kind::PowerCut | Kind::TwoAtOnce, _) => When::During,
                // The program reads the clock as it goes; only between two runs it can be moved for both.
                (Kind::ClockMoved, 0..2) | (_, 0) => When::Before,
                (Kind::ClockMoved, _) | (_, 1) => When::After,
                _ => When::During,
            },
            moment: LATEST.mul_f64(rng.f64()),
            cycles: rng.u32(0..=2),
            upgrades: rng.bool(),
        }
    }
}
