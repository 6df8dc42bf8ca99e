use super::backoff::left;
use crate::machine::Delays;
use crate::node::{Actor, DesiredState, Node, ObservedState, TransitionKind};
use crate::quantity::UnixTime;

/// What one node is to the rules: the projection of wanted, seen and under way that deciding needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its removal is over; only its row is left.
    Gone,
    /// Its removal was done a moment ago.
    Leaving,
    /// It should be gone and is not.
    Lingering,
    /// Nobody could say how it is.
    Unseen,
    /// A step was begun and not ended.
    Interrupted,
    /// A person took it out of wnm's hands.
    Disabled,
    /// Its directory is gone.
    Dead,
    /// A step was done a moment ago and its load still settles.
    Settling,
    /// It runs, as it should.
    Up,
    /// It should run and does not.
    Crashed,
    /// It should not run and does.
    Drifted,
    /// It should not run and does not, on someone's word.
    Resting(Actor),
}

impl Role {
    /// The role of `node` at `now`. What nobody can say comes before everything but a removal that is done,
    /// and what was begun before what is wanted.
    pub(super) fn of(node: &Node, delays: &Delays, now: UnixTime) -> Role {
        use DesiredState as Want;
        use ObservedState as Saw;
        let (want, saw) = (node.desired().state, node.observed().state);
        if let Some(removal) = node.transition()
            && removal.kind == TransitionKind::Removing
            && removal.acted
        {
            // One that is seen running was not removed, whatever the record says; its row must stay.
            return match (left(now, removal.since, delays.remove).0, saw) {
                (1.., _) => Role::Leaving,
                (0, Saw::Running) => Role::Lingering,
                (0, _) => Role::Gone,
            };
        }
        let step = node.transition().filter(|step| {
            // A stop has no delay: once done, nothing of it is under way.
            !(step.acted && step.kind == TransitionKind::Stopping)
        });
        match (want, step, saw) {
            (_, _, Saw::Unknown) => Role::Unseen,
            // A node that is being added may have no directory yet, one being removed none any more.
            (Want::Running | Want::Stopped, Some(step), Saw::Dead)
                if step.acted
                    || !matches!(step.kind, TransitionKind::Adding | TransitionKind::Removing) =>
            {
                Role::Dead
            }
            (_, Some(step), _) if !step.acted => Role::Interrupted,
            (Want::Absent, None, _) => Role::Lingering,
            (Want::Disabled, _, _) => Role::Disabled,
            (_, Some(_), _) => Role::Settling,
            (_, None, Saw::Dead) => Role::Dead,
            (Want::Running, None, Saw::Running) => Role::Up,
            (Want::Running, None, Saw::Stopped) => Role::Crashed,
            (Want::Stopped, None, Saw::Stopped) => Role::Resting(node.desired().by),
            // Nobody wanted it stopped, it was only found so: it is taken as it is.
            (Want::Stopped, None, Saw::Running) => match node.desired().by {
                Actor::Found => Role::Up,
                Actor::Wnm | Actor::Operator => Role::Drifted,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Desired, Transition};
    use crate::quantity::Seconds;
    use crate::testing::{NOW, edit, machine, node, under_way};

    fn role(want: DesiredState, by: Actor, step: Option<Transition>, saw: ObservedState) -> Role {
        let mut node = node(1);
        edit(&mut node, |n| {
            n.desired = Desired {
                state: want,
                by,
                since: NOW,
            }
        });
        edit(&mut node, |n| n.transition = step);
        edit(&mut node, |n| n.observed.state = saw);
        Role::of(&node, &machine().delays, NOW)
    }

    #[test]
    fn without_a_step_under_way_wanted_and_seen_decide() {
        use Actor::{Found, Operator, Wnm};
        use DesiredState::{Absent, Disabled, Running, Stopped};
        use ObservedState as Saw;
        let table = [
            (Running, Wnm, Saw::Running, Role::Up),
            (Running, Wnm, Saw::Stopped, Role::Crashed),
            (Running, Operator, Saw::Dead, Role::Dead),
            (Running, Wnm, Saw::Unknown, Role::Unseen),
            (Stopped, Wnm, Saw::Running, Role::Drifted),
            (Stopped, Operator, Saw::Running, Role::Drifted),
            (Stopped, Found, Saw::Running, Role::Up),
            (Stopped, Wnm, Saw::Stopped, Role::Resting(Wnm)),
            (Stopped, Operator, Saw::Stopped, Role::Resting(Operator)),
            (Stopped, Wnm, Saw::Dead, Role::Dead),
            (Stopped, Wnm, Saw::Unknown, Role::Unseen),
            (Disabled, Operator, Saw::Running, Role::Disabled),
            (Disabled, Operator, Saw::Stopped, Role::Disabled),
            (Disabled, Operator, Saw::Dead, Role::Disabled),
            (Disabled, Operator, Saw::Unknown, Role::Unseen),
            (Absent, Wnm, Saw::Running, Role::Lingering),
            (Absent, Wnm, Saw::Stopped, Role::Lingering),
            (Absent, Wnm, Saw::Dead, Role::Lingering),
            (Absent, Wnm, Saw::Unknown, Role::Unseen),
        ];
        for (want, by, saw, expected) in table {
            assert_eq!(role(want, by, None, saw), expected, "{want} {by} {saw}");
        }
    }

    #[test]
    fn a_step_under_way_comes_first() {
        use DesiredState::{Absent, Disabled, Running, Stopped};
        use ObservedState as Saw;
        use TransitionKind::{Adding, Removing, Starting, Stopping, Upgrading};
        let table = [
            (Running, Adding, false, Saw::Dead, Role::Interrupted),
            (Running, Adding, true, Saw::Dead, Role::Dead),
            (Running, Starting, false, Saw::Dead, Role::Dead),
            (Running, Starting, false, Saw::Stopped, Role::Interrupted),
            (Running, Starting, true, Saw::Running, Role::Settling),
            (Running, Starting, true, Saw::Stopped, Role::Settling),
            (Running, Starting, false, Saw::Unknown, Role::Unseen),
            (Running, Upgrading, true, Saw::Unknown, Role::Unseen),
            (Stopped, Stopping, false, Saw::Running, Role::Interrupted),
            (Stopped, Stopping, true, Saw::Running, Role::Drifted),
            (
                Stopped,
                Stopping,
                true,
                Saw::Stopped,
                Role::Resting(Actor::Wnm),
            ),
            (Disabled, Stopping, false, Saw::Running, Role::Interrupted),
            (Disabled, Starting, true, Saw::Running, Role::Disabled),
            (Absent, Removing, false, Saw::Dead, Role::Interrupted),
            (Absent, Removing, false, Saw::Unknown, Role::Unseen),
            (Absent, Removing, true, Saw::Stopped, Role::Leaving),
            (Absent, Starting, true, Saw::Running, Role::Settling),
        ];
        for (want, kind, acted, saw, expected) in table {
            let step = Some(under_way(kind, acted, Seconds(0)));
            let role = role(want, Actor::Wnm, step, saw);
            assert_eq!(role, expected, "{want} {kind} {acted} {saw}");
        }
    }

    #[test]
    fn a_removal_is_over_after_its_delay_unless_the_node_is_seen_running() {
        let delay = machine().delays.remove;
        let after = |seconds, saw| {
            let step = under_way(TransitionKind::Removing, true, Seconds(seconds));
            role(DesiredState::Absent, Actor::Wnm, Some(step), saw)
        };
        assert_eq!(after(delay.0 - 1, ObservedState::Stopped), Role::Leaving);
        assert_eq!(after(delay.0, ObservedState::Stopped), Role::Gone);
        assert_eq!(after(delay.0, ObservedState::Unknown), Role::Gone);
        assert_eq!(after(delay.0, ObservedState::Running), Role::Lingering);
    }
}
