//! wnm and the Python wnm 0.6.3 in one run: the same thousand nodes, the same database, the same machine.
//!
//! `cargo bench -p wnm-tests --bench alternatives`
//!
//! The nodes are simulated ones with real pages, each a process with its own metrics port. On two cores a survey mostly
//! waits for their answers. So everything is measured again with one quick process that answers on all ports, and then
//! the survey alone. Each figure is measured in a new process. The floor is a client that fetches the same pages and
//! does nothing with them. `WNM_BENCH_NODES` sets the number of nodes, by default 1,000. The words `hold 1000 own` or
//! `hold 1000 quick` keep such a fleet for a profiler.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to report"
)]

#[path = "../../../wnm-colony/benches/servers/floor.rs"]
mod floor;
mod measured;
mod python;
mod quick_server;
mod survey;

use std::path::{Path, PathBuf};
use std::process::Command;

use measured::{Figures, median};
use python::Python;
use wnm_core::id::NodeId;
use wnm_core::ports::Port;
use wnm_core::probe::SurveyTarget;
use wnm_tests::fleet::Fleet;

/// What one machine can run.
const NODES: u16 = 1000;

/// Runs of the Python wnm for each figure.
const ROUNDS: usize = 5;

/// Runs of ours before each of those. The machine's other load varies, and affects both alike.
const OURS_A_ROUND: usize = 3;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", ports] => runtime().block_on(floor::fetch(&targets(ports))),
        ["survey", ports] => runtime().block_on(survey::ask(&targets(ports))),
        ["measure", ref command @ ..] => measured::measure(command),
        ["hold", count, pages] => keep_fleet(count.parse().unwrap(), pages),
        // `cargo test --all-targets` starts benchmarks, too, without this word.
        ref words if words.contains(&"--bench") => compare(),
        _ => println!("nothing to test here; run it with cargo bench"),
    }
}

/// Keeps a fleet until its standard input closes, for a profiler. Prints how to call wnm on it.
fn keep_fleet(count: u16, pages: &str) {
    let fleet = Fleet::start(count);
    if pages == "quick" {
        quick_server::answer_for(&fleet);
    }
    println!("{:?}", fleet.wnm(&[]));
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).unwrap();
}

fn compare() {
    let Some(python) = Python::find() else { return };
    let count = std::env::var("WNM_BENCH_NODES").map_or(NODES, |count| count.parse().unwrap());
    let fleet = Fleet::start(count);
    println!(
        "{count} nodes; medians of {} runs of ours and {ROUNDS} of the Python wnm, by turns\n",
        ROUNDS * OURS_A_ROUND
    );
    println!(
        "{:<14}{:<8}{:>12}{:>12}{:>12}",
        "what", "who", "wall", "CPU", "peak RSS"
    );
    let report = ["--report", "node-status"];
    let survey = ["--force-action", "survey"];
    let python_survey = ["--force_action", "survey"];
    compare_one("version", &fleet, &python, &["--version"], &["--version"]);
    compare_one("report", &fleet, &python, &report, &report);
    compare_one("survey", &fleet, &python, &survey, &python_survey);
    compare_one("idle cycle", &fleet, &python, &[], &[]);
    let ports = write_ports(&fleet);
    print("pages", "floor", &floor_of(&ports));

    println!("\nthe same nodes, their ports answered by one process");
    quick_server::answer_for(&fleet);
    compare_one("survey", &fleet, &python, &survey, &python_survey);
    compare_one("idle cycle", &fleet, &python, &[], &[]);
    print_both(
        "asking alone",
        || this_program("survey", &ports),
        || python.asking(&fleet, &ports),
    );
    print("pages", "floor", &floor_of(&ports));
}

/// This program, with the ports in a file.
fn this_program(word: &str, ports: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(word).arg(ports);
    command
}

fn write_ports(fleet: &Fleet) -> PathBuf {
    let file = fleet.dir().join("ports");
    let ports = fleet.metrics_ports();
    let lines: Vec<String> = ports.iter().map(u16::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

fn targets(ports: &str) -> Vec<SurveyTarget> {
    let text = std::fs::read_to_string(ports).unwrap();
    let target = |(number, port): (u32, &str)| SurveyTarget {
        id: NodeId::new(number).unwrap(),
        host: "127.0.0.1".to_owned(),
        port: Port::new(port.parse().unwrap()).unwrap(),
    };
    (1..).zip(text.lines()).map(target).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn compare_one(what: &str, fleet: &Fleet, python: &Python, ours: &[&str], theirs: &[&str]) {
    print_both(what, || fleet.wnm(ours), || python.wnm(fleet, theirs));
}

fn print_both(what: &str, ours: impl Fn() -> Command, theirs: impl Fn() -> Command) {
    let (mut mine, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        mine.extend((0..OURS_A_ROUND).map(|_| measured::of(&ours())));
        other.push(measured::of(&theirs()));
    }
    let (mine, other) = (median(mine), median(other));
    print(what, "wnm", &mine);
    print(what, "Python", &other);
    println!(
        "{:<22}{:>11.1}×{:>11.1}×{:>11.1}×",
        "",
        other.wall.as_secs_f64() / mine.wall.as_secs_f64(),
        other.cpu.as_secs_f64() / mine.cpu.as_secs_f64().max(0.000_1),
        other.peak_memory as f64 / mine.peak_memory as f64,
    );
}

fn floor_of(ports: &Path) -> Figures {
    let runs = (0..ROUNDS * OURS_A_ROUND).map(|_| measured::of(&this_program("floor", ports)));
    median(runs.collect())
}

fn print(what: &str, who: &str, figures: &Figures) {
    println!(
        "{what:<14}{who:<8}{:>9} ms{:>9} ms{:>8} MiB",
        figures.wall.as_millis(),
        figures.cpu.as_millis(),
        figures.peak_memory >> 20
    );
}

/// A copy of a database, with the files that SQLite keeps beside it.
fn copy_database(from: &Path, to: &Path) {
    for tail in ["", "-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{tail}", path.display()));
        if with(from).exists() {
            std::fs::copy(with(from), with(to)).unwrap();
        }
    }
}
