//! The launchd of a Mac. Its labels are those of any colony of the user. So one test runs at a time, and none where a
//! colony exists.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use crate::call::Call;
use crate::real;

/// The machine's launchd, locked for one test.
pub struct Launchd {
    /// Held until the test ends.
    _alone: File,
}

impl Launchd {
    /// Locks it. `None` after saying that the test is skipped, since the user has nodes.
    pub fn up() -> Option<Self> {
        let path = std::env::temp_dir().join("wnm-test-launchd.lock");
        let alone = File::create(path).expect("no lock for launchd");
        alone.lock().expect("launchd cannot be locked");
        if !loaded().is_empty() {
            real::skip("this user has nodes under launchd, which the tests would touch");
            return None;
        }
        Some(Self { _alone: alone })
    }

    /// A call that finds its `launchctl` on PATH, as every call does.
    pub fn seen_by(&self, call: Call) -> Call {
        call
    }

    /// Its `launchctl`, and the variables that this needs.
    pub fn launchctl(&self) -> (PathBuf, [(&'static str, PathBuf); 0]) {
        (PathBuf::from("/bin/launchctl"), [])
    }
}

impl Drop for Launchd {
    fn drop(&mut self) {
        let uid = nix::unistd::geteuid();
        for label in loaded() {
            for domain in ["gui", "user"] {
                let target = format!("{domain}/{uid}/{label}");
                // It is in one of them, and the next test checks.
                let _ended = Command::new("/bin/launchctl")
                    .args(["bootout", &target])
                    .output();
            }
        }
    }
}

fn loaded() -> Vec<String> {
    let list = Command::new("/bin/launchctl")
        .arg("list")
        .output()
        .expect("launchctl cannot be run");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let labels = list.lines().filter_map(|line| line.split('\t').nth(2));
    labels
        .filter(|label| label.contains("antnode"))
        .map(str::to_owned)
        .collect()
}
