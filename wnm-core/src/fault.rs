//! Places where a test ends the process as a power cut would.
//!
//! Every act on a node is a row of steps, and wnm may die between any two of them. A test sets
//! `WNM_FAULT_POINT` to the name of one: the process that comes to that point kills itself, with no
//! destructor run and nothing flushed. The next run must then go on as if it had been there all the time.
//!
//! Which points an act comes by is found out by running it once with `WNM_FAULT_TRACE`.
//!
//! Active only with the feature `fault-points`: nobody can make an ordinary build die, or write to a file, with an
//! environment variable. Each crate lists its own points in a constant `FAULT_POINTS`, in the order of the acts.

/// The variable that names the point to die at.
pub const VARIABLE: &str = "WNM_FAULT_POINT";

/// The variable that names a file to which every point is added, a line each, as the process comes to it.
pub const TRACE_VARIABLE: &str = "WNM_FAULT_TRACE";

/// Notes that the process came here, and ends it when it was told to die here. Does nothing in a release.
pub fn point(name: &'static str) {
    #[cfg(feature = "fault-points")]
    if let Some(file) = std::env::var_os(TRACE_VARIABLE)
        && let Err(error) = note(std::path::Path::new(&file), name)
    {
        tracing::error!(point = name, %error, "the point cannot be noted");
    }
    #[cfg(feature = "fault-points")]
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == name) {
        let killed = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::SIGKILL);
        tracing::error!(point = name, ?killed, "still here after killing itself");
    }
    #[cfg(not(feature = "fault-points"))]
    let _ = name;
}

#[cfg(feature = "fault-points")]
fn note(file: &std::path::Path, name: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(file)?;
    // One write: lanes come to points at the same time.
    file.write_all(format!("{name}\n").as_bytes())
}
