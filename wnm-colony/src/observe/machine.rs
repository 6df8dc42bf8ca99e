//! Measures the machine: shares and rates between two readings of counters, and momentary values.

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

/// The length of a sample when there are no earlier counters: about a hundred ticks of the kernel's
/// clock on each processor.
const SAMPLE: Milliseconds = Milliseconds(1000);

/// The greatest age of earlier counters. A mean over a longer time would hide the present load.
const OLDEST_PREVIOUS: Milliseconds = Milliseconds(15 * 60 * 1000);

/// One reading from the operating system.
#[derive(Debug, Clone, Default, PartialEq)]
struct Moment {
    /// Counters since boot.
    counters: Counters,
    /// The share of memory that is not available to new processes.
    memory: Percent,
    /// Load averages.
    averages: LoadAverages,
    /// When the machine booted.
    boot_time: UnixTime,
}

/// The mean load between two readings, with momentary values from the second. A counter that went
/// backwards, because it wrapped or a device was removed, gives a rate of 0.
fn load_between(before: &Counters, after: &Moment, disk: Fill) -> MachineLoad {
    let counters = &after.counters;
    let span = counters.uptime.0.saturating_sub(before.uptime.0);
    let (earlier, later) = (before.cpu, counters.cpu);
    // Idle and wait times can go back by a tick or so.
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

/// Whether means can be computed from `previous` to `current`.
fn continues(previous: &Counters, current: &Counters) -> bool {
    let span = current.uptime.0.checked_sub(previous.uptime.0);
    previous.boot_id == current.boot_id
        && span.is_some_and(|span| span > 0 && span <= OLDEST_PREVIOUS.0)
        && previous.cpu.busy <= current.cpu.busy
        && previous.cpu != current.cpu
}

/// Measures the machine that this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemProbe {}

impl SystemProbe {
    /// Creates a probe of this machine.
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
    fn rates_over_less_than_a_second_are_exact() {
        let before = counters(1000, 0, 0, 0);
        let mut after = counters(1250, 1, 3, 0);
        after.net.read = 1000;
        let load = load_between(&before, &moment(after), Fill::default());
        assert_eq!(load.net_io.read, ByteRate(4000));
        assert_eq!(load.cpu, Percent::whole(25));
    }

    #[test]
    fn counters_that_went_backwards_give_zero() {
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
    fn means_start_from_recent_counters_of_this_boot_only() {
        let current = counters(2_000_000, 100, 1000, 10);
        let before = |change: fn(&mut Counters)| {
            let mut previous = counters(1_940_000, 90, 900, 10);
            change(&mut previous);
            continues(&previous, &current)
        };
        assert!(before(|_| {}));
        assert!(
            before(|p| p.at = UnixTime(i64::MAX)),
            "the wall clock does not matter"
        );
        assert!(before(|p| p.uptime = Milliseconds(1_999_900)));
        assert!(before(|p| p.uptime = Milliseconds(1_100_000)));
        assert!(!before(|p| p.uptime = Milliseconds(1_099_999)), "too old");
        assert!(!before(|p| p.uptime = Milliseconds(2_000_000)), "no span");
        assert!(
            !before(|p| p.uptime = Milliseconds(2_000_001)),
            "from the future"
        );
        assert!(!before(|p| p.boot_id = "another".to_owned()));
        assert!(!before(|p| p.cpu.busy = 101), "from another count");
        assert!(!continues(
            &Counters {
                uptime: Milliseconds(1_999_999),
                ..current.clone()
            },
            &current
        ));
    }

    #[tokio::test]
    async fn the_second_measurement_of_this_machine_needs_no_sample() {
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

        // The counters are half a minute old. With a sample, the span would be about a second.
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
        fn shares_never_exceed_the_whole(
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
