//! What a survey of a thousand nodes costs: of nodes that answer with real pages, and of ones that take the
//! connection and never answer.
//!
//! `cargo bench -p wnm-core --bench survey`
//!
//! The servers live in a process of their own, and so does every measurement, so that the processor time
//! and the peak of memory are those of the survey alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

mod servers;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use servers::{METADATA, METRICS};
use wnm_core::manager::SystemRunner;
use wnm_core::observe::exposition::samples;
use wnm_core::observe::{HttpProbe, NodeProbe, Probe, SurveyLimits};
use wnm_core::program::Antnode;
use wnm_core::quantity::Milliseconds;

const NODES: usize = 1000;
const ROUNDS: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", what, count] => {
            let count = count.parse().unwrap();
            runtime().block_on(servers::serve(what == "answering", count));
        }
        ["measure", what] => runtime().block_on(measure(what)),
        // `cargo test --all-targets` starts benchmarks too, and without this word.
        ref words if words.contains(&"--bench") => {
            println!(
                "{NODES} nodes, pages of {} + {} bytes",
                METADATA.len(),
                METRICS.len()
            );
            scan();
            println!(
                "{:<12}{:>10}{:>10}{:>10}{:>8}",
                "nodes", "wall", "CPU", "peak RSS", "answers"
            );
            for what in ["answering", "silent"] {
                let done = myself(&["measure", what]).spawn().unwrap().wait().unwrap();
                assert!(done.success());
            }
        }
        _ => println!("nothing to test here; run it with cargo bench"),
    }
}

fn myself(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(words);
    command
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Reading alone, one page after the other.
fn scan() {
    let rounds = 2000;
    let begin = Instant::now();
    let read: u64 = (0..rounds)
        .flat_map(|_| samples(std::hint::black_box(METRICS)))
        .map(|sample| sample.count() & 1)
        .sum();
    std::hint::black_box(read);
    println!("reading a page: {:?}", begin.elapsed() / rounds);
}

/// One line of the table: the mean time of some surveys, and the peak of memory over all of them.
async fn measure(what: &str) {
    let (servers, targets) = servers::start(what, NODES);
    let program = Arc::new(Antnode::new(Arc::new(SystemRunner)));
    let probe = HttpProbe::new(program, SurveyLimits::default());
    let rounds = if what == "answering" { ROUNDS } else { 1 };
    let (begin, cpu) = (Instant::now(), cpu_time());
    let mut answers = 0;
    for _ in 0..rounds {
        let probes = probe.survey(&targets, Milliseconds(0)).await;
        assert_eq!(probes.len(), NODES);
        answers = probes
            .values()
            .filter(|probe| matches!(probe, Probe::Answered(_)))
            .count();
    }
    let rounds = u32::try_from(rounds).unwrap();
    let (wall, cpu) = (begin.elapsed() / rounds, (cpu_time() - cpu) / rounds);
    println!(
        "{what:<12}{:>7} ms{:>7} ms{:>6} MiB{answers:>8}",
        wall.as_millis(),
        cpu.as_millis(),
        peak_memory() >> 20
    );
    drop(servers);
}

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap();
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// In bytes.
fn peak_memory() -> i64 {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    getrusage(UsageWho::RUSAGE_SELF).unwrap().max_rss() * unit
}
