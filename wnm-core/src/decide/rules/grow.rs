//! What happens without pressure: crashed nodes come back, outdated ones are upgraded, stopped ones started,
//! new ones added.

use super::rank;
use crate::decide::backoff::{left, load_backoff, start_backoff};
use crate::decide::planner::Planner;
use crate::decide::selection::{first, oldest};
use crate::decide::{Act, Doing, Limited, NodeList, Reason};
use crate::node::{Actor, Node};
use crate::quantity::Seconds;

/// From this many starts in a row that did not last, a node no longer keeps new ones from being added while
/// it waits: by then it has been tried for two hours, and one broken node must not halt a colony's growth.
const HOPELESS_STARTS: u32 = 8;

/// Nodes that may be started now, and those that still wait.
struct Queue<'a> {
    ready: Vec<&'a Node>,
    waiting: Vec<(&'a Node, Seconds)>,
}

impl<'a> Queue<'a> {
    fn new(nodes: &[&'a Node], wait: impl Fn(&Node) -> Seconds) -> Self {
        let (mut ready, mut waiting) = (Vec::new(), Vec::new());
        for &node in nodes {
            match wait(node) {
                Seconds(0) => ready.push(node),
                left => waiting.push((node, left)),
            }
        }
        Self { ready, waiting }
    }
}

impl<'a> Planner<'a> {
    /// Brings nodes up, as far as the limits, the cap and the load allow.
    pub(super) fn grow(&mut self) {
        self.explain_calm();
        if let Some(doing) = self.takes_away() {
            for held in [Doing::Upgrading, Doing::Starting, Doing::Adding] {
                self.hold(held, Reason::GoesFirst { doing });
            }
            return;
        }
        let crashed = Queue::new(&self.roster.crashed, |node| self.wait_after_crash(node));
        let rested = Queue::new(&self.roster.resting, |node| self.wait_after_stop(node));
        self.heal(crashed.ready);
        self.upgrade();
        self.start(rested.ready);
        self.explain_stopped(&crashed.waiting, &rested.waiting);
        let hopeful = |(node, _): &&(&Node, Seconds)| node.failed_starts() < HOPELESS_STARTS;
        let held: Vec<(&Node, Seconds)> = crashed.waiting.iter().filter(hopeful).copied().collect();
        self.add([held, rested.waiting].concat());
    }

    fn explain_calm(&mut self) {
        if let Some(figure) = self.features.nearest_to_remove() {
            self.hold(Doing::Stopping, Reason::Measured(figure));
        }
    }

    fn wait_after_crash(&self, node: &Node) -> Seconds {
        node.last_start().map_or(Seconds(0), |at| {
            left(self.now(), at, start_backoff(node.failed_starts()))
        })
    }

    fn wait_after_stop(&self, node: &Node) -> Seconds {
        match node.desired().by {
            Actor::Wnm => {
                let wait = load_backoff(&self.snapshot.machine.delays, node.load_stops());
                left(self.now(), node.desired().since, wait)
            }
            // Nothing is known of a load that it was stopped for.
            Actor::Found | Actor::Operator => Seconds(0),
        }
    }

    /// Starts again what should run. The gap between the thresholds held these nodes before, so it is not
    /// waited for the load to fall below the lower ones.
    fn heal(&mut self, ready: Vec<&'a Node>) {
        if ready.is_empty() {
            return;
        }
        if let Some(reason) = self.no_place_to_start() {
            self.hold(Doing::Starting, reason);
            return;
        }
        for node in first(ready, self.places_to_start(), oldest) {
            let failed_starts = node.failed_starts();
            let reason = Reason::Crashed { failed_starts };
            let act = self.start_act(node);
            self.step_in_slot(Limited::Starts, node.id, act, rank::HEAL, reason);
        }
    }

    /// Upgrades running nodes that are older than the binary, never the other way round.
    fn upgrade(&mut self) {
        let Some(binary) = self.upgrade_version() else {
            return;
        };
        let outdated = self.roster.up.iter().filter(|node| self.outdated(node));
        let outdated: Vec<&Node> = outdated.copied().collect();
        if outdated.is_empty() {
            self.hold(Doing::Upgrading, Reason::UpToDate { binary });
            return;
        }
        // An upgrade that failed counts as a start that did not last, so that the next try waits too.
        let outdated = Queue::new(&outdated, |node| self.wait_after_crash(node));
        if let Some(waiting) = backing_off(&outdated.waiting) {
            self.hold(Doing::Upgrading, waiting);
        }
        if let Some(full) = self.slots.full(Limited::Upgrades) {
            self.hold(Doing::Upgrading, full);
            return;
        }
        for node in first(outdated.ready, self.slots.free(Limited::Upgrades), oldest) {
            let Some(version) = node.version.clone() else {
                continue;
            };
            let binary = binary.clone();
            let reason = Reason::Outdated { version, binary };
            self.step_in_slot(
                Limited::Upgrades,
                node.id,
                Act::Upgrade,
                rank::UPGRADE,
                reason,
            );
        }
    }

