//! Load for an hour: a cycle every second over a thousand nodes, in one process that embeds the library.
//!
//! `cargo bench -p wnm-tests --bench load`
//!
//! Prints a line for each minute, and fails when memory, descriptors or the database grew after the first sixth of the
//! time. `WNM_LOAD_MINUTES` sets the time, by default 60; `WNM_BENCH_NODES` the number of nodes, by default 1,000.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to report"
)]

#[cfg(target_os = "linux")]
mod minute;
#[cfg(target_os = "linux")]
mod usage;

#[cfg(target_os = "linux")]
fn main() {
    // `cargo test --all-targets` starts benchmarks, too, without this word.
    if !std::env::args().any(|word| word == "--bench") {
        println!("nothing to test here; run it with cargo bench");
        return;
    }
    let number = |name: &str, usual: u16| {
        std::env::var(name).map_or(usual, |number| number.parse().expect("no number"))
    };
    let minutes = number("WNM_LOAD_MINUTES", 60);
    let nodes = number("WNM_BENCH_NODES", 1000);
    let fleet = wnm_tests::fleet::Fleet::start(nodes);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(minute::each(&fleet, minutes));
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("what a process takes is read from /proc here, which only Linux has");
}
