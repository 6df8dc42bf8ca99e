use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::Figure;
use crate::container::ContainerState;
use crate::id::{ContainerId, NodeId};
use crate::node::{Actor, TransitionKind};
use crate::quantity::Seconds;

/// Why something is done or not done. Data: what people read is its `Display`, one short line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// A person asked for it.
    Asked,
    /// A measured value on one side of its threshold.
    Measured(Figure),
    /// More nodes than there may be.
    OverCap {
        /// Nodes there are.
        nodes: u32,
        /// Most there may be.
        cap: u32,
    },
    /// Wanted running, seen stopped: it crashed, was killed, or the machine went down under it.
    Crashed {
        /// Starts in a row after which it did not stay up.
        failed_starts: u32,
    },
    /// The load it was stopped for is gone.
    LoadEased {
        /// How long it has been stopped.
        stopped_for: Seconds,
        /// The figure that is nearest to its threshold, still below.
        nearest: Option<Figure>,
    },
    /// It was found stopped, nobody asked for that, and the machine can carry it.
    FoundStopped {
        /// The figure that is nearest to its threshold, still below.
        nearest: Option<Figure>,
    },
    /// The machine can carry one more.
    Room {
        /// Nodes there are.
        nodes: u32,
        /// Most there may be.
        cap: u32,
        /// The figure that is nearest to its threshold, still below.
        nearest: Option<Figure>,
    },
    /// Its directory is gone, and with it what made it a node.
    DirectoryGone,
    /// It runs an older version than there is.
    Outdated {
        /// Its version.
        version: Version,
        /// The version there is.
        binary: Version,
    },
    /// An earlier run ended in the middle of this.
    Interrupted {
        /// What was under way.
        doing: TransitionKind,
    },
    /// Everything of it is gone, and the delay after a removal has passed.
    RemovalOver {
        /// How long ago the removal began.
        ago: Seconds,
    },
    /// It runs though it was stopped on somebody's word.
    RunsUnwanted {
        /// On whose word.
        by: Actor,
        /// How long ago.
        ago: Seconds,
    },
    /// It is still there though it should be gone.
    NotGone {
        /// How long ago that was wanted.
        ago: Seconds,
    },

    /// It went down with its container, which restarted or is about to.
    ContainerRestarted {
        /// Which container.
        id: ContainerId,
    },
    /// A container that is needed does not run.
    ContainerNeeded {
        /// The container's state.
        state: ContainerState,
        /// Nodes that belong in it.
        nodes: u32,
        /// Nodes that this plan adds to it.
        adding: u32,
    },
    /// The machine rebooted, and some firewalls forget their rules with that.
    PortsForgotten,
    /// A container is in a state that wnm does nothing about.
    ContainerUnknown {
        /// Which container.
        id: ContainerId,
        /// What the engine says of it.
        said: String,
    },

    /// Something was considered and not done, because of another reason.
    Withheld {
        /// What was considered.
        doing: Doing,
        /// Why it was not done.
        because: Box<Reason>,
    },
    /// The supervisor does not answer, so nothing is known and nothing is done.
    SupervisorSilent {
        /// What was heard instead.
        said: String,
    },
    /// The machine came up anew; this cycle only looks.
    Rebooted,
    /// As many changes are under way as may be.
    Limit {
        /// Of which kind.
        of: Limited,
        /// How many are, with those of this plan.
        under_way: u32,
        /// Most that may be.
        limit: u32,
    },
    /// Changes are under way whose load does not show yet.
    UnderWay {
        /// Of which kind.
        of: Limited,
        /// How many.
        count: u32,
    },
    /// There are as many nodes as there may be.
    AtCap {
        /// Nodes there are.
        nodes: u32,
        /// Most there may be.
        cap: u32,
    },
    /// As many nodes run as there may be.
    RunningAtCap {
        /// Nodes that run or are about to.
        running: u32,
        /// Most there may be.
        cap: u32,
    },
    /// The last stop for load has not shown its effect yet.
    StoppedRecently {
        /// How long ago it was.
        ago: Seconds,
        /// How long it is given.
        delay: Seconds,
    },
    /// Stopped nodes that will be started wait for their time.
    BackingOff {
        /// Which.
        nodes: NodeList,
        /// When the first of them may be started.
        next_in: Seconds,
    },
    /// A person stopped them; only a person starts them.
    StoppedByPerson {
        /// Which.
        nodes: NodeList,
    },
    /// Nobody could say how they are, so nothing is done with them.
    Unseen {
        /// Which.
        nodes: NodeList,
    },
    /// There is no node that it could be done with.
    NoCandidate,
    /// Another rule acts in this plan.
    GoesFirst {
        /// What it does.
        doing: Doing,
    },
    /// Nodes upgrade themselves.
    UpgradesOff,
    /// No running node is older than the binary.
    UpToDate {
        /// The binary's version.
        binary: Version,
    },
    /// There is no binary to be had.
    NoBinary {
        /// Why.
        said: String,
    },
    /// The binary is older than what a node runs.
    BinaryOlder {
        /// The binary's version.
        binary: Version,
        /// The node with the newest version.
        node: NodeId,
        /// That version.
        version: Version,
    },
    /// A number cannot be given though no node has it.
    BlockedId {
        /// The number.
        id: NodeId,
        /// What is in its way.
        said: String,
    },
    /// A number has no ports, or numbers have ended.
    NoPort {
        /// What is wrong.
        said: String,
    },
    /// They are already as a person asked for.
    AlreadySo {
        /// Which.
        nodes: NodeList,
    },
    /// They do not run, which it takes.
    NotRunning {
        /// Which.
        nodes: NodeList,
    },
    /// Fewer nodes than asked for can be chosen.
    Fewer {
        /// How many were asked for.
        asked: u32,
        /// How many there are.
        found: u32,
    },
}