    fn upgrade_version(&mut self) -> Option<semver::Version> {
        let hindrance = match &self.snapshot.binary {
            _ if !self.snapshot.upgrades_enabled => Reason::UpgradesOff,
            Err(said) => Reason::NoBinary { said: said.clone() },
            Ok(binary) => match self.binary_older() {
                Some(older) => older,
                None => return Some(binary.version.clone()),
            },
        };
        self.hold(Doing::Upgrading, hindrance);
        None
    }

    /// Starts what was stopped for load, once the load allows for more.
    fn start(&mut self, ready: Vec<&'a Node>) {
        if ready.is_empty() {
            return;
        }
        let mut hindrances = self.hindrances();
        hindrances.extend(self.upgrade_first());
        hindrances.extend(self.no_place_to_start());
        if !hindrances.is_empty() {
            for reason in hindrances {
                self.hold(Doing::Starting, reason);
            }
            return;
        }
        for node in first(ready, self.places_to_start(), oldest) {
            let nearest = self.features.nearest_to_add();
            let reason = match node.desired().by {
                Actor::Found | Actor::Operator => Reason::FoundStopped { nearest },
                Actor::Wnm => Reason::LoadEased {
                    stopped_for: self.now().since(node.desired().since),
                    nearest,
                },
            };
            let act = self.start_act(node);
            self.step_in_slot(Limited::Starts, node.id, act, rank::START, reason);
        }
    }

    fn explain_stopped(&mut self, crashed: &[(&Node, Seconds)], rested: &[(&Node, Seconds)]) {
        if let Some(waiting) = backing_off(&[crashed, rested].concat()) {
            self.hold(Doing::Starting, waiting);
        }
        if !self.roster.parked.is_empty() {
            let nodes = self.roster.parked.iter().map(|node| node.id).collect();
            self.hold(Doing::Starting, Reason::StoppedByPerson { nodes });
        }
        let roster = &self.roster;
        if roster.crashed.is_empty() && roster.resting.is_empty() && roster.parked.is_empty() {
            self.hold(Doing::Starting, Reason::NoCandidate);
        }
    }

    /// Adds new nodes, once all that were there before run.
    fn add(&mut self, waiting: Vec<(&Node, Seconds)>) {
        let (nodes, cap) = (self.features.census.total, self.cap());
        let mut hindrances = Vec::new();
        if nodes >= cap {
            hindrances.push(Reason::AtCap { nodes, cap });
        }
        hindrances.extend(self.hindrances());
        hindrances.extend(self.upgrade_first());
        hindrances.extend(backing_off(&waiting));
        if let Err(said) = &self.snapshot.binary {
            hindrances.push(Reason::NoBinary { said: said.clone() });
        }
        // An operation under way was named already.
        if hindrances.is_empty() {
            hindrances.extend(self.no_place_to_start());
        }
        if !hindrances.is_empty() {
            for reason in hindrances {
                self.hold(Doing::Adding, reason);
            }
            return;
        }
        let count = self.places_to_start().min(cap.saturating_sub(nodes));
        let (ids, short) = self.new_ids(count);
        let nearest = self.features.nearest_to_add();
        for id in ids {
            let reason = Reason::Room {
                nodes,
                cap,
                nearest,
            };
            self.step_in_slot(Limited::Starts, id, Act::Add, rank::ADD, reason);
        }
        if let Some(reason) = short {
            self.hold(Doing::Adding, reason);
        }
    }

    fn upgrade_first(&self) -> Option<Reason> {
        let doing = Doing::Upgrading;
        self.upgrades().then_some(Reason::GoesFirst { doing })
    }

    /// How many more nodes may be brought up in this plan.
    fn places_to_start(&self) -> u32 {
        let below_cap = self.cap().saturating_sub(self.running);
        self.slots.free(Limited::Starts).min(below_cap)
    }

    fn no_place_to_start(&self) -> Option<Reason> {
        let (running, cap) = (self.running, self.cap());
        if running >= cap {
            return Some(Reason::RunningAtCap { running, cap });
        }
        self.slots.full(Limited::Starts)
    }
}

fn backing_off(waiting: &[(&Node, Seconds)]) -> Option<Reason> {
    let next_in = waiting.iter().map(|(_, left)| *left).min()?;
    let nodes: NodeList = waiting.iter().map(|(node, _)| node.id).collect();
    Some(Reason::BackingOff { nodes, next_in })
}
