//! How the work of a cycle grows with the colony: a hundred nodes, a thousand, ten thousand.
//!
//! `cargo bench -p wnm-core --features mock --bench growth`
//!
//! Prints a table and draws `docs/growth.svg`. The floor is what the pages of as many nodes cost a client that
//! does nothing with them. A slope of 1 means that a node costs the same however many there are.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

#[path = "../servers/floor.rs"]
mod floor;
mod plot;
#[path = "../servers/mod.rs"]
mod servers;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wnm_colony::observe::{HttpProbe, SurveyLimits};
use wnm_colony::store::{Changes, Store};
use wnm_core::decide::decide;
use wnm_core::node::Node;
use wnm_core::node::ProbeResult;
use wnm_core::probe::NodeProbe;
use wnm_core::quantity::Milliseconds;
use wnm_core::reports::ReportFormat;
use wnm_core::testing::{machine, node, snapshot_of};
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;
use wnm_report::node_status;

use servers::{METADATA, METRICS};

const COUNTS: [u32; 3] = [100, 1000, 10_000];
const ROUNDS: usize = 5;

/// One line of the plot: seconds by number of nodes.
pub struct Series {
    pub name: &'static str,
    pub points: Vec<(u32, Duration)>,
}

impl Series {
    /// The slope in a picture with logarithmic axes, by least squares.
    pub fn slope(&self) -> f64 {
        let logs: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|(count, took)| (f64::from(*count).ln(), took.as_secs_f64().ln()))
            .collect();
        let many = logs.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / many;
        let (x, y) = (mean(|log| log.0), mean(|log| log.1));
        let above: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
        let below: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
        above / below
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", what, count] => {
            runtime().block_on(servers::serve(what == "answering", count));
        }
        // `cargo test --all-targets` starts benchmarks too, and without this word.
        ref words if words.contains(&"--bench") => {
            println!("pages of {} + {} bytes", METADATA.len(), METRICS.len());
            let all = runtime().block_on(all());
            for series in &all {
                print!("{:<12}", series.name);
                for (count, took) in &series.points {
                    print!("{count:>8}: {:>9.3} ms", took.as_secs_f64() * 1e3);
                }
                println!("   slope {:.2}", series.slope());
            }
            let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/growth.svg");
            plot::draw(&picture, &all);
        }
        _ => println!("nothing to test here; run it with cargo bench"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn all() -> Vec<Series> {
    let names = ["floor", "survey", "record", "read", "report", "decide"];
    let mut all = names.map(|name| Series {
        name,
        points: Vec::new(),
    });
    for count in COUNTS {
        for (series, took) in all.iter_mut().zip(one_size(count).await) {
            series.points.push((count, took));
        }
    }
    all.into()
}

/// What each kind of work takes for this many nodes, in the order of the names.
async fn one_size(count: u32) -> [Duration; 6] {
    let (servers, targets) = servers::start("answering", count as usize);
    let floor = median(async || floor::fetch(&targets).await).await;
    let probe = HttpProbe::new(
        Arc::new(Antnode::new(Arc::new(SystemRunner))),
        SurveyLimits::default(),
    );
    let survey = median(async || {
        let probes = probe.survey(&targets, Milliseconds(0)).await;
        let answered = |probe: &&ProbeResult| matches!(probe, ProbeResult::Answered(_));
        assert_eq!(probes.values().filter(answered).count(), targets.len());
    })
    .await;
    drop(servers);

    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("colony.db")).await.unwrap();
    let changes = Changes {
        machine: Some(machine()),
        nodes: (1..=count).map(node).collect(),
        ..Changes::default()
    };
    let record = median(async || store.record(&changes).await.unwrap()).await;
    let read =
        median(async || assert_eq!(store.nodes().await.unwrap().len(), count as usize)).await;
    let report = median(async || {
        let all = store.nodes().await.unwrap();
        let nodes: Vec<&Node> = all.iter().collect();
        assert!(!node_status(&nodes, ReportFormat::Text).unwrap().is_empty());
    })
    .await;
    let snapshot = snapshot_of((1..=count).map(node));
    let decided = median(async || {
        let plan = decide(&snapshot);
        assert!(plan.features.census.total > 0);
    })
    .await;
    [floor, survey, record, read, report, decided]
}

async fn median<F: Future<Output = ()>>(work: impl Fn() -> F) -> Duration {
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        work().await;
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    took[ROUNDS / 2]
}