/// What a rule would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Anything at all.
    Acting,
    /// Adding nodes.
    Adding,
    /// Starting stopped nodes.
    Starting,
    /// Stopping nodes.
    Stopping,
    /// Taking nodes out of wnm's hands.
    Disabling,
    /// Upgrading nodes.
    Upgrading,
    /// Removing nodes.
    Removing,
    /// Taking up an interrupted step.
    Resuming,
    /// Dropping the row of a removed node.
    Forgetting,
    /// Creating or starting a container.
    EnsuringContainer,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Acting => "acting",
            Doing::Adding => "adding",
            Doing::Starting => "starting",
            Doing::Stopping => "stopping",
            Doing::Disabling => "disabling",
            Doing::Upgrading => "upgrading",
            Doing::Removing => "removing",
            Doing::Resuming => "resuming",
            Doing::Forgetting => "forgetting",
            Doing::EnsuringContainer => "ensuring a container",
        })
    }
}

/// Changes whose number at once is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limited {
    /// Adds and starts.
    Starts,
    /// Stops and removals.
    Removals,
    /// Upgrades.
    Upgrades,
    /// All of them together.
    Operations,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limited::Starts => "starts",
            Limited::Removals => "removals",
            Limited::Upgrades => "upgrades",
            Limited::Operations => "operations",
        })
    }
}

/// Some nodes, in order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeList(Vec<NodeId>);

/// Most numbers that a line names; more than that nobody reads.
const MOST_NAMED: usize = 5;

impl NodeList {
    /// The numbers.
    pub fn ids(&self) -> &[NodeId] {
        &self.0
    }
}

impl FromIterator<NodeId> for NodeList {
    fn from_iter<I: IntoIterator<Item = NodeId>>(ids: I) -> Self {
        let mut ids: Vec<NodeId> = ids.into_iter().collect();
        ids.sort_unstable();
        Self(ids)
    }
}

impl fmt::Display for NodeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "node" } else { "nodes" })?;
        for (i, id) in self.0.iter().take(MOST_NAMED).enumerate() {
            write!(f, "{}{id}", if i == 0 { " " } else { ", " })?;
        }
        match self.0.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
