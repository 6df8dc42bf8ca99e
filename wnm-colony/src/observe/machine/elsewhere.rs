//! Systems without `/proc`, through sysinfo.
//!
//! There is no processor time since boot to be had, so a glance is taken at every reading, and no waiting
//! for disks is told apart from idleness.

use nix::time::{ClockId, clock_gettime};
use sysinfo::{
    CpuRefreshKind, DiskRefreshKind, Disks, MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind,
    Networks, RefreshKind, System,
};

use super::Moment;
use wnm_core::machine::LoadAverages;
use wnm_core::probe::ObserveError;
use wnm_core::probe::{Counters, CpuTimes, Traffic};
use wnm_core::quantity::{Load, Milliseconds, Percent, UnixTime};

/// Shares of a glance are kept as this many ticks.
const GLANCE: u64 = 10_000;

/// Everything in one reading.
pub(super) async fn read(now: UnixTime) -> Result<Moment, ObserveError> {
    let kinds = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing().with_usage())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let mut system = System::new_with_specifics(kinds).map_err(unread("the system"))?;
    tokio::time::sleep(MINIMUM_CPU_UPDATE_INTERVAL).await;
    system.refresh_cpu_usage();
    let averages = System::load_average().map_err(unread("the load averages"))?;
    let total = system.total_memory();
    let used = total.saturating_sub(system.available_memory());
    Ok(Moment {
        counters: Counters {
            boot_id: boot_id()?,
            at: now,
            uptime: uptime()?,
            cpu: glance(system.global_cpu_usage()),
            disk: disk_traffic()?,
            net: net_traffic()?,
        },
        memory: Percent::of(used as f64, total as f64),
        averages: LoadAverages {
            one: Load::new(averages.one).unwrap_or_default(),
            five: Load::new(averages.five).unwrap_or_default(),
            fifteen: Load::new(averages.fifteen).unwrap_or_default(),
        },
        boot_time: boot_time()?,
    })
}

/// Counters as another reading's base. That reading's glance at the processors stands for itself.
pub(super) fn as_base(counters: Counters) -> Counters {
    Counters {
        cpu: CpuTimes::default(),
        ..counters
    }
}

/// What macOS calls the session of this boot. The time of the boot would be another after the clock was set.
#[cfg(target_os = "macos")]
pub(super) fn boot_id() -> Result<String, ObserveError> {
    use sysctl::Sysctl;
    let what = "the session of the boot";
    let read = sysctl::Ctl::new("kern.bootsessionuuid").and_then(|ctl| ctl.value_string());
    read.map_err(unread(what))
}

/// There is none; the time of the boot stands for it.
#[cfg(not(target_os = "macos"))]
pub(super) fn boot_id() -> Result<String, ObserveError> {
    boot_time().map(|time| format!("boot-{time}"))
}

/// By a clock that nobody sets, and that goes on while the machine sleeps. Where it begins to count does not
/// matter.
fn uptime() -> Result<Milliseconds, ObserveError> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(unread("the time since boot"))?;
    let since = std::time::Duration::from(now);
    Ok(Milliseconds(
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    ))
}

/// Processors there are.
pub(super) fn cpu_count() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn boot_time() -> Result<UnixTime, ObserveError> {
    let time = System::boot_time().map_err(unread("the time of the boot"))?;
    Ok(UnixTime(i64::try_from(time).unwrap_or_default()))
}

fn unread<E>(what: &'static str) -> impl Fn(E) -> ObserveError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| ObserveError::Read {
        what: what.to_owned(),
        source: std::io::Error::other(error),
    }
}

fn glance(percent: f32) -> CpuTimes {
    let busy = (f64::from(percent.clamp(0.0, 100.0)) * GLANCE as f64 / 100.0).round() as u64;
    CpuTimes {
        busy,
        idle: GLANCE.saturating_sub(busy),
        io_wait: 0,
    }
}

/// A disk is listed once for every file system on it; its traffic is the same each time.
fn disk_traffic() -> Result<Traffic, ObserveError> {
    let kind = DiskRefreshKind::nothing().with_io_usage();
    let disks = Disks::new_with_refreshed_list_specifics(kind).map_err(unread("the disks"))?;
    let mut counted = Vec::new();
    let mut sum = Traffic::default();
    for disk in &disks {
        if !counted.contains(&disk.name()) {
            counted.push(disk.name());
            let usage = disk.usage();
            sum.read = sum.read.saturating_add(usage.total_read_bytes);
            sum.write = sum.write.saturating_add(usage.total_written_bytes);
        }
    }
    Ok(sum)
}

fn net_traffic() -> Result<Traffic, ObserveError> {
    let networks = Networks::new_with_refreshed_list().map_err(unread("the networks"))?;
    let mut sum = Traffic::default();
    for (_, data) in networks
        .iter()
        .filter(|(name, _)| !name.to_string_lossy().starts_with("lo"))
    {
        sum.read = sum.read.saturating_add(data.total_received());
        sum.write = sum.write.saturating_add(data.total_transmitted());
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_is_split_into_busy_and_idle() {
        assert_eq!(glance(12.5).busy, 1250);
        assert_eq!(glance(12.5).idle, 8750);
        assert_eq!(glance(250.0).idle, 0);
        assert_eq!(glance(f32::NAN).busy, 0);
    }

    #[tokio::test]
    async fn a_reading_stands_for_itself() {
        let moment = read(UnixTime(7)).await.unwrap();
        assert_eq!(moment.counters.at, UnixTime(7));
        assert!(moment.memory > Percent::whole(0));
        let later = read(UnixTime(8)).await.unwrap().counters;
        assert_eq!(later.boot_id, moment.counters.boot_id);
        // Two readings a part of a second apart are not taken at one time.
        assert!(later.uptime > moment.counters.uptime);
        let cpu = moment.counters.cpu;
        assert_eq!(cpu.busy + cpu.idle, GLANCE);
        assert_eq!(as_base(moment.counters).cpu, CpuTimes::default());
        assert!(cpu_count() >= 1);
    }
}
