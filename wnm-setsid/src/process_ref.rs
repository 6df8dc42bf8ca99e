//! References to processes, and which of them a signal to a node must reach: the node and the group it leads.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Identifies a process and places it in the process tree. The kernel reuses pids; pid and start time together
/// identify one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessRef {
    pub pid: i32,
    /// Start time in the table's own unit; only compared for equality and order.
    pub start: u64,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
}

/// Process groups known to belong to one node. Each maps to the start time of its leader, if seen alive.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<i32, Option<u64>>);

impl Groups {
    /// The group ids.
    pub fn ids(&self) -> impl Iterator<Item = i32> {
        self.0.keys().copied()
    }

    /// Returns the processes that a signal to the node must reach: its verified processes and all members of
    /// its own groups.
    ///
    /// A group belongs to the node if it leads a session (as after setsid), is not the group of `own`, and
    /// either its leader is `verified` or, once the leader has exited, every remaining member is verified or
    /// descends from a verified process. The second case covers a node that replaced itself and lives on in its
    /// old group. A group once recognised stays recognised until the kernel reuses its number.
    ///
    /// A node that someone started by hand shares its group with a shell or a cron job; then only its own
    /// processes are returned.
    pub fn signal_targets(
        &mut self,
        all: &[ProcessRef],
        verified: &[ProcessRef],
        own: ProcessRef,
    ) -> Vec<ProcessRef> {
        let by_pid: BTreeMap<i32, ProcessRef> =
            all.iter().map(|process| (process.pid, *process)).collect();
        let verified: Vec<ProcessRef> = verified
            .iter()
            .filter(|process| {
                by_pid
                    .get(&process.pid)
                    .is_some_and(|now| now.start == process.start)
            })
            .copied()
            .collect();
        self.0.retain(|group, leader| {
            by_pid
                .get(group)
                .is_none_or(|now| Some(now.start) == *leader)
        });
        let pids: BTreeSet<i32> = verified.iter().map(|process| process.pid).collect();
        for process in &verified {
            let own_session = process.group > 1
                && process.group == process.session
                && process.group != own.group
                && process.session != own.session;
            if !own_session || self.0.contains_key(&process.group) {
                continue;
            }
            let leader = by_pid.get(&process.group);
            let leader_verified = pids.contains(&process.group);
            let orphaned = leader.is_none()
                && all
                    .iter()
                    .filter(|other| other.group == process.group)
                    .all(|other| descends(other, &pids, &by_pid));
            if leader_verified || orphaned {
                self.0
                    .insert(process.group, leader.map(|leader| leader.start));
            }
        }
        all.iter()
            .filter(|process| {
                let member =
                    self.0.contains_key(&process.group) && process.session == process.group;
                (member || pids.contains(&process.pid)) && process.pid > 1 && process.pid != own.pid
            })
            .copied()
            .collect()
    }
}

/// Whether a process is one of `from` or descends from one.
fn descends(
    process: &ProcessRef,
    from: &BTreeSet<i32>,
    by_pid: &BTreeMap<i32, ProcessRef>,
) -> bool {
    let mut current = Some(process);
    // A chain of parents is never longer than the table; a table that changed while it was read may contain a
    // loop.
    for _ in 0..=by_pid.len() {
        match current {
            Some(process) if from.contains(&process.pid) => return true,
            Some(process) => current = by_pid.get(&process.parent),
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, group: i32, session: i32) -> ProcessRef {
        ProcessRef {
            pid,
            start: u64::from(pid.unsigned_abs()) * 10,
            parent,
            group,
            session,
        }
    }

    const OWN: ProcessRef = ProcessRef {
        pid: 50,
        start: 500,
        parent: 1,
        group: 50,
        session: 40,
    };

    fn target_pids(all: &[ProcessRef], verified: &[ProcessRef]) -> Vec<i32> {
        let targets = Groups::default().signal_targets(all, verified, OWN);
        targets.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_signal_reaches_the_group_that_a_node_leads() {
        let node = process(100, 1, 100, 100);
        let child = process(101, 100, 100, 100);
        let moved_away = process(102, 100, 102, 102);
        let stranger = process(200, 1, 200, 200);
        let all = [OWN, node, child, moved_away, stranger];
        assert_eq!(target_pids(&all, &[node]), [100, 101]);
    }

    #[test]
    fn a_signal_to_a_node_in_a_shells_group_reaches_only_the_node() {
        let shell = process(90, 1, 90, 90);
        let node = process(100, 90, 90, 90);
        let other = process(101, 90, 90, 90);
        assert_eq!(target_pids(&[OWN, shell, node, other], &[node]), [100]);
        // The same after the shell has exited: two nodes of one cron job.
        assert_eq!(target_pids(&[OWN, node, other], &[node]), [100]);
    }

    #[test]
    fn a_node_that_replaced_itself_is_reached_in_its_old_group() {
        let node = process(120, 1, 100, 100);
        let child = process(121, 120, 100, 100);
        assert_eq!(target_pids(&[OWN, node, child], &[node]), [120, 121]);
    }

    #[test]
    fn a_signal_never_reaches_the_group_of_our_own_session() {
        let node = process(100, 50, 40, 40);
        let ours = process(41, 40, 40, 40);
        assert_eq!(target_pids(&[OWN, ours, node], &[node]), [100]);
        assert_eq!(target_pids(&[OWN], &[OWN]), [0; 0]);
    }

    #[test]
    fn the_rest_of_a_group_is_reached_until_its_id_is_reused() {
        let node = process(100, 1, 100, 100);
        let child = process(101, 100, 100, 100);
        let mut groups = Groups::default();
        groups.signal_targets(&[node, child], &[node], OWN);
        let orphan = process(101, 1, 100, 100);
        assert_eq!(groups.signal_targets(&[orphan], &[], OWN), [orphan]);
        let stranger = ProcessRef {
            start: 9999,
            ..node
        };
        assert_eq!(groups.signal_targets(&[stranger], &[], OWN), []);
        assert_eq!(groups.ids().count(), 0);
    }

    #[test]
    fn a_reused_pid_is_not_reached() {
        let node = process(100, 1, 100, 100);
        let stranger = ProcessRef { start: 9, ..node };
        assert_eq!(target_pids(&[OWN, stranger], &[node]), [0; 0]);
    }
}
