//! What the program is killed in, as a table.

/// The version of a node before an upgrade.
pub const OLD: &str = "0.4.16";

/// The version after it, and of every other node.
pub const NEW: &str = "0.4.17";

/// How a node stands once nothing is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no such node.
    Gone,
    /// It does not run and is of this version.
    Stopped(&'static str),
    /// It runs and is of this version.
    Running(&'static str),
}

/// Something that a person makes the program do with one node.
#[derive(Debug)]
pub struct Operation {
    /// For messages.
    pub name: &'static str,
    /// What follows `--force-action`.
    pub words: &'static [&'static str],
    /// What the cycles are given that follow.
    pub cycle: &'static [&'static str],
    /// The node it is done with.
    pub node: u32,
    /// How that node stands before.
    pub before: State,
    /// How it stands after.
    pub after: State,
}

pub const ADD: Operation = Operation {
    name: "add",
    words: &["add"],
    cycle: &[],
    node: 4,
    before: State::Gone,
    after: State::Running(NEW),
};

pub const START: Operation = Operation {
    name: "start",
    words: &["start", "--service-name=antnode0003"],
    cycle: &[],
    node: 3,
    before: State::Stopped(NEW),
    after: State::Running(NEW),
};

pub const START_OUTDATED: Operation = Operation {
    name: "start of an outdated node",
    words: &["start", "--service-name=antnode0003", "--enable-upgrade"],
    cycle: &["--enable-upgrade"],
    node: 3,
    before: State::Stopped(OLD),
    after: State::Running(NEW),
};

pub const STOP: Operation = Operation {
    name: "stop",
    words: &["stop", "--service-name=antnode0003"],
    cycle: &[],
    node: 3,
    before: State::Running(NEW),
    after: State::Stopped(NEW),
};

/// The cycles that follow upgrade nothing of their own accord, so that what happens is the step's doing.
pub const UPGRADE: Operation = Operation {
    name: "upgrade",
    words: &["upgrade", "--service-name=antnode0003"],
    cycle: &[],
    node: 3,
    before: State::Running(OLD),
    after: State::Running(NEW),
};

pub const REMOVE: Operation = Operation {
    name: "remove",
    words: &["remove", "--service-name=antnode0003"],
    cycle: &[],
    node: 3,
    before: State::Running(NEW),
    after: State::Gone,
};

pub const OPERATIONS: [&Operation; 6] = [&ADD, &START, &START_OUTDATED, &STOP, &UPGRADE, &REMOVE];
