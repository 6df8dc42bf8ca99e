//! Checks which antctl is installed and whether wnm can drive it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use semver::Version;
use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;

use crate::output;

/// antctl only prints a line.
const DEADLINE: Duration = Duration::from_secs(20);

/// The oldest version with the options and the registry format that wnm uses.
const MIN_VERSION: Version = Version::new(0, 12, 0);

/// Returns antctl's version. Fails if the program is missing, not antctl, or too old. Runs with the caller's
/// own rights, which suffice for this.
pub(crate) async fn check(
    program: &Path,
    runner: &dyn CommandRunner,
) -> Result<Version, ManagerError> {
    let unusable = |reason: &str| ManagerError::Unreachable {
        supervisor: "antctl".to_owned(),
        reason: format!("{} {reason}", program.display()),
    };
    let file = std::fs::metadata(program).map_err(|_| {
        unusable("does not exist; install antctl with antup, or give its path with --antctl-path")
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
    let text = output::plain_text(&output.stdout);
    let Some(version) = parse(&text) else {
        let first_line: String = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect();
        return Err(unusable(&format!(
            "is no antctl: it answers --version with '{first_line}'; give another with --antctl-path"
        )));
    };
    if version < MIN_VERSION {
        return Err(unusable(&format!(
            "is antctl {version}, and {MIN_VERSION} is the oldest that wnm supports; update it with antup"
        )));
    }
    Ok(version)
}

/// Parses `Autonomi Node Manager v0.14.2` on the first line.
pub(crate) fn parse(text: &str) -> Option<Version> {
    let first_line = text.lines().next()?.trim();
    let version = first_line.strip_prefix("Autonomi Node Manager v")?;
    Version::parse(version.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_on_the_first_line() {
        let text = "Autonomi Node Manager v0.14.2\nPackage version: 2026.1.1\n";
        assert_eq!(parse(text), Some(Version::new(0, 14, 2)));
        for other in ["", "Autonomi Node v0.4.17\n", "antctl 0.14.2\n"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
