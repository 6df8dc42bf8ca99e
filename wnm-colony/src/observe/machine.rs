//! Measures the machine: shares and rates between two readings of counters, and what is of one moment.

#[cfg(any(not(target_os = "linux"), test))]
mod elsewhere;
mod file_system;
#[cfg(target_os = "linux")]
mod linux;

use std::path::Path;

use async_trait::async_trait;

#[cfg(not(target_os = "linux"))]
use self::elsewhere as system;
use self::file_system::{Fill, fill};
#[cfg(target_os = "linux")]
use self::linux as system;
use wnm_core::machine::{IoRates, LoadAverages, MachineLoad};
use wnm_core::probe::{Counters, Traffic};
use wnm_core::probe::{MachineProbe, MachineReading, ObserveError};
use wnm_core::quantity::{ByteRate, Milliseconds, Percent, Seconds, UnixTime};

/// Length of a sample where there are no counters to continue from: long enough for a hundred ticks of the
/// kernel's clock on each processor.
const SAMPLE: Milliseconds = Milliseconds(1000);

/// Counters older than this are not continued from: their mean would hide what goes on now.
const OLDEST_PREVIOUS: Milliseconds = Milliseconds(15 * 60 * 1000);

/// What one reading of the operating system gives.
#[derive(Debug, Clone, Default, PartialEq)]
struct Moment {
    /// Counters since boot.
    counters: Counters,
    /// Memory that could not be given to a new process.
    memory: Percent,
    /// Load averages.
    averages: LoadAverages,
    /// When the machine came up.
    boot_time: UnixTime,
}

/// The load between two readings; what is no mean is of the second. A counter that went backwards (it
/// wrapped, or a device was taken away) gives a rate of 0.
fn load_between(before: &Counters, after: &Moment, disk: Fill) -> MachineLoad {
    let counters = &after.counters;
    let span = counters.uptime.0.saturating_sub(before.uptime.0);
    let (earlier, later) = (before.cpu, counters.cpu);
    // Idle time and waiting time are known to go back by a tick or so.
    let busy = later.busy.saturating_sub(earlier.busy) as f64;
    let idle = later.idle.saturating_sub(earlier.idle) as f64;
    let io_wait = later.io_wait.saturating_sub(earlier.io_wait) as f64;
    let total = busy + idle + io_wait;
    MachineLoad {
        at: counters.at,
        span: Seconds(span.saturating_add(500) / 1000),
        cpu: Percent::of(busy, total),
        io_wait: Percent::of(io_wait, total),
        memory: after.memory,
        disk: disk.used,
        disk_total: disk.total,
        disk_io: rates(before.disk, counters.disk, span),
        net_io: rates(before.net, counters.net, span),
        load: after.averages,
        boot_time: after.boot_time,
    }
}

fn rates(before: Traffic, after: Traffic, span: u64) -> IoRates {
    let rate = |before: u64, after: u64| {
        let bytes = u128::from(after.saturating_sub(before)) * 1000;
        let rate = bytes.checked_div(u128::from(span)).unwrap_or_default();
        ByteRate(u64::try_from(rate).unwrap_or(u64::MAX))
    };
    IoRates {
        read: rate(before.read, after.read),
        write: rate(before.write, after.write),
    }
}

/// Whether means can run from `previous` to `current`.
fn continues(previous: &Counters, current: &Counters) -> bool {
    let span = current.uptime.0.checked_sub(previous.uptime.0);
    previous.boot_id == current.boot_id
        && span.is_some_and(|span| span > 0 && span <= OLDEST_PREVIOUS.0)
        && previous.cpu.busy <= current.cpu.busy
        && previous.cpu != current.cpu
}

/// Measures the machine it runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemProbe {}

impl SystemProbe {
    /// A probe of this machine.
    pub fn new() -> Self {
        Self {}
    }
}

#[async_trait]
impl MachineProbe for SystemProbe {
    async fn measure(
        &self,
        now: UnixTime,
        storage: &Path,
        previous: Option<Counters>,
    ) -> Result<MachineReading, ObserveError> {
        let disk = fill(storage).await?;
        let current = system::read(now).await?;
        let previous = previous
            .map(system::as_base)
            .filter(|previous| continues(previous, &current.counters));
        let (before, after) = match previous {
            Some(previous) => (previous, current),
            None => {
                tokio::time::sleep(SAMPLE.duration()).await;
                let before = system::as_base(current.counters);
                (before, system::read(now).await?)
            }
        };
        Ok(MachineReading {
            load: load_between(&before, &after, disk),
            counters: after.counters,
        })
    }

    fn boot_id(&self) -> Result<String, ObserveError> {
        system::boot_id()
    }

