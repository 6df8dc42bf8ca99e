//! What this crate registers: the names of its managers and what they declare.

use std::sync::Arc;

use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::registry::ManagerFactory;

use crate::{Antctl, FAULT_POINTS};

/// Services of the caller's own antctl.
pub const USER: ManagerKind = ManagerKind::from_static("antctl+user");

/// Services of root's antctl.
pub const SUDO: ManagerKind = ManagerKind::from_static("antctl+sudo");

/// Services of the caller's own antctl, in the directories that antctl chooses.
pub const ZEN: ManagerKind = ManagerKind::from_static("antctl+zen");

/// Builds the managers of antctl's services.
#[derive(Debug, Clone, Default)]
pub struct AntctlFactory {
    backtrace: Option<String>,
}

impl AntctlFactory {
    /// Sets `RUST_BACKTRACE` for antctl.
    #[must_use]
    pub fn with_backtrace(mut self, backtrace: Option<String>) -> Self {
        self.backtrace = backtrace;
        self
    }
}

impl ManagerFactory for AntctlFactory {
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![SUDO, USER, ZEN]
    }

    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        let backtrace = self.backtrace.clone();
        Ok(Arc::new(Antctl::new(kind.clone(), context, backtrace)?))
    }

    fn fault_points(&self) -> &'static [&'static str] {
        FAULT_POINTS
    }
}
