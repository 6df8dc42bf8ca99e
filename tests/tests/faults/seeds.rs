//! Which runs are made, and how a failed one is made again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The seed to begin with, 0 unless it is set. Alone it asks for that one run.
const SEED: &str = "WNM_FAULT_SEED";

/// How many runs all tests together make.
const RUNS: &str = "WNM_FAULT_RUNS";

/// Tests that share the runs asked for.
const TESTS: u64 = 6;

/// Runs side by side in one test: most of their time goes by waiting for nodes to stay up.
const AT_ONCE: usize = 2;

/// Makes the runs of one test, all of them even if some fail, and fails at the end with the commands that repeat
/// those.
pub fn each_seed(test: &str, ordinarily: u64, run: impl Fn(u64) + Sync) {
    let first = number(SEED);
    let count = match number(RUNS) {
        Some(runs) => runs.div_ceil(TESTS),
        None if first.is_some() => 1,
        None => ordinarily,
    };
    let first = first.unwrap_or(0);
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
                        let command = repeat(test, seed);
                        eprintln!("failed, to repeat it: {command}");
                        failed
                            .lock()
                            .unwrap()
                            .push(format!("{command}\n{}", words(&*panic)));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {count} runs failed:\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

fn repeat(test: &str, seed: u64) -> String {
    format!("{SEED}={seed} cargo test -p wnm-tests --test faults {test}")
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "a panic without words".to_owned())
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} takes a number, not '{value}'")))
}
