//! Switches that make a node misbehave. A test sets one by a file in the root directory or by an environment
//! variable.

use std::path::Path;
use std::time::Duration;

/// Exit with code 1 at the start.
const CRASH: Switch = Switch {
    file: "sim-crash",
    variable: "WNM_SIM_CRASH",
};
/// Accept connections to the metrics port and never answer. The content `closed` closes the port instead. Read
/// again for every connection.
const SILENT: Switch = Switch {
    file: "sim-silent",
    variable: "WNM_SIM_SILENT",
};
/// Exit with code 1 this many milliseconds after the start.
const EXIT_AFTER: Switch = Switch {
    file: "sim-exit-after-ms",
    variable: "WNM_SIM_EXIT_AFTER_MS",
};
/// The version that a self-upgrade (SIGUSR1) installs over its own executable file.
const UPGRADE_TO: Switch = Switch {
    file: "sim-upgrade-to",
    variable: "WNM_SIM_UPGRADE_TO",
};

/// How the metrics server refuses to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It accepts connections and holds them open.
    Mute,
    /// It closes the port.
    Closed,
}

struct Switch {
    file: &'static str,
    variable: &'static str,
}

impl Switch {
    /// The switch's value, if it is set. The file takes precedence over the environment.
    fn value(&self, root: &Path) -> Option<String> {
        std::fs::read_to_string(root.join(self.file))
            .ok()
            .or_else(|| std::env::var(self.variable).ok())
            .map(|value| value.trim().to_owned())
    }
}

pub(crate) fn crashes(root: &Path) -> bool {
    CRASH.value(root).is_some()
}

pub(crate) fn silence(root: &Path) -> Option<Silence> {
    match SILENT.value(root)?.as_str() {
        "closed" => Some(Silence::Closed),
        _ => Some(Silence::Mute),
    }
}

pub(crate) fn exit_delay(root: &Path) -> Option<Duration> {
    let milliseconds = EXIT_AFTER.value(root)?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

pub(crate) fn upgrade_version(root: &Path) -> Option<String> {
    UPGRADE_TO.value(root).filter(|version| !version.is_empty())
}
