//! What this crate registers: the names of its managers and what they declare.

use std::sync::Arc;

use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::registry::ManagerFactory;

use crate::{FAULT_POINTS, Launchd, is_available, session_advice};

/// Jobs of the caller's own launchd domain.
pub const USER: ManagerKind = ManagerKind::from_static("launchd+user");

/// Jobs of the machine's launchd domain.
pub const SUDO: ManagerKind = ManagerKind::from_static("launchd+sudo");

/// Builds the managers of launchd jobs.
#[derive(Debug, Clone, Copy, Default)]
pub struct LaunchdFactory;

impl ManagerFactory for LaunchdFactory {
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![SUDO, USER]
    }

    /// Needs `launchctl` on `PATH`. That is not a matter of course on macOS either: cron's `PATH` may lack its
    /// directory.
    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        if !is_available(std::env::var_os("PATH").as_deref()) {
            return Err(ManagerError::NotFound(format!(
                "{kind} needs launchctl, which macOS has; there is none on PATH"
            )));
        }
        Ok(Arc::new(Launchd::new(kind.clone(), context)?))
    }

    fn advice(&self, kind: &ManagerKind) -> Option<String> {
        session_advice(kind)
    }

    fn native(&self) -> Option<ManagerKind> {
        cfg!(target_os = "macos").then_some(USER)
    }

    fn fault_points(&self) -> &'static [&'static str] {
        FAULT_POINTS
    }
}
