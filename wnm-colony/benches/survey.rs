//! What a survey of a thousand nodes costs: of nodes that answer with real pages, and of ones that take the
//! connection and never answer.
//!
//! `cargo bench -p wnm-core --bench survey`
//!
//! The servers live in a process of their own, and so does every measurement, so that the processor time
//! and the peak of memory are those of the survey alone. The floor is a client that fetches the same pages and does
//! nothing with them. Descriptors and what a survey leaves in TIME_WAIT are counted in one more survey.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

#[path = "servers/floor.rs"]
mod floor;
mod servers;
#[path = "servers/sockets.rs"]
mod sockets;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use servers::{METADATA, METRICS};
use wnm_colony::observe::{HttpProbe, SurveyLimits};
use wnm_core::node::ProbeResult;
use wnm_core::probe::NodeProbe;
use wnm_core::quantity::Milliseconds;
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;

const NODES: usize = 1000;
const ROUNDS: u32 = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", what, count] => {
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
            println!(
                "{:<12}{:>10}{:>10}{:>10}{:>9}{:>13}{:>11}",
                "nodes", "wall", "CPU", "peak RSS", "answers", "descriptors", "TIME_WAIT"
            );
            for what in ["answering", "floor", "silent"] {
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

/// One line of the table: the mean time of some surveys, and the peak of memory over all of them.
async fn measure(what: &str) {
    let silent = what == "silent";
    let (servers, targets) = servers::start(if silent { what } else { "answering" }, NODES);
    let program = Arc::new(Antnode::new(Arc::new(SystemRunner)));
    let probe = HttpProbe::new(program, SurveyLimits::default());
    let look = async || match what {
        "floor" => {
            floor::fetch(&targets).await;
            NODES
        }
        _ => {
            let probes = probe.survey(&targets, Milliseconds(0)).await;
            assert_eq!(probes.len(), NODES);
            let answered = |probe: &&ProbeResult| matches!(probe, ProbeResult::Answered(_));
            probes.values().filter(answered).count()
        }
    };
    let rounds = if silent { 1 } else { ROUNDS };
    let (begin, cpu) = (Instant::now(), cpu_time());
    let mut answers = 0;
    for _ in 0..rounds {
        answers = look().await;
    }
    let (wall, cpu) = (begin.elapsed() / rounds, (cpu_time() - cpu) / rounds);
    let memory = peak_memory() >> 20;
    let descriptors = counted(sockets::most_open(look()).await);
    let surveys = rounds as usize + 1;
    let waiting = counted(sockets::in_time_wait(&targets).map(|all| all / surveys));
    println!(
        "{what:<12}{:>7} ms{:>7} ms{memory:>6} MiB{answers:>9}{descriptors:>13}{waiting:>11}",
        wall.as_millis(),
        cpu.as_millis(),
    );
    drop(servers);
}

fn counted(count: Option<usize>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
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
