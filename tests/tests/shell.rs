//! The program in a shell: quiet in cron, one line of JSON for scripts, pipes that close early, completions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use wnm_tests::binaries;
use wnm_tests::call::Call;
use wnm_tests::colony::Colony;

/// An empty colony with a cap of three nodes.
fn colony() -> Colony {
    Colony::simulated("0.4.17", &["--node-cap=3"])
}

#[test]
fn quiet_is_quiet_and_json_is_one_line() {
    let colony = colony();
    for args in [
        &[][..],
        &["--node-cap=2"],
        &["--force-action=survey"],
        &["--force-action=nullop"],
    ] {
        let output = colony.wnm(args).arg("-q").run().succeeded();
        assert_eq!(
            (output.stdout.as_str(), output.stderr.as_str()),
            ("", ""),
            "{args:?}"
        );
        let output = colony.wnm(args).arg("--json").run().succeeded();
        assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
        assert_ne!(output.status(), "error");
    }
    for (args, status) in [
        (&["plan"][..], "planned"),
        (&["events"], "events"),
        (&["--version"], "version"),
        (&["--dry-run"], "planned"),
        (&["--remove-lockfile"], "lockfile-removed"),
    ] {
        assert_eq!(
            colony.wnm(args).arg("--json").run().succeeded().status(),
            status
        );
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let colony = colony();
    for args in [
        &["completions", "bash"][..],
        &["--help"],
        &["events"],
        &["plan"],
    ] {
        let pipe = "set -o pipefail; \"$@\" | true";
        let output = Call::new(Path::new("bash"), &colony.home(), &colony.temporary())
            .env("DBPATH", colony.database_path())
            .args(["-c", pipe, "bash"])
            .arg(binaries::wnm())
            .args(args)
            .run()
            .succeeded();
        assert_eq!(output.stderr, "", "{args:?}");
    }
}

#[test]
fn bash_completes_options_and_their_values() {
    let colony = Colony::new();
    let script = colony.wnm(["completions", "bash"]).run().succeeded().stdout;
    let file = colony.dir().join("completions");
    std::fs::write(&file, script).unwrap();
    let complete = |words: &str, at: u32| {
        let bash = format!(
            ". '{}'; COMP_WORDS=({words}); COMP_CWORD={at}; _wnm wnm \"${{COMP_WORDS[{at}]}}\" \
             \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[@]}}\"",
            file.display(),
            at - 1
        );
        let call = Call::new(Path::new("bash"), &colony.home(), &colony.temporary());
        call.args(["--norc", "-c", &bash]).run().succeeded().stdout
    };
    assert_eq!(complete("wnm --node-c", 1), "--node-cap\n");
    assert_eq!(complete("wnm --force-action te", 2), "teardown\n");
    assert_eq!(
        complete("wnm --report machine-", 2),
        "machine-config machine-metrics\n"
    );
    assert_eq!(complete("wnm ev", 1), "events\n");
}
