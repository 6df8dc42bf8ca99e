//! What this crate registers: the names of its managers and what they declare.

use std::sync::Arc;

use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::registry::ManagerFactory;

use crate::{FAULT_POINTS, Setsid};

/// Plain processes under the caller's account: works everywhere.
pub const USER: ManagerKind = ManagerKind::from_static("setsid+user");

/// Plain processes under the user `ant`.
pub const SUDO: ManagerKind = ManagerKind::from_static("setsid+sudo");

/// Builds the managers of plain processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetsidFactory;

impl ManagerFactory for SetsidFactory {
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![SUDO, USER]
    }

    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        Ok(Arc::new(Setsid::new(kind.clone(), context)))
    }

    fn fault_points(&self) -> &'static [&'static str] {
        FAULT_POINTS
    }
}
