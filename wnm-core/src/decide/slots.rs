use super::{Census, Limited, Reason};
use crate::machine::Limits;

/// How many more changes of each kind may begin, counting those under way and those already planned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    limits: Limits,
    starts: u32,
    removals: u32,
    upgrades: u32,
}

impl Slots {
    pub(super) fn new(limits: Limits, census: &Census) -> Self {
        Self {
            limits,
            starts: census.starting,
            removals: census.removing.saturating_add(census.stopping),
            upgrades: census.upgrading,
        }
    }

    /// How many more of this kind.
    pub(super) fn free(&self, kind: Limited) -> u32 {
        let own = self.limit(kind).saturating_sub(self.under_way(kind));
        let all = Limited::Operations;
        own.min(self.limit(all).saturating_sub(self.under_way(all)))
    }

    /// Notes that one of this kind was planned.
    pub(super) fn take(&mut self, kind: Limited) {
        let count = match kind {
            Limited::Starts => &mut self.starts,
            Limited::Removals => &mut self.removals,
            Limited::Upgrades => &mut self.upgrades,
            Limited::Operations => return,
        };
        *count = count.saturating_add(1);
    }

    /// What is in the way of one more of this kind, if anything.
    pub(super) fn full(&self, kind: Limited) -> Option<Reason> {
        [Limited::Operations, kind]
            .into_iter()
            .map(|of| (of, self.under_way(of), self.limit(of)))
            .find(|(_, under_way, limit)| under_way >= limit)
            .map(|(of, under_way, limit)| Reason::Limit {
                of,
                under_way,
                limit,
            })
    }

    fn limit(&self, kind: Limited) -> u32 {
        match kind {
            Limited::Starts => self.limits.starts,
            Limited::Removals => self.limits.removals,
            Limited::Upgrades => self.limits.upgrades,
            Limited::Operations => self.limits.operations,
        }
    }

    fn under_way(&self, kind: Limited) -> u32 {
        match kind {
            Limited::Starts => self.starts,
            Limited::Removals => self.removals,
            Limited::Upgrades => self.upgrades,
            Limited::Operations => self
                .starts
                .saturating_add(self.removals)
                .saturating_add(self.upgrades),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(starts: u32, removals: u32, operations: u32, census: Census) -> Slots {
        let limits = Limits {
            upgrades: 1,
            starts,
            removals,
            operations,
        };
        Slots::new(limits, &census)
    }

    #[test]
    fn both_the_own_limit_and_that_of_all_together_bind() {
        let census = Census {
            starting: 1,
            removing: 2,
            ..Census::default()
        };
        let mut slots = slots(4, 2, 5, census);
        assert_eq!(slots.free(Limited::Starts), 2);
        assert_eq!(slots.free(Limited::Removals), 0);
        assert_eq!(slots.free(Limited::Upgrades), 1);
        slots.take(Limited::Upgrades);
        slots.take(Limited::Starts);
        assert_eq!(slots.free(Limited::Starts), 0);
        let full = slots.full(Limited::Starts).unwrap();
        assert_eq!(full.to_string(), "5 of at most 5 operations under way");
    }

    #[test]
    fn a_limit_of_zero_means_none_of_that_kind() {
        let slots = slots(1, 0, 1, Census::default());
        assert_eq!(slots.free(Limited::Removals), 0);
        assert_eq!(slots.free(Limited::Starts), 1);
        assert!(slots.full(Limited::Removals).is_some());
        assert!(slots.full(Limited::Starts).is_none());
    }
}
