//! The runs of a test, and how to repeat a failed one.

use std::any::Any;
use std::fmt::{self, Display, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;

/// The first seed, by default 0. Set without the other variable it selects one run.
const SEED: &str = "WNM_FAULT_SEED";

/// The number of runs of all tests together, distributed in the proportion of the defaults.
const RUNS: &str = "WNM_FAULT_RUNS";

/// Concurrent runs in one test: they mostly wait for nodes to stay up.
const AT_ONCE: usize = 2;

/// The seed of a run.
#[derive(Debug, Clone, Copy)]
pub struct Seed<'t> {
    number: u64,
    test: &'t str,
}

impl Seed<'_> {
    /// The random numbers of a run. They differ between tests.
    pub fn rng(self) -> Rng {
        let mixed = |seed: u64, byte: u8| seed.rotate_left(5) ^ u64::from(byte);
        Rng::with_seed(self.test.bytes().fold(self.number, mixed))
    }

    /// The command that repeats the run.
    fn repeat(self) -> String {
        let Self { number, test } = self;
        format!("{SEED}={number} cargo test -p wnm-tests --test faults {test}")
    }
}

impl Display for Seed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.test, self.number)
    }
}

/// Makes all runs of one test, even if some fail, and fails at the end with the commands that repeat those.
pub fn each_seed(test: &str, ordinarily: u64, run: impl Fn(Seed<'_>) + Sync) {
    let first = number(SEED);
    let count = match number(RUNS) {
        Some(runs) => (runs * ordinarily).div_ceil(crate::ALL_RUNS),
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
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + count {
                        break;
                    }
                    let seed = Seed { number, test };
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
                        let command = seed.repeat();
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
