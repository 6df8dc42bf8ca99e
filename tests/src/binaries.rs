//! The programs under test, built from this workspace.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A directory that holds `wnm` and `antnode-sim`. When it is set nothing is built: for continuous
/// integration, which builds once, and for tests that run where there is no cargo.
const PREBUILT: &str = "WNM_TEST_BINARIES";

/// The `wnm` program.
pub fn wnm() -> PathBuf {
    find("wnm-cli", "wnm")
}

/// The simulated node, without a stamp.
pub fn simulated_node() -> PathBuf {
    find("wnm-simnode", "antnode-sim")
}

fn find(package: &str, program: &str) -> PathBuf {
    if let Some(dir) = std::env::var_os(PREBUILT) {
        let path = Path::new(&dir).join(program);
        assert!(
            path.is_file(),
            "{PREBUILT} has no {program}: build it first"
        );
        return path;
    }
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build(&["wnm-cli", "wnm-simnode"]));
    let path = built.get(package);
    path.unwrap_or_else(|| panic!("{package} builds no program"))
        .clone()
}

/// Builds the programs of these packages in the profile of this test and tells where cargo put them.
fn build(packages: &[&str]) -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--bins", "--message-format=json"])
        .args(["--profile", &own_profile()])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    for package in packages {
        cargo.args(["-p", package]);
    }
    let output = cargo.output().expect("cargo cannot be run");
    assert!(output.status.success(), "the programs do not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let program = message["executable"].as_str()?;
            let manifest = Path::new(message["manifest_path"].as_str()?);
            let package = manifest.parent()?.file_name()?.to_str()?;
            Some((package.to_owned(), PathBuf::from(program)))
        })
        .collect()
}

/// This test lies in `target/<profile>/deps`; the directory of the profile `dev` is called `debug`.
fn own_profile() -> String {
    let exe = std::env::current_exe().expect("this test has no path");
    let profile = exe
        .parent()
        .and_then(Path::parent)
        .and_then(Path::file_name);
    match profile.and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}
