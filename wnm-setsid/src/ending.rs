//! Ending a node: asked first, then made, and no success before nothing of it is left.

use std::time::Duration;

use nix::sys::signal::Signal;
use rustix::process::test_kill_process_group;
use tokio::time::{Instant, timeout_at};
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::blocking;

use crate::Setsid;
use crate::kin::Groups;
use crate::process::{Kin, Mark};
use crate::table::TableError;
use crate::watch::Held;

/// How long a killed process may take to go: it does not return from a call to a slow disk before that.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

impl Setsid {
    /// Ends every process of a node and of the group it leads.
    pub(crate) async fn end(&self, node: &Node) -> Result<(), ManagerError> {
        let mut groups = Groups::default();
        let (grace, killed) = (self.grace, KILLED_WITHIN);
        if self
            .end_by(node, &mut groups, Signal::SIGTERM, grace)
            .await?
            || self
                .end_by(node, &mut groups, Signal::SIGKILL, killed)
                .await?
        {
            return Ok(());
        }
        Err(ManagerError::TimedOut {
            what: format!("ending {}", node.service),
            limit: grace.saturating_add(killed),
        })
    }

    /// Sends one signal to all that is there, again to what came up meanwhile, until nothing is left or the
    /// time is over. Whether nothing is left.
    async fn end_by(
        &self,
        node: &Node,
        groups: &mut Groups,
        signal: Signal,
        limit: Duration,
    ) -> Result<bool, ManagerError> {
        let deadline = Instant::now() + limit;
        loop {
            let held = self.hold(node, groups).await?;
            if held.is_empty() {
                return Ok(true);
            }
            self.hands.signal(&self.table, &held, signal).await?;
            fault::point("setsid.stop.terminated");
            let ended = timeout_at(deadline, self.all_ended(&held)).await;
            match ended {
                Err(_) => return Ok(false),
                Ok(outcome) => outcome?,
            }
            if groups.numbers().next().is_some() && groups.numbers().all(is_empty) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
    }

    /// Takes hold of everything that a signal to the node has to reach.
    async fn hold(&self, node: &Node, groups: &mut Groups) -> Result<Vec<Held>, ManagerError> {
        let verified: Vec<Kin> = self
            .processes_of(node)
            .await?
            .iter()
            .map(|p| p.kin)
            .collect();
        if verified.is_empty() && groups.numbers().next().is_none() {
            return Ok(Vec::new());
        }
        let table = self.table.clone();
        let everyone = blocking(move || Ok(table.everyone()?)).await?;
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let own = everyone
            .iter()
            .find(|kin| kin.pid == own)
            .copied()
            .ok_or_else(|| TableError::Foreign("/proc".into()))?;
        let mark = Mark::of(node);
        let mut held = Vec::new();
        for kin in groups.reach(&everyone, &verified, own) {
            let taken = Held::take(&self.table, kin).map_err(|source| {
                ManagerError::io(format!("holding process {}", kin.pid), source)
            })?;
            // Looked at once more now that it is held: only what is still the node's is signalled.
            let still = !verified.contains(&kin)
                || self.table.look(kin.pid).is_some_and(|now| mark.is_of(&now));
            held.extend(taken.filter(|_| still));
        }
        Ok(held)
    }

    async fn all_ended(&self, held: &[Held]) -> Result<(), ManagerError> {
        for process in held {
            process.ended(&self.table).await.map_err(|source| {
                ManagerError::io(
                    format!("waiting for process {} to end", process.kin.pid),
                    source,
                )
            })?;
        }
        Ok(())
    }
}

/// Whether a process group has no member, not even one that ended and was not collected yet.
fn is_empty(group: i32) -> bool {
    rustix::process::Pid::from_raw(group)
        .is_none_or(|group| test_kill_process_group(group) == Err(rustix::io::Errno::SRCH))
}
