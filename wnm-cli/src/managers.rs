//! Which process managers this program has: the one place that names them.

use std::path::Path;
use std::sync::Arc;

use wnm_core::manager::{ManagerContext, ManagerError, ManagerKind, ProcessManager, Supervisor};
use wnm_setsid::Setsid;

/// Builds a manager.
pub fn build(
    kind: ManagerKind,
    context: ManagerContext,
) -> Result<Arc<dyn ProcessManager>, ManagerError> {
    match kind.supervisor() {
        Supervisor::Setsid => Ok(Arc::new(Setsid::new(kind, context))),
        Supervisor::Systemd | Supervisor::Launchd | Supervisor::Antctl | Supervisor::S6overlay => {
            Err(ManagerError::NotFound(format!(
                "this wnm can drive {} only",
                AVAILABLE.map(|kind| kind.to_string()).join(", ")
            )))
        }
    }
}

/// The managers there are.
const AVAILABLE: [ManagerKind; 2] = [ManagerKind::SETSID_USER, ManagerKind::SETSID_SUDO];

/// What `--init` takes when no manager is named: the machine's own supervisor where this program can drive it,
/// otherwise plain processes, which need nothing.
pub fn proposed() -> ManagerKind {
    let own = if cfg!(target_os = "macos") {
        Some(ManagerKind::LAUNCHD_USER)
    } else if Path::new("/run/systemd/system").is_dir() {
        Some(ManagerKind::SYSTEMD_USER)
    } else {
        None
    };
    own.filter(|kind| AVAILABLE.contains(kind))
        .unwrap_or(ManagerKind::SETSID_USER)
}