    fn cpu_count(&self) -> u32 {
        system::cpu_count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wnm_core::probe::CpuTimes;

    fn counters(uptime: u64, busy: u64, idle: u64, io_wait: u64) -> Counters {
        Counters {
            boot_id: "boot".to_owned(),
            at: UnixTime(1_000_000),
            uptime: Milliseconds(uptime),
            cpu: CpuTimes {
                busy,
                idle,
                io_wait,
            },
            ..Counters::default()
        }
    }

    fn moment(counters: Counters) -> Moment {
        Moment {
            counters,
            ..Moment::default()
        }
    }

    #[test]
    fn shares_and_rates_are_means_over_the_span() {
        let mut before = counters(1_000_000, 1000, 5000, 100);
        before.disk = Traffic {
            read: 500,
            write: 0,
        };
        let mut after = counters(1_060_000, 1030, 5060, 110);
        after.disk = Traffic {
            read: 60_500,
            write: 120_000,
        };
        after.net.write = 59;
        let disk = Fill {
            used: Percent::whole(12),
            total: 77,
        };
        let load = load_between(&before, &moment(after), disk);
        assert_eq!(load.at, UnixTime(1_000_000));
        assert_eq!(load.span, Seconds(60));
        assert_eq!(load.cpu, Percent::whole(30));
        assert_eq!(load.io_wait, Percent::whole(10));
        assert_eq!(load.disk_io.read, ByteRate(1000));
        assert_eq!(load.disk_io.write, ByteRate(2000));
        assert_eq!(load.net_io.write, ByteRate(0));
        assert_eq!((load.disk, load.disk_total), (Percent::whole(12), 77));
    }

    #[test]
    fn spans_below_a_second_are_divided_by_as_they_are() {
        let before = counters(1000, 0, 0, 0);
        let mut after = counters(1250, 1, 3, 0);
        after.net.read = 1000;
        let load = load_between(&before, &moment(after), Fill::default());
        assert_eq!(load.net_io.read, ByteRate(4000));
        assert_eq!(load.cpu, Percent::whole(25));
    }

    #[test]
    fn counters_that_went_backwards_give_nothing() {
        let mut before = counters(1000, 10, 100, 50);
        before.disk = Traffic {
            read: 900,
            write: 900,
        };
        let mut after = counters(2000, 20, 190, 49);
        after.disk = Traffic {
            read: 100,
            write: 1900,
        };
        let load = load_between(&before, &moment(after), Fill::default());
        assert_eq!(load.disk_io.read, ByteRate(0));
        assert_eq!(load.disk_io.write, ByteRate(1000));
        assert_eq!(load.io_wait, Percent::whole(0));
        assert_eq!(load.cpu, Percent::whole(10));
    }

    #[test]
    fn only_recent_counters_of_this_boot_are_continued_from() {
        let current = counters(2_000_000, 100, 1000, 10);
        let before = |change: fn(&mut Counters)| {
            let mut previous = counters(1_940_000, 90, 900, 10);
            change(&mut previous);
            continues(&previous, &current)
        };
        assert!(before(|_| {}));
        assert!(
            before(|p| p.at = UnixTime(i64::MAX)),
            "the clock is not asked"
        );
        assert!(before(|p| p.uptime = Milliseconds(1_999_900)));
        assert!(before(|p| p.uptime = Milliseconds(1_100_000)));
        assert!(!before(|p| p.uptime = Milliseconds(1_099_999)), "too old");
        assert!(!before(|p| p.uptime = Milliseconds(2_000_000)), "no span");
        assert!(
            !before(|p| p.uptime = Milliseconds(2_000_001)),
            "of the future"
        );
        assert!(!before(|p| p.boot_id = "another".to_owned()));
        assert!(!before(|p| p.cpu.busy = 101), "of another count");
        assert!(!continues(
            &Counters {
                uptime: Milliseconds(1_999_999),
                ..current.clone()
            },
            &current
        ));
    }

    #[tokio::test]
    async fn this_machine_is_measured_and_then_continued_without_a_sample() {
        let probe = SystemProbe::new();
        let dir = tempfile::tempdir().unwrap();
        let storage = dir.path().join("not/made/yet");
        let first = probe.measure(UnixTime(5), &storage, None).await.unwrap();
        assert_eq!(first.counters.boot_id, probe.boot_id().unwrap());
        assert!(probe.cpu_count() >= 1);
        assert!(first.load.disk_total > 0);
        assert!(first.load.memory > Percent::whole(0));
        assert!(first.load.boot_time > UnixTime(0));
        assert!(first.load.span >= Seconds(1));
        let shares = [
            first.load.cpu,
            first.load.io_wait,
            first.load.memory,
            first.load.disk,
        ];
        assert!(
            shares.iter().all(|share| *share <= Percent::whole(100)),
            "{shares:?}"
        );

        // Counters of half a minute ago: with a sample, the span would be about a second.
        let mut previous = first.counters.clone();
        let earlier = previous.uptime.0.saturating_sub(30_000);
        previous.uptime = Milliseconds(earlier);
        previous.cpu.busy = previous.cpu.busy.saturating_sub(1);
        let second = probe
            .measure(UnixTime(6), &storage, Some(previous))
            .await
            .unwrap();
        assert!(second.load.span >= Seconds(30.min(first.counters.uptime.0 / 1000)));
        assert_eq!(second.load.at, UnixTime(6));
    }

    #[test]
    fn counters_are_stored_as_json() {
        let text = serde_json::to_string(&counters(1, 2, 3, 4)).unwrap();
        insta::assert_snapshot!(text, @r#"{"boot_id":"boot","at":1000000,"uptime":1,"cpu":{"busy":2,"idle":3,"io_wait":4},"disk":{"read":0,"write":0},"net":{"read":0,"write":0}}"#);
        let back: Counters = serde_json::from_str(&text).unwrap();
        assert_eq!(back, counters(1, 2, 3, 4));
    }

    proptest! {
        #[test]
        fn no_counters_give_a_share_beyond_the_whole(
            before: [u64; 8], after: [u64; 8],
        ) {
            let build = |n: [u64; 8]| Counters {
                disk: Traffic { read: n[4], write: n[5] },
                net: Traffic { read: n[6], write: n[7] },
                ..counters(n[0], n[1], n[2], n[3])
            };
            let load = load_between(&build(before), &moment(build(after)), Fill::default());
            prop_assert!(load.cpu.get() + load.io_wait.get() <= 100.000001);
        }
    }
}
