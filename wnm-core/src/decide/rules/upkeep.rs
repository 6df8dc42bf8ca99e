//! What comes before any look at the load: ends of removals, interrupted steps, dead nodes, drift.

use super::rank;
use crate::decide::planner::Planner;
use crate::decide::{Act, Doing, Limited, NodeList, Reason};
use crate::node::{Node, Transition, TransitionKind};

impl Planner<'_> {
    /// Drops the rows of nodes whose removal is over.
    pub(super) fn forget(&mut self) {
        for node in in_order(&self.roster.gone) {
            let since = node
                .transition()
                .map_or(self.now(), |removal| removal.since);
            let ago = self.now().since(since);
            self.step(
                node.id,
                Act::Forget,
                rank::FORGET,
                Reason::RemovalOver { ago },
            );
        }
    }

    /// Leaves alone what nobody could see, and says so.
    pub(super) fn leave_unseen(&mut self) {
        let unseen = &self.roster.unseen;
        if unseen.is_empty() {
            return;
        }
        let nodes: NodeList = unseen.iter().map(|node| node.id).collect();
        let begun: NodeList = unseen
            .iter()
            .filter(|node| node.transition().is_some_and(|step| !step.acted))
            .map(|node| node.id)
            .collect();
        self.hold(Doing::Acting, Reason::Unseen { nodes });
        if !begun.ids().is_empty() {
            self.hold(Doing::Resuming, Reason::Unseen { nodes: begun });
        }
    }

    /// Takes up steps that an earlier run left in the middle. They are under way already, so no limit on new
    /// ones holds them back.
    pub(super) fn resume(&mut self) {
        for node in in_order(&self.roster.interrupted) {
            let Some(Transition { kind: doing, .. }) = node.transition() else {
                continue;
            };
            self.step(
                node.id,
                Act::Resume,
                rank::RESUME,
                Reason::Interrupted { doing },
            );
        }
    }

    /// Removes dead nodes, all of them at once since no data is left to lose, and nothing else in that plan.
    pub(super) fn remove_dead(&mut self) -> bool {
        let dead = in_order(&self.roster.dead);
        for node in &dead {
            self.step(node.id, Act::Remove, rank::DEAD, Reason::DirectoryGone);
        }
        if dead.is_empty() {
            return false;
        }
        let doing = Doing::Removing;
        self.hold(Doing::Acting, Reason::GoesFirst { doing });
        true
    }

    /// Brings back to what is wanted what has drifted from it: removed nodes that are there, stopped ones
    /// that run.
    pub(super) fn settle_drift(&mut self) {
        // One whose removal is recorded as done holds its place among the removals already.
        let (counted, uncounted): (Vec<&Node>, Vec<&Node>) = in_order(&self.roster.lingering)
            .into_iter()
            .partition(|node| node.under_way() == Some(TransitionKind::Removing));
        for node in counted {
            self.step(node.id, Act::Remove, rank::DRIFT, self.not_gone(node));
        }
        for node in uncounted {
            if let Some(full) = self.slots.full(Limited::Removals) {
                self.hold(Doing::Removing, full);
                break;
            }
            let reason = self.not_gone(node);
            self.step_in_slot(Limited::Removals, node.id, Act::Remove, rank::DRIFT, reason);
        }
        for node in in_order(&self.roster.drifted) {
            if let Some(full) = self.slots.full(Limited::Removals) {
                self.hold(Doing::Stopping, full);
                break;
            }
            let (by, ago) = (node.desired().by, self.now().since(node.desired().since));
            let reason = Reason::RunsUnwanted { by, ago };
            self.step_in_slot(Limited::Removals, node.id, Act::Stop, rank::DRIFT, reason);
        }
    }

    fn not_gone(&self, node: &Node) -> Reason {
        let ago = self.now().since(node.desired().since);
        Reason::NotGone { ago }
    }
}

fn in_order<'a>(nodes: &[&'a Node]) -> Vec<&'a Node> {
    let mut nodes = nodes.to_vec();
    nodes.sort_unstable_by_key(|node| node.id);
    nodes
}
