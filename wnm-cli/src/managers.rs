//! Which process managers this program has: the one place that names them.

use std::path::Path;
use std::sync::Arc;

use wnm_antctl::Antctl;
use wnm_core::kind::{ManagerKind, Supervisor};
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_s6overlay::S6Overlay;
use wnm_setsid::Setsid;

/// Builds a manager. `backtrace` is `RUST_BACKTRACE` for antctl.
pub fn build(
    kind: ManagerKind,
    context: ManagerContext,
    backtrace: Option<&str>,
) -> Result<Arc<dyn ProcessManager>, ManagerError> {
    match kind.supervisor() {
        Supervisor::Setsid => Ok(Arc::new(Setsid::new(kind, context))),
        #[cfg(target_os = "linux")]
        Supervisor::Systemd => Ok(Arc::new(wnm_systemd::Systemd::new(kind, context)?)),
        #[cfg(not(target_os = "linux"))]
        Supervisor::Systemd => Err(ManagerError::NotFound(format!(
            "this wnm can drive {} only",
            available()
        ))),
        Supervisor::Launchd if has_launchctl() => {
            Ok(Arc::new(wnm_launchd::Launchd::new(kind, context)?))
        }
        Supervisor::Launchd => Err(ManagerError::NotFound(format!(
            "{kind} needs launchctl, which macOS has; there is none on PATH, and without it this wnm can drive {} \
             only",
            available()
        ))),
        Supervisor::Antctl => {
            let backtrace = backtrace.map(str::to_owned);
            Ok(Arc::new(Antctl::new(kind, context, backtrace)?))
        }
        Supervisor::S6overlay => Ok(Arc::new(S6Overlay::new(kind, context)?)),
    }
}

/// Looked for and not taken for granted on macOS: cron's PATH may lack its directory.
fn has_launchctl() -> bool {
    wnm_launchd::is_available(std::env::var_os("PATH").as_deref())
}

fn available() -> String {
    let there: Vec<String> = AVAILABLE.iter().map(ManagerKind::to_string).collect();
    there.join(", ")
}

/// The managers there are.
const AVAILABLE: &[ManagerKind] = &[
    ManagerKind::SETSID_USER,
    ManagerKind::SETSID_SUDO,
    #[cfg(target_os = "linux")]
    ManagerKind::SYSTEMD_USER,
    #[cfg(target_os = "linux")]
    ManagerKind::SYSTEMD_SUDO,
    #[cfg(target_os = "macos")]
    ManagerKind::LAUNCHD_USER,
    #[cfg(target_os = "macos")]
    ManagerKind::LAUNCHD_SUDO,
    ManagerKind::ANTCTL_USER,
    ManagerKind::ANTCTL_SUDO,
    ManagerKind::ANTCTL_ZEN,
    ManagerKind::S6OVERLAY_USER,
];

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

/// What a person should know of a manager before they trust nodes to it.
pub fn advice(kind: ManagerKind) -> Option<String> {
    #[cfg(target_os = "linux")]
    if kind.supervisor() == Supervisor::Systemd {
        return wnm_systemd::lingering_advice(kind);
    }
    if kind.supervisor() == Supervisor::Launchd {
        return wnm_launchd::session_advice(kind);
    }
    None
}

/// Whose nodes end with the login, where they do.
pub fn lingering_off(kind: ManagerKind) -> Option<String> {
    #[cfg(target_os = "linux")]
    if kind.supervisor() == Supervisor::Systemd {
        return wnm_systemd::user_without_lingering(kind);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = kind;
    None
}
