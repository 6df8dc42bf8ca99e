//! Stops nodes: SIGTERM, then SIGKILL, and success only once no process remains.

use std::time::Duration;

use nix::sys::signal::Signal;
use rustix::process::test_kill_process_group;
use tokio::time::{Instant, timeout_at};
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::blocking;

use crate::Setsid;
use crate::handle::ProcessHandle;
use crate::matching::NodeMatcher;
use crate::process_ref::{Groups, ProcessRef};
use crate::table::TableError;

/// How long a killed process may take to exit: it must first return from a call to a slow disk.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

impl Setsid {
    /// Stops every process of a node and of the groups it leads.
    pub(crate) async fn stop_processes(&self, node: &Node) -> Result<(), ManagerError> {
        let mut groups = Groups::default();
        let (grace, kill_timeout) = (self.grace, KILL_TIMEOUT);
        if self
            .signal_until_gone(node, &mut groups, Signal::SIGTERM, grace)
            .await?
            || self
                .signal_until_gone(node, &mut groups, Signal::SIGKILL, kill_timeout)
                .await?
        {
            return Ok(());
        }
        Err(ManagerError::TimedOut {
            what: format!("stopping {}", node.service),
            limit: grace.saturating_add(kill_timeout),
        })
    }

    /// Sends the signal to all processes of the node, and again to new ones, until none remains or `limit` has
    /// passed. Returns whether none remains.
    async fn signal_until_gone(
        &self,
        node: &Node,
        groups: &mut Groups,
        signal: Signal,
        limit: Duration,
    ) -> Result<bool, ManagerError> {
        let deadline = Instant::now() + limit;
        loop {
            let handles = self.signal_targets(node, groups).await?;
            if handles.is_empty() {
                return Ok(true);
            }
            self.process_ops
                .signal(&self.table, &handles, signal)
                .await?;
            fault::point("setsid.stop.terminated");
            let exited = timeout_at(deadline, self.wait_for_all(&handles)).await;
            match exited {
                Err(_) => return Ok(false),
                Ok(outcome) => outcome?,
            }
            if groups.ids().next().is_some() && groups.ids().all(is_empty_group) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
    }

    /// Opens handles to every process that a signal to the node must reach.
    async fn signal_targets(
        &self,
        node: &Node,
        groups: &mut Groups,
    ) -> Result<Vec<ProcessHandle>, ManagerError> {
        let verified: Vec<ProcessRef> = self
            .node_processes(node)
            .await?
            .iter()
            .map(|p| p.id)
            .collect();
        if verified.is_empty() && groups.ids().next().is_none() {
            return Ok(Vec::new());
        }
        let table = self.table.clone();
        let all = blocking(move || Ok(table.all()?)).await?;
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let own = all
            .iter()
            .find(|process| process.pid == own)
            .copied()
            .ok_or_else(|| TableError::Foreign("/proc".into()))?;
        let matcher = NodeMatcher::for_node(node);
        let mut handles = Vec::new();
        for process in groups.signal_targets(&all, &verified, own) {
            let handle = ProcessHandle::open(&self.table, process).map_err(|source| {
                ManagerError::io(
                    format!("opening a handle to process {}", process.pid),
                    source,
                )
            })?;
            // Check again now that the handle is open, and signal only what still belongs to the node.
            let still_matches = !verified.contains(&process)
                || self
                    .table
                    .process(process.pid)
                    .is_some_and(|now| matcher.matches(&now));
            handles.extend(handle.filter(|_| still_matches));
        }
        Ok(handles)
    }

    async fn wait_for_all(&self, handles: &[ProcessHandle]) -> Result<(), ManagerError> {
        for process in handles {
            process.wait_for_exit(&self.table).await.map_err(|source| {
                ManagerError::io(
                    format!("waiting for process {} to end", process.id.pid),
                    source,
                )
            })?;
        }
        Ok(())
    }
}

/// Whether a process group has no member, not even a zombie.
fn is_empty_group(group: i32) -> bool {
    rustix::process::Pid::from_raw(group)
        .is_none_or(|group| test_kill_process_group(group) == Err(rustix::io::Errno::SRCH))
}
