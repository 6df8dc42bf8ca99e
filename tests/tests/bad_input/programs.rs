//! Node programs that are missing, cannot be run, are another program, or hang.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use wnm_tests::colony::Colony;
use wnm_tests::nodes::WALLET;
use wnm_tests::wait::{self, LONG};

use crate::directory_state::DirectoryState;
use crate::{colony_of, one_line, refused};

fn script(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Programs that cannot be node programs, and what the error says.
fn wrong_programs(dir: &Path) -> Vec<(PathBuf, &'static str)> {
    fs::create_dir(dir.join("a-directory")).unwrap();
    vec![
        (dir.join("missing"), "does not exist"),
        (dir.join("missing/deeper"), "does not exist"),
        (dir.join("a-directory"), "a-directory"),
        (
            script(dir, "plain", "#!/bin/sh\nexit 0\n", 0o644),
            "not executable",
        ),
        (
            script(dir, "other", "#!/bin/sh\necho antctl 0.14.2\n", 0o755),
            "antctl 0.14.2",
        ),
        (
            script(dir, "silent", "#!/bin/sh\nexit 3\n", 0o755),
            "no output",
        ),
        (
            script(
                dir,
                "noise",
                "#!/bin/sh\nyes \\033[31m | head -c 4000000\n",
                0o755,
            ),
            "--version",
        ),
        (
            script(dir, "garbage", "\u{7f}ELF but not really", 0o755),
            "garbage",
        ),
    ]
}

#[test]
fn init_refuses_a_wrong_program() {
    let colony = Colony::new();
    for (program, words) in wrong_programs(colony.dir()) {
        let path = program.to_str().unwrap();
        let args = [
            "--init",
            "--rewards-address",
            WALLET,
            "--antnode-path",
            path,
        ];
        let line = refused(&colony, &args, &[path, words]);
        assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
    }
}

#[test]
fn a_hanging_program_is_killed() {
    let colony = Colony::new();
    // Its child would outlive it without the process group.
    let pid = colony.dir().join("pid");
    let text = format!(
        "#!/bin/sh\nsleep 600 &\necho $! > '{}'\nwait\n",
        pid.display()
    );
    let hangs = script(colony.dir(), "hangs", &text, 0o755);
    let args = [
        "--init",
        "--rewards-address",
        WALLET,
        "--antnode-path",
        hangs.to_str().unwrap(),
    ];
    let line = one_line(&colony.wnm(args).run().refused());
    assert!(line.contains("did not answer --version in time"), "{line}");
    assert!(!colony.database().exists());
    let sleeper: i32 = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    wait::until(LONG, "the end of what hung", || {
        // A zombie that nobody waits for counts as gone.
        let state = fs::read_to_string(format!("/proc/{sleeper}/stat"));
        !state.is_ok_and(|stat| !stat.contains(") Z "))
    });
}

#[test]
fn a_program_that_breaks_later_stops_only_adds() {
    let colony = colony_of(2);
    let before = colony.processes();
    for (program, words) in wrong_programs(colony.dir()) {
        let path = program.to_str().unwrap();
        let output = colony.wnm(["--antnode-path", path]).run().succeeded();
        output.assert_stdout_contains("not adding");
        output.assert_stdout_contains(words);
        for action in ["add", "upgrade"] {
            let pictured = DirectoryState::of(&colony.storage());
            let output = colony.wnm(["--force-action", action]).run().refused();
            let line = one_line(&output);
            assert!(
                line.contains("no node program") && line.contains(words),
                "{line}"
            );
            DirectoryState::of(&colony.storage()).assert_same_as(&pictured);
        }
        colony
            .wnm(["--report", "machine-metrics"])
            .run()
            .succeeded();
    }
    assert_eq!(colony.processes(), before);
    assert_eq!(colony.database().nodes().len(), 2);
}
