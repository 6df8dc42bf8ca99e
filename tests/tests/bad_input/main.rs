//! What is wrong with what the program is given, or with the machine it runs on: each is refused in one line
//! that says what to do, and nothing is changed or lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod databases;
mod hostile_nodes;
mod locks;
mod mounts;
mod picture;
mod programs;
mod snapshots;
mod storage;

use picture::Picture;
use wnm_tests::call::{Call, Outcome};
use wnm_tests::colony::{Colony, EAGER};

/// A colony of simulated nodes without nodes.
fn colony() -> Colony {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    colony.init("setsid+user", &program, EAGER);
    colony
}

/// The same with this many nodes that run.
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

/// Fails the test unless the call is refused in one line with these words in it, to people and to programs, and
/// leaves everything in the test's directory as it was. The line without the program's name comes back.
#[track_caller]
fn refused<S: AsRef<str>>(colony: &Colony, args: &[S], words: &[&str]) -> String {
    refused_as(colony, |json| call(colony, args, json), words)
}

#[track_caller]
fn refused_as(colony: &Colony, call: impl Fn(bool) -> Call, words: &[&str]) -> String {
    let before = Picture::of(colony.dir());
    let told = call(false).run().refused();
    let line = one_line(&told);
    for word in words {
        assert!(line.contains(word), "no '{word}' in: {line}");
    }
    assert_eq!(told.stdout, "", "{line}");

    let told = call(true).run().refused();
    assert_eq!(told.status(), "error", "{}", told.stdout);
    let message = told.last_json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, line);
    Picture::of(colony.dir()).assert_same_as(&before);
    line
}

fn call<S: AsRef<str>>(colony: &Colony, args: &[S], json: bool) -> Call {
    let call = colony.wnm(args.iter().map(AsRef::as_ref));
    if json { call.arg("--json") } else { call }
}

/// The one line of complaint.
#[track_caller]
fn one_line(told: &Outcome) -> String {
    let mut lines = told.stderr.lines();
    let (first, second) = (lines.next(), lines.next());
    let line = first.and_then(|line| line.strip_prefix("wnm: "));
    match (line, second) {
        (Some(line), None) if !line.is_empty() => line.to_owned(),
        _ => panic!("not one line of complaint:\n{}", told.stderr),
    }
}
