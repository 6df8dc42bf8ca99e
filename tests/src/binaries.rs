//! The programs under test, built from this workspace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A directory that holds `wnm`, `antnode-sim`, `fake-launchctl` and `stub-systemctl`. When it is set nothing is built:
/// for continuous integration, which builds once, and for tests that run where there is no cargo.
const PREBUILT: &str = "WNM_TEST_BINARIES";

/// The `wnm` program.
pub fn wnm() -> PathBuf {
    find("wnm")
}

/// The simulated node, without a version stamp.
pub fn simulated_node() -> PathBuf {
    find("antnode-sim")
}

/// The launchctl, and the launchd behind it, for systems that have none.
pub fn fake_launchctl() -> PathBuf {
    find("fake-launchctl")
}

/// A systemctl that runs units without a systemd.
pub fn stub_systemctl() -> PathBuf {
    find("stub-systemctl")
}

fn find(program: &str) -> PathBuf {
    if let Some(dir) = std::env::var_os(PREBUILT) {
        let path = Path::new(&dir).join(program);
        assert!(
            path.is_file(),
            "{PREBUILT} has no {program}: build it first"
        );
        return path;
    }
    static BUILT: OnceLock<Programs> = OnceLock::new();
    let built = BUILT.get_or_init(|| match std::env::var("NEXTEST_RUN_ID") {
        Ok(run) => build_once(&run),
        Err(_) => build(),
    });
    let path = built.get(program);
    path.unwrap_or_else(|| panic!("nothing builds {program}"))
        .clone()
}

/// The paths of the programs, by name.
type Programs = BTreeMap<String, PathBuf>;

/// nextest runs every test in its own process: the first of a run builds, and the others read the paths.
fn build_once(run: &str) -> Programs {
    let dir = profile_dir().join("wnm-test-build");
    fs::create_dir_all(&dir).expect("no directory for the build's answer");
    let lock = fs::File::create(dir.join("lock")).expect("no lock for the build");
    lock.lock().expect("the build cannot be locked");
    let answer = dir.join("programs.json");
    let known = fs::read(&answer).unwrap_or_default();
    if let Ok((of, programs)) = serde_json::from_slice::<(String, Programs)>(&known)
        && of == run
    {
        return programs;
    }
    let programs = build();
    let json = serde_json::to_vec(&(run, &programs)).expect("paths are text");
    fs::write(&answer, json).expect("the build's answer cannot be kept");
    programs
}

/// Builds the programs in the profile of this test and returns their paths.
fn build() -> Programs {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--bins", "--message-format=json"])
        .args(["-p", "wnm-cli", "-p", "wnm-simnode", "-p", "wnm-tests"])
        .args(["--features", "wnm-cli/fault-points"])
        .args(["--profile", &own_profile()])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = cargo.output().expect("cargo cannot be run");
    assert!(output.status.success(), "the programs do not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let program = PathBuf::from(message["executable"].as_str()?);
            let name = program.file_stem()?.to_str()?.to_owned();
            Some((name, program))
        })
        .collect()
}

/// The directory `debug` belongs to the profile `dev`; other directories are named after their profile.
fn own_profile() -> String {
    match profile_dir().file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// This test is in `target/<profile>/deps`.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("this test has no path");
    let dir = exe.ancestors().nth(2);
    dir.expect("this test lies in no target directory")
        .to_owned()
}
