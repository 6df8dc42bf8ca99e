//! What this crate registers: the names of its managers and what they declare.

use std::path::Path;
use std::sync::Arc;

use wnm_core::doctor::Finding;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::registry::ManagerFactory;

use crate::lingering::{lingering_advice, user_without_lingering};
use crate::{FAULT_POINTS, Systemd};

/// Units of the caller's own systemd.
pub const USER: ManagerKind = ManagerKind::from_static("systemd+user");

/// Units of the machine's systemd.
pub const SUDO: ManagerKind = ManagerKind::from_static("systemd+sudo");

/// There while systemd runs the machine (sd_booted(3)).
const BOOTED: &str = "/run/systemd/system";

/// Builds the managers of systemd units.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemdFactory;

impl ManagerFactory for SystemdFactory {
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![SUDO, USER]
    }

    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        Ok(Arc::new(Systemd::new(kind.clone(), context)?))
    }

    fn findings(&self, kind: &ManagerKind) -> Vec<Finding> {
        let user = user_without_lingering(kind);
        let finding = user.map(|user| Finding::LingeringOff { user });
        finding.into_iter().collect()
    }

    fn advice(&self, kind: &ManagerKind) -> Option<String> {
        lingering_advice(kind)
    }

    fn native(&self) -> Option<ManagerKind> {
        Path::new(BOOTED).is_dir().then_some(USER)
    }

    fn released(&self) -> Option<&'static str> {
        Some("the limits of wnm.slice")
    }

    fn fault_points(&self) -> &'static [&'static str] {
        FAULT_POINTS
    }
}
