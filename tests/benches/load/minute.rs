//! Minutes of cycles.

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};
use wnm_colony::{Colony, CycleOptions, Environment};
use wnm_core::registry::{ManagerRegistry, ProgramRegistry};
use wnm_programs::AntnodeFactory;
use wnm_setsid::SetsidFactory;
use wnm_tests::fleet::Fleet;

use crate::usage::Usage;

/// After this part of the time, one sixth, a process has allocated what it keeps.
const WARM_AFTER: u16 = 6;

const MINUTE: Duration = Duration::from_secs(60);

/// Runs a cycle each second for so many minutes.
pub async fn each(fleet: &Fleet, minutes: u16) {
    let managers = ManagerRegistry::new().with(SetsidFactory);
    let programs = ProgramRegistry::new(AntnodeFactory);
    let environment = Environment::system(managers, programs).home(Some(fleet.home()));
    let mut colony = Colony::open(&fleet.database(), environment).await.unwrap();
    let mut pace = interval(Duration::from_secs(1));
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    println!(
        "{:>6}{:>8}{:>14}{:>14}{:>14}",
        "minute", "cycles", "median", "longest", "CPU a cycle"
    );
    let mut before = Usage::now(&fleet.database());
    let mut warm = None;
    for minute in 1..=minutes {
        let mut walls = one(&mut colony, &mut pace).await;
        walls.sort_unstable();
        let usage = Usage::now(&fleet.database());
        let cycles = u32::try_from(walls.len()).unwrap();
        println!(
            "{minute:>6}{cycles:>8}{:>11} ms{:>11} ms{:>11} ms{usage}",
            walls[walls.len() / 2].as_millis(),
            walls[walls.len() - 1].as_millis(),
            ((usage.cpu - before.cpu) / cycles).as_millis(),
        );
        if minute == minutes.div_ceil(WARM_AFTER) {
            warm = Some(usage);
        }
        before = usage;
    }
    if let Some(warm) = warm {
        before.assert_no_more_than(&warm);
    }
}

/// The duration of each cycle of a minute.
async fn one(colony: &mut Colony, pace: &mut Interval) -> Vec<Duration> {
    let mut walls = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < MINUTE {
        pace.tick().await;
        let started = Instant::now();
        let report = colony.cycle(&CycleOptions::default()).await.unwrap();
        walls.push(started.elapsed());
        assert_eq!(report.results, [], "it was to have nothing to do");
    }
    walls
}
