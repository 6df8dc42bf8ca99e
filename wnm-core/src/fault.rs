//! Places where a test ends the process as a power cut would.
//!
//! Every act on a node is a row of steps, and wnm may die between any two of them. A test sets
//! `WNM_FAULT_POINT` to one of [`POINTS`]: the process that comes to that point kills itself, with no
//! destructor run and nothing flushed. The next run must then go on as if it had been there all the time.
//!
//! Which points an act comes by is found out by running it once with `WNM_FAULT_TRACE`.
//!
//! Active only with debug assertions or the feature `fault-points`: nobody can make a release die, or write to
//! a file, with an environment variable.

/// The variable that names the point to die at.
pub const VARIABLE: &str = "WNM_FAULT_POINT";

/// The variable that names a file to which every point is added, a line each, as the process comes to it.
pub const TRACE_VARIABLE: &str = "WNM_FAULT_TRACE";

/// Every point, in the order of the acts.
pub const POINTS: &[&str] = &[
    "act.before-intent",
    "act.after-intent",
    "files.install.copied",
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
    "antctl.add.called",
    "antctl.start.called",
    "antctl.stop.called",
    "antctl.upgrade.kept",
    "antctl.upgrade.called",
    "antctl.remove.called",
    "antctl.teardown.called",
    "systemd.slice.written",
    "systemd.add.directories",
    "systemd.add.binary",
    "systemd.add.slice",
    "systemd.add.unit",
    "systemd.add.reloaded",
    "systemd.start.enabled",
    "systemd.start.started",
    "systemd.stop.disabled",
    "systemd.stop.stopped",
    "systemd.upgrade.kept",
    "systemd.upgrade.replaced",
    "systemd.upgrade.restarted",
    "systemd.unit.written",
    "systemd.remove.unit",
    "systemd.remove.slice",
    "systemd.remove.reloaded",
    "systemd.remove.logs",
    "systemd.remove.data",
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
    "act.add.added",
    "act.add.started",
    "act.start.upgraded",
    "act.start.started",
    "act.stop.stopped",
    "act.upgrade.upgraded",
    "act.remove.removed",
    "act.before-outcome",
    "act.after-outcome",
];

/// Notes that the process came here, and ends it when it was told to die here. Does nothing in a release.
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is not listed in POINTS");
    #[cfg(any(debug_assertions, feature = "fault-points"))]
    if let Some(file) = std::env::var_os(TRACE_VARIABLE)
        && let Err(error) = note(std::path::Path::new(&file), name)
    {
        tracing::error!(point = name, %error, "the point cannot be noted");
    }
    #[cfg(any(debug_assertions, feature = "fault-points"))]
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == name) {
        let killed = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::SIGKILL);
        tracing::error!(point = name, ?killed, "still here after killing itself");
    }
    #[cfg(not(any(debug_assertions, feature = "fault-points")))]
    let _ = name;
}

#[cfg(any(debug_assertions, feature = "fault-points"))]
fn note(file: &std::path::Path, name: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(file)?;
    // One write: lanes come to points at the same time.
    file.write_all(format!("{name}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_listed_once_and_lets_others_pass() {
        let distinct: std::collections::BTreeSet<_> = POINTS.iter().collect();
        assert_eq!(distinct.len(), POINTS.len());
        for name in POINTS {
            point(name);
        }
    }
}
