use std::collections::BTreeSet;

use super::features::Features;
use super::roster::Roster;
use super::slots::Slots;
use super::{Act, Doing, Figure, Limited, Measure, Plan, PlanKind, Reason, Relation, Step};
use crate::id::NodeId;
use crate::node::{Actor, Node};
use crate::quantity::{Percent, UnixTime};
use crate::snapshot::Snapshot;

/// Most nodes that one plan adds, whatever the limits say: no range of ports holds more.
const MOST_ADDS: u32 = 65_535;

/// A plan in the making: what is known, what is still free, and what was decided so far.
pub(super) struct Planner<'a> {
    pub snapshot: &'a Snapshot,
    pub roster: Roster<'a>,
    pub features: Features,
    /// What may still begin.
    pub slots: Slots,
    /// Nodes that run or will once the plan is executed.
    pub running: u32,
    steps: Vec<Step>,
    held_back: Vec<Reason>,
    warnings: Vec<Reason>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let roster = Roster::of(snapshot);
        let features = Features::of(snapshot, &roster);
        let mut planner = Self {
            slots: Slots::new(snapshot.machine.limits, &roster.census),
            running: roster.census.running,
            snapshot,
            features,
            roster,
            steps: Vec::new(),
            held_back: Vec::new(),
            warnings: Vec::new(),
        };
        planner.warn();
        planner
    }

    pub(super) fn now(&self) -> UnixTime {
        self.snapshot.taken_at
    }

    pub(super) fn cap(&self) -> u32 {
        self.snapshot.machine.node_cap
    }

    /// Plans a step that wnm itself decided.
    pub(super) fn step(&mut self, node: NodeId, act: Act, priority: u8, reason: Reason) {
        self.step_by(Actor::Wnm, node, act, priority, reason);
    }

    pub(super) fn step_by(
        &mut self,
        by: Actor,
        node: NodeId,
        act: Act,
        priority: u8,
        reason: Reason,
    ) {
        self.steps.push(Step {
            node,
            act,
            reason,
            priority,
            by,
        });
    }

    /// Plans a step that takes a place among the operations.
    pub(super) fn step_in_slot(
        &mut self,
        kind: Limited,
        node: NodeId,
        act: Act,
        priority: u8,
        reason: Reason,
    ) {
        self.slots.take(kind);
        if kind == Limited::Starts {
            self.running = self.running.saturating_add(1);
        }
        self.step(node, act, priority, reason);
    }

    /// Notes why something was considered and is not done.
    pub(super) fn hold(&mut self, doing: Doing, because: Reason) {
        self.held_back.push(Reason::Withheld {
            doing,
            because: Box::new(because),
        });
    }

    /// Whether the plan takes nodes away so far. It adds and starts none then.
    pub(super) fn takes_away(&self) -> Option<Doing> {
        self.steps.iter().find_map(|step| match step.act {
            Act::Stop => Some(Doing::Stopping),
            Act::Remove => Some(Doing::Removing),
            _ => None,
        })
    }

    pub(super) fn upgrades(&self) -> bool {
        self.steps.iter().any(|step| step.act == Act::Upgrade)
    }

    /// How a stopped node is started.
    pub(super) fn start_act(&self, node: &Node) -> Act {
        Act::Start {
            upgrade_first: self.snapshot.upgrades_enabled && self.outdated(node),
        }
    }

    /// Whether a node is of an older version than there is. One without a version is not known to be.
    pub(super) fn outdated(&self, node: &Node) -> bool {
        match (&node.version, &self.features.binary) {
            (Some(version), Some(binary)) => version < binary,
            _ => false,
        }
    }

    /// Numbers for `count` new nodes; fewer, and a reason, where they or their ports end.
    pub(super) fn new_ids(&self, count: u32) -> (Vec<NodeId>, Option<Reason>) {
        let machine = &self.snapshot.machine;
        let taken: BTreeSet<NodeId> = self.snapshot.nodes.iter().map(|node| node.id).collect();
        let blocked: BTreeSet<NodeId> = self.snapshot.blocked_ids.iter().map(|b| b.id).collect();
        let wanted = usize::try_from(count.min(MOST_ADDS)).unwrap_or(usize::MAX);
        let policy = self.snapshot.policy.ids;
        let mut ids = Vec::new();
        for id in policy.next(&taken, &blocked, self.snapshot.state.highest_id, wanted) {
            if let Err(error) = policy.ports_of(id, &machine.ports) {
                let said = error.to_string();
                return (ids, Some(Reason::NoPort { said }));
            }
            ids.push(id);
        }
        let short = (ids.len() < wanted).then(|| Reason::NoPort {
            said: "no number is left for a new node".to_owned(),
        });
        (ids, short)
    }

    /// Why there is no room for one more node to run: values at their add thresholds or above, and changes
    /// whose load does not show yet.
    pub(super) fn hindrances(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.features.hindrances().map(Reason::Measured).collect();
        let under_way = self.features.census.operations();
        if under_way > 0 {
            reasons.push(Reason::UnderWay {
                of: Limited::Operations,
                count: under_way,
            });
        }
        reasons
    }

    /// The plan of a cycle.
    pub(super) fn finish(mut self) -> Plan {
        let kind = match () {
            () if self.snapshot.rebooted => PlanKind::Rebooted,
            () if !self.steps.is_empty() => PlanKind::Act,
            () if self.snapshot.nodes.is_empty() => PlanKind::NoNodes,
            () => PlanKind::Idle,
        };
        self.steps
            .sort_by_key(|step| std::cmp::Reverse(step.priority));
        self.into_plan(kind)
    }

    /// The plan of a person's word.
    pub(super) fn finish_asked(self) -> Plan {
        let kind = match self.steps.is_empty() {
            true => PlanKind::Idle,
            false => PlanKind::Act,
        };
        self.into_plan(kind)
    }

    fn into_plan(self, kind: PlanKind) -> Plan {
        Plan {
            kind,
            machine_steps: Vec::new(),
            steps: self.steps,
            held_back: self.held_back,
            warnings: self.warnings,
            features: self.features,
        }
    }

    fn warn(&mut self) {
        let full = Percent::whole(100);
        if self.features.expected_fill > full {
            self.warnings.push(Reason::Measured(Figure::new(
                Measure::ExpectedFill,
                self.features.expected_fill.get(),
                Relation::Above,
                full.get(),
            )));
        }
        self.warnings.extend(self.binary_older());
        for blocked in &self.snapshot.blocked_ids {
            self.warnings.push(Reason::BlockedId {
                id: blocked.id,
                said: blocked.reason.clone(),
            });
        }
    }

    /// That the binary is older than what some node runs, where it is.
    pub(super) fn binary_older(&self) -> Option<Reason> {
        let (binary, newest) = (
            self.features.binary.as_ref()?,
            self.features.newest.as_ref()?,
        );
        (*binary < newest.version).then(|| Reason::BinaryOlder {
            binary: binary.clone(),
            node: newest.node,
            version: newest.version.clone(),
        })
    }
}
