//! Whole runs with a fault in them, drawn by a seed: a colony in some state, an operation, a fault before, during
//! or after it. Once the fault is over, a few cycles bring the colony to where everything agrees and nothing is
//! lost.
//!
//! What happens in a run follows from its seed alone; at which instruction a fault meets the program does not, so
//! that a rare failure may need its run repeated. `WNM_FAULT_SEED` names the run to repeat, `WNM_FAULT_RUNS` how
//! many to make, over all tests together.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check;
mod clock;
mod disk;
mod fault;
mod operation;
mod outcome;
mod power;
mod run;
mod script;
mod seeds;
mod seen;
mod stage;
mod supervisor;
mod thief;
mod wanted;

use fault::Kind;
use seeds::each_seed;

/// Runs of each test when nobody asks for another number.
const RUNS: u64 = 9;

/// The same where each run boots a system.
const BOOTED_RUNS: u64 = 5;

#[test]
fn the_program_is_killed_at_any_moment() {
    each_seed("the_program_is_killed_at_any_moment", RUNS, |seed| {
        run::on_the_disk(seed, &[Kind::Killed]);
    });
}

#[test]
fn the_power_fails_at_any_moment() {
    each_seed("the_power_fails_at_any_moment", RUNS, |seed| {
        run::on_the_disk(seed, &[Kind::PowerCut]);
    });
}

#[test]
fn the_disk_is_full_or_cannot_be_written() {
    if !disk::permitted() {
        return;
    }
    each_seed("the_disk_is_full_or_cannot_be_written", RUNS, |seed| {
        run::on_a_small_disk(seed, &[Kind::DiskFull, Kind::ReadOnly]);
    });
}

#[test]
fn nodes_ports_and_names_fail() {
    each_seed("nodes_ports_and_names_fail", RUNS, |seed| {
        run::on_the_disk(seed, &[Kind::NodesDie, Kind::PortTaken, Kind::NameLost]);
    });
}

#[test]
fn the_clock_jumps_or_two_run_at_once() {
    each_seed("the_clock_jumps_or_two_run_at_once", RUNS, |seed| {
        run::on_the_disk(seed, &[Kind::ClockMoved, Kind::TwoAtOnce]);
    });
}

#[test]
fn systemd_falls_silent() {
    each_seed("systemd_falls_silent", BOOTED_RUNS, supervisor::run);
}
