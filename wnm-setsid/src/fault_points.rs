/// The fault points of this crate, in the order of the acts.
pub const FAULT_POINTS: &[&str] = &[
    "setsid.add.directories",
    "setsid.add.binary",
    "setsid.start.spawned",
    "setsid.stop.terminated",
    "setsid.upgrade.stopped",
    "setsid.upgrade.kept",
    "setsid.upgrade.replaced",
    "setsid.remove.stopped",
    "setsid.remove.logs",
    "setsid.remove.data",
];
