//! Bad input, or a bad machine: wnm refuses each case in one line that says what to do, and changes or loses nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod databases;
mod directory_state;
mod locks;
mod malicious_nodes;
mod mounts;
mod programs;
mod snapshots;
mod storage;

use directory_state::DirectoryState;
use wnm_tests::call::{Call, Outcome};
use wnm_tests::colony::Colony;

/// A colony for simulated nodes, without any.
fn colony() -> Colony {
    Colony::simulated("0.4.17", &[])
}

/// The same with this many running nodes.
fn colony_of(nodes: usize) -> Colony {
    let colony = colony();
    let count = nodes.to_string();
    colony
        .wnm(["--force-action", "add", "--count", &count])
        .run()
        .succeeded();
    colony.wnm(["--force-action", "survey"]).run().succeeded();
    let running = colony
        .database()
        .nodes()
        .iter()
        .filter(|n| n.status == "RUNNING")
        .count();
    assert_eq!(running, nodes, "{:#?}", colony.database().nodes());
    colony
}

/// Fails the test unless the call is refused in one line with these words in it, for people and for programs, and
/// leaves everything in the test's directory as it was. Returns the line without the program's name.
#[track_caller]
fn refused<S: AsRef<str>>(colony: &Colony, args: &[S], words: &[&str]) -> String {
    refused_as(colony, |json| call(colony, args, json), words)
}

#[track_caller]
fn refused_as(colony: &Colony, call: impl Fn(bool) -> Call, words: &[&str]) -> String {
    let before = DirectoryState::of(colony.dir());
    let output = call(false).run().refused();
    let line = one_line(&output);
    for word in words {
        assert!(line.contains(word), "no '{word}' in: {line}");
    }
    assert_eq!(output.stdout, "", "{line}");

    let output = call(true).run().refused();
    assert_eq!(output.status(), "error", "{}", output.stdout);
    let message = output.last_json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, line);
    DirectoryState::of(colony.dir()).assert_same_as(&before);
    line
}

fn call<S: AsRef<str>>(colony: &Colony, args: &[S], json: bool) -> Call {
    let call = colony.wnm(args.iter().map(AsRef::as_ref));
    if json { call.arg("--json") } else { call }
}

/// The one line of the error.
#[track_caller]
fn one_line(output: &Outcome) -> String {
    let mut lines = output.stderr.lines();
    let (first, second) = (lines.next(), lines.next());
    let line = first.and_then(|line| line.strip_prefix("wnm: "));
    match (line, second) {
        (Some(line), None) if !line.is_empty() => line.to_owned(),
        _ => panic!("not one line of complaint:\n{}", output.stderr),
    }
}
