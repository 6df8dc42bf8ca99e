//! From the Python wnm to ours and back: the real package, its databases, and nodes that run on.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use wnm_tests::nodes;
use wnm_tests::python::Python;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};

/// A colony that the Python wnm made, with two running nodes of its own. `None` after saying why the test is skipped.
fn python_colony(python: &Python) -> Option<Machine> {
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

/// The peer id on a node's page. The metrics port follows from its name.
fn peer(machine: &Machine, unit: &str) -> Option<String> {
    let page = format!("http://127.0.0.1:1300{}/metadata", &unit[10..11]);
    let output = machine.run("/usr/bin/python3", ["-c", ASK, &page]);
    Some(
        output
            .stdout
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

/// Lines that the Python wnm does not have. Ours puts them at the end.
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

/// What both print of the same database, without what depends on the time.
fn report(text: &str) -> String {
    let line = |line: &str| {
        let key = line
            .trim_start_matches([' ', '"'])
            .split(['=', ':', '"'])
            .next();
        let is_own = key.is_some_and(|key| OWN.contains(&key.to_lowercase().as_str()));
        // It puts the directory before a path that is already absolute.
        let line = match line.split_once(": ").filter(|(key, _)| *key == "Bin Path") {
            Some((_, path)) => path.rfind("//").map_or(line, |at| &path[at + 1..]),
            None => line,
        };
        let line = line.strip_prefix("Bin Path: ").unwrap_or(line);
        // It adds rewards up as floating-point numbers.
        let line = &line.replace(".0\",nodes_running", "\",nodes_running");
        // The timestamp at the end of all lines in line protocol.
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

fn move_to_wnm_and_back(version: &'static str) {
    let Some(python) = Python::version(version) else {
        return;
    };
    let Some(machine) = python_colony(&python) else {
        return;
    };
    let before = pids(&machine);
    let refused = machine
        .wnm(["--init", "--rewards-address", nodes::WALLET])
        .run()
        .refused();
    refused.assert_stderr_contains("holds a colony already");
    // The line of the crontab, unchanged.
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

    // Back again: the Python wnm opens the database, reports the same, and drives the nodes as before. 0.3 has no
    // migrations, so its users go back to the newest version.
    let newest = if version == "0.3.0" { "0.6.3" } else { version };
    let Some(python) = Python::version(newest) else {
        return;
    };
    let back = python.wnm(
        &machine,
        ["--report", "node-status", "--report_format", "json"],
    );
    let report: Value = back.run().succeeded().json();
    let report = report.as_array().unwrap();
    let words: Vec<&str> = report
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
fn a_colony_of_0_3_moves_to_wnm() {
    move_to_wnm_and_back("0.3.0");
}

#[test]
fn a_colony_of_0_4_moves_to_wnm_and_back() {
    move_to_wnm_and_back("0.4.7");
}

#[test]
fn a_colony_of_0_5_moves_to_wnm_and_back() {
    move_to_wnm_and_back("0.5.8");
}

#[test]
fn a_colony_of_0_6_moves_to_wnm_and_back() {
    move_to_wnm_and_back("0.6.3");
}

#[test]
fn reports_and_exports_match_the_python_wnm() {
    let Some(python) = Python::version("0.6.3") else {
        return;
    };
    let Some(machine) = python_colony(&python) else {
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
            // Ours quotes what a shell would change, and prints nothing for values that are not set.
            ours = ours.replace('"', "");
            theirs = theirs.replace('"', "").replace("=None", "=");
        }
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            assert_eq!(ours, theirs, "{kind} as {format}");
        }
        assert_eq!(ours, theirs, "{kind} as {format}");
    }
    // A database without our tables reports the same.
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
    again.assert_stderr_contains("python.db");
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
fn a_live_python_run_blocks_wnm_and_a_dead_one_is_reported_and_cleared() {
    let Some(python) = Python::version("0.6.3") else {
        return;
    };
    let Some(machine) = python_colony(&python) else {
        return;
    };
    let lock = machine.system.path(Path::new("/var/antctl/wnm_active"));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    // Another run may be active: the file does not name its process.
    std::fs::write(&lock, (now - 60).to_string()).unwrap();
    let refused = machine.wnm::<&str>([]).run().refused();
    refused.assert_stderr_contains("--remove-lockfile");
    // After more than an hour and without a process, none is.
    std::fs::write(&lock, (now - 7200).to_string()).unwrap();
    let output = machine.wnm::<&str>([]).run().succeeded();
    output.assert_stderr_contains("--remove-lockfile deletes it");
    let found = machine.wnm(["doctor", "--json"]).run().succeeded().json();
    assert!(found.to_string().contains("python-lock-stale"), "{found}");
    let _ = machine.wnm(["doctor", "--fix"]).run().succeeded();
    assert!(!lock.exists());

    // A run that takes long, however old its lock is.
    let long = ["--force_action", "survey", "--this_survey_delay", "20000"];
    let run = python.wnm(&machine, long).spawn();
    until(LONG, "the Python wnm to begin", || lock.exists());
    let refused = machine.wnm::<&str>([]).run().refused();
    refused.assert_stderr_contains("the Python wnm is at work (process ");
    std::fs::write(&lock, (now - 7200).to_string()).unwrap();
    for words in [&[][..], &["--remove-lockfile"]] {
        let refused = machine.wnm(words).run().refused();
        refused.assert_stderr_contains("the Python wnm is at work (process ");
    }
    assert!(lock.exists());
    let _ = run.end_with(nix::sys::signal::Signal::SIGTERM);
    let _ = machine.wnm::<&str>([]).run().succeeded();
}
