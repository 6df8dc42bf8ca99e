//! What the pages of nodes cost: to read them, and to survey the nodes that serve them; with every allocation
//! counted.
//!
//! `cargo bench -p wnm-core --bench pages`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

mod servers;

use std::sync::Arc;

use divan::{AllocProfiler, Bencher, black_box};
use servers::{METADATA, METRICS};
use wnm_colony::observe::{HttpProbe, SurveyLimits};
use wnm_core::probe::NodeProbe;
use wnm_core::program::NodeProgram;
use wnm_core::quantity::Milliseconds;
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;
use wnm_programs::exposition::samples;

#[global_allocator]
static COUNTED: AllocProfiler = AllocProfiler::system();

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", _, count] => {
            runtime().block_on(servers::serve(true, count));
        }
        _ => divan::main(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Every sample of one page of metrics, nothing kept.
#[divan::bench]
fn samples_of_a_page() -> usize {
    samples(black_box(METRICS)).count()
}

/// What wnm keeps of both pages of a node.
#[divan::bench]
fn report_of_a_node(bencher: Bencher<'_, '_>) {
    let program = Antnode::new(Arc::new(SystemRunner));
    bencher.bench_local(|| {
        program
            .read_report(black_box(METADATA), black_box(METRICS))
            .unwrap()
    });
}

/// All nodes over HTTP.
#[divan::bench(args = [100, 1000], sample_count = 10, sample_size = 1)]
fn survey(bencher: Bencher<'_, '_>, count: usize) {
    let (servers, targets) = servers::start("answering", count);
    let program = Arc::new(Antnode::new(Arc::new(SystemRunner)));
    let probe = HttpProbe::new(program, SurveyLimits::default());
    let runtime = runtime();
    bencher.bench_local(|| {
        let probes = runtime.block_on(probe.survey(&targets, Milliseconds(0)));
        assert_eq!(probes.len(), count);
    });
    drop(servers);
}
