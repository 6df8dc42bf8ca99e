//! The operations that the program is killed in.

/// The version of a node before an upgrade.
pub const OLD: &str = "0.4.16";

/// The version after it, and of every other node.
pub const NEW: &str = "0.4.17";

/// A node with no transition under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no such node.
    Gone,
    /// It does not run and is of this version.
    Stopped(&'static str),
    /// It runs and is of this version.
    Running(&'static str),
}

/// Something that an operator makes the program do with one node or with several.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// For messages.
    pub name: &'static str,
    /// What follows `--force-action`.
    pub act: &'static str,
    /// Further options. `{}` stands for a number that no earlier call had.
    pub options: &'static [&'static str],
    /// Options of the cycles that follow. They upgrade nothing unless these say so: an upgrade is the operation's doing.
    pub cycle: &'static [&'static str],
    /// The nodes.
    pub nodes: &'static [u32],
    /// Their state before.
    pub before: State,
    /// Their state after.
    pub after: State,
}

impl Operation {
    const fn of(act: &'static str, before: State, after: State) -> Self {
        Self {
            name: act,
            act,
            options: &[],
            cycle: &[],
            nodes: &[],
            before,
            after,
        }
    }

    /// The same with these nodes.
    pub const fn on(self, nodes: &'static [u32]) -> Self {
        Self { nodes, ..self }
    }

    /// The same with settings that no earlier call had.
    pub const fn with_options(self, name: &'static str, options: &'static [&'static str]) -> Self {
        Self {
            name,
            options,
            ..self
        }
    }
}

pub const ADD: Operation = Operation::of("add", State::Gone, State::Running(NEW));

pub const START: Operation = Operation::of("start", State::Stopped(NEW), State::Running(NEW));

pub const STOP: Operation = Operation::of("stop", State::Running(NEW), State::Stopped(NEW));

pub const UPGRADE: Operation = Operation::of("upgrade", State::Running(OLD), State::Running(NEW));

pub const REMOVE: Operation = Operation::of("remove", State::Running(NEW), State::Gone);
