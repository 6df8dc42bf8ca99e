/// The fault points of this crate, in the order of the acts.
pub const FAULT_POINTS: &[&str] = &[
    "s6overlay.container.directories",
    "s6overlay.container.created",
    "s6overlay.add.directories",
    "s6overlay.add.binary",
    "s6overlay.start.started",
    "s6overlay.stop.stopped",
    "s6overlay.upgrade.stopped",
    "s6overlay.upgrade.replaced",
    "s6overlay.remove.dropped",
    "s6overlay.remove.logs",
    "s6overlay.remove.data",
];
