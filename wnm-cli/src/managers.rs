//! Which process managers and node programs this program has: the one place that names them.

use wnm_core::kind::ManagerKind;
use wnm_core::registry::{ManagerRegistry, ProgramRegistry};

/// What `--init` takes when the machine has no supervisor of its own that this program can drive: plain processes,
/// which need nothing.
pub const FALLBACK: ManagerKind = wnm_setsid::USER;

/// The managers, in the order in which help lists them. `backtrace` is `RUST_BACKTRACE` for antctl.
pub fn registry(backtrace: Option<String>) -> ManagerRegistry {
    let managers = ManagerRegistry::new();
    #[cfg(target_os = "linux")]
    let managers = managers.with(wnm_systemd::SystemdFactory);
    managers
        .with(wnm_setsid::SetsidFactory)
        .with(wnm_launchd::LaunchdFactory)
        .with(wnm_antctl::AntctlFactory::default().with_backtrace(backtrace))
        .with(wnm_s6overlay::S6OverlayFactory)
}

/// The node programs.
pub fn programs() -> ProgramRegistry {
    ProgramRegistry::new(wnm_programs::AntnodeFactory)
}

/// The manager that `--init` takes when none is named.
pub fn proposed(managers: &ManagerRegistry) -> ManagerKind {
    managers.native().unwrap_or(FALLBACK)
}

/// What a person should know of a manager before they trust nodes to it.
pub fn advice(managers: &ManagerRegistry, kind: &ManagerKind) -> Option<String> {
    managers.factory(kind).ok()?.advice(kind)
}
