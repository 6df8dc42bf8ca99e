//! Coming from the Python wnm and going back: the real package, its databases, and nodes that notice nothing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use wnm_tests::nodes;
use wnm_tests::python::Python;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};

/// A colony that the Python wnm made, with two nodes of its own that run. `None` after saying why the test is
/// skipped.
fn grown(python: &Python) -> Option<Machine> {
    let machine = Machine::up(As::Root)?;
    let program = machine.program("0.4.16");
    python.init(&machine, &program);
    for _ in 0..2 {
        let _ = python
            .wnm(&machine, ["--force_action", "add"])
            .run()
            .succeeded();
    }
    until(LONG, "the nodes of the Python wnm", || {
        UNITS
            .iter()
            .all(|unit| machine.state(unit) == "active" && peer(&machine, unit).is_some())
    });
    Some(machine)
}

const UNITS: [&str; 2] = ["antnode0001.service", "antnode0002.service"];

/// What a node says that it is; its metrics port follows from its name.
fn peer(machine: &Machine, unit: &str) -> Option<String> {
    let page = format!("http://127.0.0.1:1300{}/metadata", &unit[10..11]);
    let told = machine.run("/usr/bin/python3", ["-c", ASK, &page]);
    Some(
        told.stdout
            .split_once("peer_id=\"")?
            .1
            .split('"')
            .next()?
            .to_owned(),
    )
}

const ASK: &str = "import sys,urllib.request;print(urllib.request.urlopen(sys.argv[1],timeout=10).read().decode())";

fn pids(machine: &Machine) -> [Option<i32>; 2] {
    UNITS.map(|unit| machine.main_pid(unit))
}

/// What the Python wnm does not have, and ours puts at the end.
const OWN: [&str; 11] = [
    "container_network",
    "firewall",
    "fleet_memory_max",
    "fleet_cpu_quota",
    "desired",
    "desired_by",
    "desired_since",
    "observed",
    "observed_at",
    "transition",
    "transition_since",
];

/// What both print of the same database, where the clock plays no part.
fn report(text: &str) -> String {
    let line = |line: &str| {
        let key = line
            .trim_start_matches([' ', '"'])
            .split(['=', ':', '"'])
            .next();
        let is_own = key.is_some_and(|key| OWN.contains(&key.to_lowercase().as_str()));
        // It puts the directory before a path that is whole already.
        let line = match line.split_once(": ").filter(|(key, _)| *key == "Bin Path") {
            Some((_, path)) => path.rfind("//").map_or(line, |at| &path[at + 1..]),
            None => line,
        };
        let line = line.strip_prefix("Bin Path: ").unwrap_or(line);
        // It adds rewards up as floating-point numbers.
        let line = &line.replace(".0\",nodes_running", "\",nodes_running");
        // The one time that all lines of line protocol end with.
        let words = line
            .rsplit_once(' ')
            .filter(|(_, word)| word.len() == 19 && word.parse::<u64>().is_ok());
        (!is_own).then(|| {
            words
                .map_or(line.as_str(), |(head, _)| head)
                .trim_end()
                .trim_end_matches(',')
                .to_owned()
        })
    };
    text.lines()
        .filter_map(line)
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

const REPORTS: [[&str; 2]; 8] = [
    ["node-status", "text"],
    ["node-status", "json"],
    ["node-status-details", "text"],
    ["node-status-details", "json"],
    ["influx-resources", "text"],
    ["machine-config", "text"],
    ["machine-config", "json"],
    ["machine-config", "config"],
];

fn crosses_over_and_back(version: &'static str) {
    let Some(python) = Python::version(version) else {
        return;
    };
    let Some(machine) = grown(&python) else {
        return;
    };
    let before = pids(&machine);
    let refused = machine
        .wnm(["--init", "--rewards-address", nodes::WALLET])
        .run()
        .refused();
    assert!(
        refused.stderr.contains("holds a colony already"),
        "{}",
        refused.stderr
    );
    // The line of the crontab, as it was.
    let db = machine.database();
    let _ = machine
        .wnm(["-q", "--dbpath", db.to_str().unwrap()])
        .run()
        .succeeded();
    let _ = machine.wnm(["--force_action", "survey"]).run().succeeded();
    let rows = machine.nodes();
    for (row, unit) in rows.iter().zip(UNITS) {
        assert_eq!(
            (row.status.as_str(), &row.peer_id),
            ("RUNNING", &peer(&machine, unit))
        );
    }
    assert_eq!(pids(&machine), before, "a node was restarted");
    let _ = machine
        .wnm(["--force_action", "stop", "--service_name", "0002"])
        .run()
        .succeeded();

    // Back again: the database opens, says the same, and the nodes are driven as before. 0.3 knows nothing of
    // migrations, so that who had it goes back to the newest.
    let newest = if version == "0.3.0" { "0.6.3" } else { version };
    let Some(python) = Python::version(newest) else {
        return;
    };
    let back = python.wnm(
        &machine,
        ["--report", "node-status", "--report_format", "json"],
    );
    let told: Value = back.run().succeeded().json();
    let told = told.as_array().unwrap();
    let words: Vec<&str> = told
        .iter()
        .map(|node| node["status"].as_str().unwrap())
        .collect();
    assert_eq!(words[..2], ["RUNNING", "STOPPED"]);
    let start = ["--force_action", "start", "--service_name", "antnode0002"];
    let _ = python.wnm(&machine, start).run().succeeded();
    assert_eq!(machine.state(UNITS[1]), "active");
    let _ = python
        .wnm(&machine, ["--force_action", "survey"])
        .run()
        .succeeded();
    until(LONG, "the node that the Python wnm started", || {
        let _ = machine.wnm(["--force_action", "survey"]).run().succeeded();
        machine.statuses()[..2] == ["RUNNING", "RUNNING"]
    });
    assert_eq!(pids(&machine)[0], before[0]);
}

#[test]
fn a_colony_of_0_3_crosses_over() {
    crosses_over_and_back("0.3.0");
}

#[test]
fn a_colony_of_0_4_crosses_over_and_back() {
    crosses_over_and_back("0.4.7");
}

#[test]
fn a_colony_of_0_5_crosses_over_and_back() {
    crosses_over_and_back("0.5.8");
}

#[test]
fn a_colony_of_0_6_crosses_over_and_back() {
    crosses_over_and_back("0.6.3");
}

#[test]
fn both_print_the_same_of_one_database_and_of_what_is_exported() {
    let Some(python) = Python::version("0.6.3") else {
        return;
    };
    let Some(machine) = grown(&python) else {
        return;
    };
    let _ = machine.wnm(["--force-action", "survey"]).run().succeeded();
    let theirs = |[kind, format]: [&str; 2]| {
        let words = ["-q", "--report", kind, "--report_format", format];
        report(&python.wnm(&machine, words).run().succeeded().stdout)
    };
    for [kind, format] in REPORTS {
        let words = ["--report", kind, "--report-format", format];
        let ours = report(&machine.wnm(words).run().succeeded().stdout);
        let mut theirs = theirs([kind, format]);
        let mut ours = ours;
        if format == "config" {
            // Ours quotes what a shell would change, and leaves empty what is not set.
            ours = ours.replace('"', "");
            theirs = theirs.replace('"', "").replace("=None", "=");
        }
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            assert_eq!(ours, theirs, "{kind} as {format}");
        }
        assert_eq!(ours, theirs, "{kind} as {format}");
    }
    // A database that has nothing of ours says the same.
    let before: Vec<String> = REPORTS.map(theirs).into();
    let exported = machine.programs.path().join("python.db");
    let words = [
        "export",
        "--format",
        "python",
        "--output",
        exported.to_str().unwrap(),
    ];
    let _ = machine.wnm(words).run().succeeded();
    let again = machine.wnm(words).run().refused();
    assert!(again.stderr.contains("python.db"), "{}", again.stderr);
    let tables = wnm_tests::database::Database::at(&exported);
    let own =
        "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'wnm%' OR sql LIKE '%desired TEXT%'";
    assert_eq!(tables.value(own).as_deref(), Some("0"));
    let db = machine.database();
    std::fs::rename(&db, db.with_extension("ours")).unwrap();
    for part in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(PathBuf::from(format!("{}{part}", db.display())));
    }
    std::fs::rename(&exported, &db).unwrap();
    assert_eq!(REPORTS.map(theirs).to_vec(), before);
    let _ = python
        .wnm(&machine, ["--force_action", "survey"])
        .run()
        .succeeded();
}

