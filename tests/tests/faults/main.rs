//! Whole runs with a fault, drawn by a seed: a colony in some state, an operation, and a fault before, during or after
//! it. Once the fault is over, a few cycles bring the colony to a state in which everything agrees and nothing is lost.
//! This holds under all managers; [`backend`] has what differs between them.
//!
//! A seed determines a run, but not the instruction at which a fault hits the program, so a rare failure may need
//! several attempts. `WNM_FAULT_SEED` selects the run to repeat, and `WNM_FAULT_RUNS` sets the number of runs of all
//! tests together.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backend;
mod check;
mod clock;
mod disk;
mod expected;
mod fault;
mod observed;
mod operation;
mod outcome;
mod port_squatter;
mod power;
mod run;
mod script;
mod seeds;
mod silence;
mod test_colony;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use fault::Kind;
use run::Run;
use seeds::{Seed, each_seed};
use wnm_tests::antctl::AntctlFixture;
use wnm_tests::backend::S6Fixture;
use wnm_tests::colony::{Colony, ROOM};
use wnm_tests::engine::{Suite, with_engine};
use wnm_tests::launchd::LaunchdFixture;
use wnm_tests::systemd::{As, Machine};

/// The default number of runs for each test of plain processes.
const RUNS: u64 = 6;

/// Under launchd.
const JOB_RUNS: u64 = 12;

/// In containers.
const CONTAINER_RUNS: u64 = 10;

/// Under systemd, with a silent systemd. Each run boots a machine.
const SILENT_RUNS: u64 = 4;

/// Under systemd, with other faults.
const UNIT_RUNS: u64 = 9;

/// Under antctl, with real nodes.
const SERVICE_RUNS: u64 = 4;

/// The default number of runs of all tests.
const ALL_RUNS: u64 = 5 * RUNS + JOB_RUNS + CONTAINER_RUNS + SILENT_RUNS + UNIT_RUNS + SERVICE_RUNS;

/// Room for eight nodes, each with a copy of a real program, in mebibytes.
const ANTCTL_DISK: u32 = 1024;

fn setsid(place: &Path) -> Option<Colony> {
    Some(Colony::below(place, ROOM))
}

fn launchd(place: &Path) -> Option<LaunchdFixture> {
    Some(LaunchdFixture::below(place))
}

fn systemd(place: &Path) -> Option<Machine> {
    Machine::with_nodes_below(place, As::Ann)
}

/// A run with plain processes.
fn plain(kinds: &[Kind]) -> impl Fn(Seed<'_>) {
    |seed| Run::draw(seed, kinds).make(disk::SMALL, setsid)
}

#[test]
fn the_program_is_killed_at_any_moment() {
    let run = plain(&[Kind::Killed]);
    each_seed("the_program_is_killed_at_any_moment", RUNS, run);
}

#[test]
fn the_power_fails_at_any_moment() {
    let run = plain(&[Kind::PowerCut]);
    each_seed("the_power_fails_at_any_moment", RUNS, run);
}

#[test]
fn the_disk_is_full_or_cannot_be_written() {
    let run = plain(&[Kind::DiskFull, Kind::ReadOnly]);
    each_seed("the_disk_is_full_or_cannot_be_written", RUNS, run);
}

#[test]
fn nodes_ports_and_names_fail() {
    let run = plain(&[Kind::NodesDie, Kind::PortTaken, Kind::NameLost]);
    each_seed("nodes_ports_and_names_fail", RUNS, run);
}

#[test]
fn the_clock_jumps_or_two_run_at_once() {
    let run = plain(&[Kind::ClockMoved, Kind::TwoAtOnce]);
    each_seed("the_clock_jumps_or_two_run_at_once", RUNS, run);
}

#[test]
fn anything_goes_wrong_under_launchd() {
    each_seed("anything_goes_wrong_under_launchd", JOB_RUNS, |seed| {
        Run::draw(seed, &Kind::ALL).make(disk::SMALL, launchd);
    });
}

#[test]
fn an_upgrade_on_a_full_disk_leaves_no_second_program() {
    Run::upgrade_on_a_full_disk().make(disk::SMALL, setsid);
    Run::upgrade_on_a_full_disk().make(disk::SMALL, launchd);
}

#[test]
fn anything_goes_wrong_in_containers() {
    if !disk::permitted() {
        return;
    }
    // A container sees only what was mounted when its engine started. So all runs share one small disk, one after the
    // other.
    disk::with_disk(disk::SMALL, |place| {
        with_engine(Suite::Bookworm, |engine| {
            let engine = Mutex::new(engine);
            each_seed(
                "anything_goes_wrong_in_containers",
                CONTAINER_RUNS,
                |seed| {
                    let run = Run::draw(seed, &Kind::ALL);
                    // The next run repairs what a failed one left.
                    let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
                    run.make_on(&S6Fixture::below(place, &mut engine));
                },
            );
        });
    });
}

#[test]
fn systemd_falls_silent() {
    each_seed("systemd_falls_silent", SILENT_RUNS, |seed| {
        Run::draw(seed, &[Kind::Silence]).make(disk::SMALL, systemd);
    });
}

#[test]
fn anything_else_goes_wrong_under_systemd() {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Silence);
    let kinds: Vec<Kind> = kinds.collect();
    each_seed(
        "anything_else_goes_wrong_under_systemd",
        UNIT_RUNS,
        |seed| Run::draw(seed, &kinds).make(disk::SMALL, systemd),
    );
}

#[test]
fn anything_goes_wrong_under_antctl() {
    each_seed("anything_goes_wrong_under_antctl", SERVICE_RUNS, |seed| {
        Run::draw(seed, &Kind::ALL).make(ANTCTL_DISK, AntctlFixture::below);
    });
}
