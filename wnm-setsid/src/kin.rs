//! Which processes go down with a node: itself and the group it leads. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::process::Kin;

/// Process groups known to belong to one node, with the start of each one's leader where it was seen alive.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<i32, Option<u64>>);

impl Groups {
    /// The numbers of the groups.
    pub fn numbers(&self) -> impl Iterator<Item = i32> {
        self.0.keys().copied()
    }

    /// What a signal to the node must reach: its verified processes and everyone in a group of its own.
    ///
    /// A group is the node's own when it leads a session (as after setsid), is not that of `own`, and either
    /// its leader is one of the `verified` or, the leader having ended, all who are left in it are verified
    /// or descend from those: a node that upgraded itself lives on in the group of its ended self. Groups
    /// taken as its own before stay so while their number was not given out again.
    ///
    /// A node that somebody started by hand shares its group with a shell or a cron job: then only its own
    /// processes are reached.
    pub fn reach(&mut self, everyone: &[Kin], verified: &[Kin], own: Kin) -> Vec<Kin> {
        let by_pid: BTreeMap<i32, Kin> = everyone.iter().map(|kin| (kin.pid, *kin)).collect();
        let verified: Vec<Kin> = verified
            .iter()
            .filter(|kin| {
                by_pid
                    .get(&kin.pid)
                    .is_some_and(|now| now.start == kin.start)
            })
            .copied()
            .collect();
        self.0.retain(|group, leader| {
            by_pid
                .get(group)
                .is_none_or(|now| Some(now.start) == *leader)
        });
        let pids: BTreeSet<i32> = verified.iter().map(|kin| kin.pid).collect();
        for kin in &verified {
            let apart = kin.group > 1
                && kin.group == kin.session
                && kin.group != own.group
                && kin.session != own.session;
            if !apart || self.0.contains_key(&kin.group) {
                continue;
            }
            let leader = by_pid.get(&kin.group);
            let led = pids.contains(&kin.group);
            let orphaned = leader.is_none()
                && everyone
                    .iter()
                    .filter(|other| other.group == kin.group)
                    .all(|other| descends(other, &pids, &by_pid));
            if led || orphaned {
                self.0.insert(kin.group, leader.map(|leader| leader.start));
            }
        }
        everyone
            .iter()
            .filter(|kin| {
                let member = self.0.contains_key(&kin.group) && kin.session == kin.group;
                (member || pids.contains(&kin.pid)) && kin.pid > 1 && kin.pid != own.pid
            })
            .copied()
            .collect()
    }
}

/// Whether a process is one of these or comes from one.
fn descends(kin: &Kin, from: &BTreeSet<i32>, by_pid: &BTreeMap<i32, Kin>) -> bool {
    let mut at = Some(kin);
    // Nobody has more ancestors than there are processes; a table read while it changed may hold a ring.
    for _ in 0..=by_pid.len() {
        match at {
            Some(kin) if from.contains(&kin.pid) => return true,
            Some(kin) => at = by_pid.get(&kin.parent),
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kin(pid: i32, parent: i32, group: i32, session: i32) -> Kin {
        Kin {
            pid,
            start: u64::from(pid.unsigned_abs()) * 10,
            parent,
            group,
            session,
        }
    }

    const OWN: Kin = Kin {
        pid: 50,
        start: 500,
        parent: 1,
        group: 50,
        session: 40,
    };

    fn reached(everyone: &[Kin], verified: &[Kin]) -> Vec<i32> {
        let reach = Groups::default().reach(everyone, verified, OWN);
        reach.iter().map(|kin| kin.pid).collect()
    }

    #[test]
    fn the_group_that_a_node_leads_goes_with_it() {
        let node = kin(100, 1, 100, 100);
        let child = kin(101, 100, 100, 100);
        let moved_away = kin(102, 100, 102, 102);
        let stranger = kin(200, 1, 200, 200);
        let all = [OWN, node, child, moved_away, stranger];
        assert_eq!(reached(&all, &[node]), [100, 101]);
    }

    #[test]
    fn a_node_in_the_group_of_a_shell_goes_alone() {
        let shell = kin(90, 1, 90, 90);
        let node = kin(100, 90, 90, 90);
        let other = kin(101, 90, 90, 90);
        assert_eq!(reached(&[OWN, shell, node, other], &[node]), [100]);
        // The same once the shell has ended: two nodes of one cron job.
        assert_eq!(reached(&[OWN, node, other], &[node]), [100]);
    }

    #[test]
    fn a_node_that_replaced_itself_is_reached_in_the_group_of_its_ended_self() {
        let node = kin(120, 1, 100, 100);
        let child = kin(121, 120, 100, 100);
        assert_eq!(reached(&[OWN, node, child], &[node]), [120, 121]);
    }

    #[test]
    fn nothing_of_our_own_session_is_reached_by_group() {
        let node = kin(100, 50, 40, 40);
        let ours = kin(41, 40, 40, 40);
        assert_eq!(reached(&[OWN, ours, node], &[node]), [100]);
        assert_eq!(reached(&[OWN], &[OWN]), [0; 0]);
    }

    #[test]
    fn those_left_of_a_group_are_reached_until_its_number_is_given_out_again() {
        let node = kin(100, 1, 100, 100);
        let child = kin(101, 100, 100, 100);
        let mut groups = Groups::default();
        groups.reach(&[node, child], &[node], OWN);
        let orphan = kin(101, 1, 100, 100);
        assert_eq!(groups.reach(&[orphan], &[], OWN), [orphan]);
        let stranger = Kin {
            start: 9999,
            ..node
        };
        assert_eq!(groups.reach(&[stranger], &[], OWN), []);
        assert_eq!(groups.numbers().count(), 0);
    }

    #[test]
    fn a_number_given_to_another_process_meanwhile_is_not_reached() {
        let node = kin(100, 1, 100, 100);
        let stranger = Kin { start: 9, ..node };
        assert_eq!(reached(&[OWN, stranger], &[node]), [0; 0]);
    }
}
