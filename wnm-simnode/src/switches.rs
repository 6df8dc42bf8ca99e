//! What a test can make a node do, by a file in its root directory or by its environment.

use std::path::Path;
use std::time::Duration;

/// Exit 1 at the start.
const CRASH: Switch = Switch {
    file: "sim-crash",
    variable: "WNM_SIM_CRASH",
};
/// Take connections to the metrics port and never answer, or with the word `closed` listen there no more; looked at
/// anew for every connection.
const SILENT: Switch = Switch {
    file: "sim-silent",
    variable: "WNM_SIM_SILENT",
};
/// End with exit code 1 so many milliseconds after the start.
const EXIT_AFTER: Switch = Switch {
    file: "sim-exit-after-ms",
    variable: "WNM_SIM_EXIT_AFTER_MS",
};
/// The version that a self-upgrade (SIGUSR1) puts in the place of the own file first.
const UPGRADE_TO: Switch = Switch {
    file: "sim-upgrade-to",
    variable: "WNM_SIM_UPGRADE_TO",
};

/// How a node is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Connections are taken and held.
    Mute,
    /// The port is given up.
    Closed,
}

struct Switch {
    file: &'static str,
    variable: &'static str,
}

impl Switch {
    /// The switch's text; the file goes before the environment.
    fn text(&self, root: &Path) -> Option<String> {
        std::fs::read_to_string(root.join(self.file))
            .ok()
            .or_else(|| std::env::var(self.variable).ok())
            .map(|text| text.trim().to_owned())
    }
}

pub(crate) fn crashes(root: &Path) -> bool {
    CRASH.text(root).is_some()
}

pub(crate) fn silence(root: &Path) -> Option<Silence> {
    match SILENT.text(root)?.as_str() {
        "closed" => Some(Silence::Closed),
        _ => Some(Silence::Mute),
    }
}

pub(crate) fn exits_after(root: &Path) -> Option<Duration> {
    let milliseconds = EXIT_AFTER.text(root)?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

pub(crate) fn upgrades_to(root: &Path) -> Option<String> {
    UPGRADE_TO.text(root).filter(|version| !version.is_empty())
}
