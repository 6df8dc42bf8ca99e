//! What happens under pressure: nodes are stopped, or removed where only that helps.

use super::rank;
use crate::decide::backoff::left;
use crate::decide::planner::Planner;
use crate::decide::selection::{first, to_go};
use crate::decide::{Act, Doing, Limited, Reason};
use crate::quantity::Seconds;

impl Planner<'_> {
    /// Whether anything has to go: a value above its threshold, or nodes above the cap.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressure().is_some()
    }

    /// The first thing that something has to go for. Disk and cap come first: only they cost data.
    fn pressure(&self) -> Option<Reason> {
        self.removal_cause()
            .or_else(|| self.features.pressures().next().map(Reason::Measured))
    }

    /// Why stopping is not enough: a stopped node still fills the disk and still counts.
    fn removal_cause(&self) -> Option<Reason> {
        let full = self.features.disk_pressure().map(Reason::Measured);
        full.or_else(|| {
            (self.features.over_cap() > 0).then(|| Reason::OverCap {
                nodes: self.features.census.total,
                cap: self.cap(),
            })
        })
    }

    /// Takes nodes away for the load, the disk or the cap.
    pub(super) fn shed(&mut self) {
        match self.removal_cause() {
            Some(cause) => self.remove(&cause),
            None => self.stop(),
        }
        if let Some(pressure) = self.pressure() {
            for doing in [Doing::Upgrading, Doing::Starting, Doing::Adding] {
                self.hold(doing, pressure.clone());
            }
        }
    }

    /// Removes stopped nodes, those that a person stopped last, and running ones only when there are no more.
    fn remove(&mut self, cause: &Reason) {
        if let Some(full) = self.slots.full(Limited::Removals) {
            self.hold(Doing::Removing, full);
            return;
        }
        let mut want = self.slots.free(Limited::Removals);
        if self.features.disk_pressure().is_none() {
            want = want.min(self.features.over_cap());
        }
        let roster = &self.roster;
        let stopped = [roster.resting.as_slice(), &roster.crashed].concat();
        let classes = [
            (stopped, rank::REMOVE_STOPPED),
            (roster.parked.clone(), rank::REMOVE_STOPPED),
            (roster.up.clone(), rank::REMOVE_RUNNING),
        ];
        let strategy = self.snapshot.machine.removal_strategy;
        let mut none = true;
        for (class, rank) in classes {
            for node in first(class, want, to_go(strategy)) {
                let reason = cause.clone();
                self.step_in_slot(Limited::Removals, node.id, Act::Remove, rank, reason);
                want = want.saturating_sub(1);
                none = false;
            }
        }
        if none {
            self.hold(Doing::Removing, Reason::NoCandidate);
        }
    }

    /// Stops running nodes, unless what was taken away before has not shown its effect yet.
    fn stop(&mut self) {
        let Some(figure) = self.features.pressures().next() else {
            return;
        };
        if let Some(reason) = self.stop_hindrance() {
            self.hold(Doing::Stopping, reason);
            return;
        }
        let order = to_go(self.snapshot.machine.removal_strategy);
        let free = self.slots.free(Limited::Removals);
        let chosen = first(self.roster.up.clone(), free, order);
        if chosen.is_empty() {
            self.hold(Doing::Stopping, Reason::NoCandidate);
        }
        for node in chosen {
            let reason = Reason::Measured(figure);
            self.step_in_slot(Limited::Removals, node.id, Act::Stop, rank::STOP, reason);
        }
    }

    fn stop_hindrance(&self) -> Option<Reason> {
        if let Some(doing) = self.takes_away() {
            return Some(Reason::GoesFirst { doing });
        }
        let removing = self.features.census.removing;
        if removing > 0 {
            return Some(Reason::UnderWay {
                of: Limited::Removals,
                count: removing,
            });
        }
        let delay = self.snapshot.machine.delays.remove;
        let recent = self.snapshot.state.last_stopped_at;
        if let Some(since) = recent
            && left(self.now(), since, delay) > Seconds(0)
        {
            let ago = self.now().since(since);
            return Some(Reason::StoppedRecently { ago, delay });
        }
        self.slots.full(Limited::Removals)
    }
}
