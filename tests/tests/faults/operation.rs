//! What the operator or cron does while something goes wrong.

use fastrand::Rng;

/// An operation.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A cycle.
    Cycle,
    /// A cycle with a cap that allows so many more nodes.
    Grow(u32),
    /// A cycle with upgrades enabled.
    UpgradeCycle,
    /// A forced add.
    Add(u32),
    /// A forced action on certain nodes.
    On(Act, Vec<u32>),
    /// A teardown.
    Teardown,
}

/// A forced action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Start,
    Stop,
    Disable,
    Upgrade,
    Remove,
}

/// Most nodes that one operation adds.
pub const MOST_ADDED: u32 = 3;

impl Operation {
    /// Draws an operation for a colony of nodes 1 to `count`.
    pub fn draw(rng: &mut Rng, count: u32) -> Self {
        match rng.u32(0..20) {
            0..2 => Self::Cycle,
            2..4 => Self::Grow(rng.u32(1..=MOST_ADDED)),
            4..6 => Self::UpgradeCycle,
            6..9 => Self::Add(rng.u32(1..=MOST_ADDED)),
            9..12 => Self::On(Act::Start, some(rng, count)),
            12..14 => Self::On(Act::Stop, some(rng, count)),
            14 => Self::On(Act::Disable, some(rng, count)),
            15..17 => Self::On(Act::Upgrade, some(rng, count)),
            17..19 => Self::On(Act::Remove, some(rng, count)),
            _ => Self::Teardown,
        }
    }

    /// Its options.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut forced = |action: &str, more: String| {
            words.push(format!("--force-action={action}"));
            words.push(more);
        };
        match self {
            Self::Cycle | Self::Grow(_) => {}
            Self::UpgradeCycle => words.push("--enable-upgrade".to_owned()),
            Self::Add(count) => forced("add", format!("--count={count}")),
            Self::Teardown => forced("teardown", "--confirm".to_owned()),
            Self::On(act, nodes) => {
                let names: Vec<String> = nodes.iter().map(|id| format!("{id:04}")).collect();
                forced(act.word(), format!("--service-name={}", names.join(",")));
            }
        }
        words
    }

    /// How many nodes it may add.
    pub fn adds(&self) -> u32 {
        match self {
            Self::Grow(more) | Self::Add(more) => *more,
            _ => 0,
        }
    }
}

impl Act {
    /// What follows `--force-action`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Disable => "disable",
            Self::Upgrade => "upgrade",
            Self::Remove => "remove",
        }
    }
}

/// Some of nodes 1 to `count`, at least one.
fn some(rng: &mut Rng, count: u32) -> Vec<u32> {
    let drawn = rng.u32(1..1 << count);
    (1..=count)
        .filter(|id| drawn & (1 << (id - 1)) != 0)
        .collect()
}