#[test]
fn a_live_run_keeps_us_out_and_a_dead_one_is_told_and_cleared() {
    let Some(python) = Python::version("0.6.3") else {
        return;
    };
    let Some(machine) = grown(&python) else {
        return;
    };
    let lock = machine.system.path(Path::new("/var/antctl/wnm_active"));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    // Someone may be at work: the file does not say who.
    std::fs::write(&lock, (now - 60).to_string()).unwrap();
    let refused = machine.wnm::<&str>([]).run().refused();
    assert!(
        refused.stderr.contains("--remove-lockfile"),
        "{}",
        refused.stderr
    );
    // Nobody is, after more than an hour and without a process.
    std::fs::write(&lock, (now - 7200).to_string()).unwrap();
    let told = machine.wnm::<&str>([]).run().succeeded();
    assert!(
        told.stderr.contains("--remove-lockfile deletes it"),
        "{}",
        told.stderr
    );
    let found = machine.wnm(["doctor", "--json"]).run().succeeded().json();
    assert!(found.to_string().contains("python-lock-stale"), "{found}");
    let _ = machine.wnm(["doctor", "--fix"]).run().succeeded();
    assert!(!lock.exists());

    // A run that takes its time, however old its lock says that it is.
    let long = ["--force_action", "survey", "--this_survey_delay", "20000"];
    let run = python.wnm(&machine, long).spawn();
    until(LONG, "the Python wnm to begin", || lock.exists());
    let refused = machine.wnm::<&str>([]).run().refused();
    assert!(
        refused
            .stderr
            .contains("the Python wnm is at work (process "),
        "{}",
        refused.stderr
    );
    std::fs::write(&lock, (now - 7200).to_string()).unwrap();
    for words in [&[][..], &["--remove-lockfile"]] {
        let refused = machine.wnm(words).run().refused();
        assert!(
            refused
                .stderr
                .contains("the Python wnm is at work (process "),
            "{}",
            refused.stderr
        );
    }
    assert!(lock.exists());
    let _ = run.end_with(nix::sys::signal::Signal::SIGTERM);
    let _ = machine.wnm::<&str>([]).run().succeeded();
}
