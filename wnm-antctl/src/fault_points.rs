/// The fault points of this crate, in the order of the acts.
pub const FAULT_POINTS: &[&str] = &[
    "antctl.add.called",
    "antctl.start.called",
    "antctl.stop.called",
    "antctl.upgrade.kept",
    "antctl.upgrade.called",
    "antctl.remove.called",
    "antctl.teardown.called",
];
