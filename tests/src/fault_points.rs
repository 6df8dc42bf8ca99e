//! The fault points of all crates.

use std::sync::LazyLock;

/// Every fault point: those around an act, those of files, and those of each manager in the order of its acts.
pub static POINTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    [
        wnm_colony::act::FAULT_POINTS,
        wnm_host::files::FAULT_POINTS,
        wnm_setsid::FAULT_POINTS,
        wnm_antctl::FAULT_POINTS,
        #[cfg(target_os = "linux")]
        wnm_systemd::FAULT_POINTS,
        wnm_launchd::FAULT_POINTS,
        wnm_s6overlay::FAULT_POINTS,
    ]
    .concat()
});
