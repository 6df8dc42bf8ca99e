//! Which antctl there is, and whether it can be driven.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use semver::Version;
use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;

use crate::words;

/// It only prints a line.
const DEADLINE: Duration = Duration::from_secs(20);

/// The oldest version with the options and the form of the registry that are used here.
const OLDEST: Version = Version::new(0, 12, 0);

/// Asks an antctl for its version, and refuses one that is not there, no antctl, or too old. With the caller's own
/// rights: to ask takes no others.
pub(crate) async fn check(
    program: &Path,
    runner: &dyn CommandRunner,
) -> Result<Version, ManagerError> {
    let unusable = |reason: &str| ManagerError::Unreachable {
        supervisor: "antctl".to_owned(),
        reason: format!("{} {reason}", program.display()),
    };
    let file = std::fs::metadata(program).map_err(|_| {
        unusable("does not exist; install antctl with antup, or give its place with --antctl-path")
    })?;
    if !file.is_file() || file.permissions().mode() & 0o111 == 0 {
        return Err(unusable(
            "is not executable; chmod +x it, or give another with --antctl-path",
        ));
    }
    let spec = CommandSpec::new(program, DEADLINE).arg("--version");
    let output = match runner.run(&spec).await {
        Ok(output) => output,
        Err(error) => return Err(unusable(&format!("cannot be run: {error}"))),
    };
    let said = words::plain(&output.stdout);
    let Some(version) = read(&said) else {
        let first: String = said
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect();
        return Err(unusable(&format!(
            "is no antctl: it answers --version with '{first}'; give another with --antctl-path"
        )));
    };
    if version < OLDEST {
        return Err(unusable(&format!(
            "is antctl {version}, and {OLDEST} is the oldest that can be driven; update it with antup"
        )));
    }
    Ok(version)
}

/// `Autonomi Node Manager v0.14.2` on the first line.
pub(crate) fn read(said: &str) -> Option<Version> {
    let first = said.lines().next()?.trim();
    let version = first.strip_prefix("Autonomi Node Manager v")?;
    Version::parse(version.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_on_the_first_line() {
        let said = "Autonomi Node Manager v0.14.2\nPackage version: 2026.1.1\n";
        assert_eq!(read(said), Some(Version::new(0, 14, 2)));
        for other in ["", "Autonomi Node v0.4.17\n", "antctl 0.14.2\n"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
