/// The fault points of this crate, in the order of the acts.
pub const FAULT_POINTS: &[&str] = &[
    "launchd.add.directories",
    "launchd.add.binary",
    "launchd.add.file",
    "launchd.file.written",
    "launchd.start.enabled",
    "launchd.start.loaded",
    "launchd.stop.disabled",
    "launchd.stop.unloaded",
    "launchd.upgrade.kept",
    "launchd.upgrade.replaced",
    "launchd.upgrade.restarted",
    "launchd.remove.unloaded",
    "launchd.remove.file",
    "launchd.remove.logs",
    "launchd.remove.data",
];
