//! Measures systems without `/proc` through sysinfo.
//!
//! These systems report no processor time since boot, so every reading takes a short sample.
//! Waiting for disks counts as idle.

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

/// The ticks of a processor sample: its shares are stored in ten-thousandths.
const SAMPLE_TICKS: u64 = 10_000;

/// Takes one reading of everything.
pub(super) async fn read(now: UnixTime) -> Result<Moment, ObserveError> {
    let kinds = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing().with_usage())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let mut system = System::new_with_specifics(kinds).map_err(read_error("the system"))?;
    tokio::time::sleep(MINIMUM_CPU_UPDATE_INTERVAL).await;
    system.refresh_cpu_usage();
    let averages = System::load_average().map_err(read_error("the load averages"))?;
    let total = system.total_memory();
    let used = total.saturating_sub(system.available_memory());
    Ok(Moment {
        counters: Counters {
            boot_id: boot_id()?,
            at: now,
            uptime: uptime()?,
            cpu: sample(system.global_cpu_usage()),
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

/// The counters as the start of a mean. Processor times become 0, because each sample is complete.
pub(super) fn as_base(counters: Counters) -> Counters {
    Counters {
        cpu: CpuTimes::default(),
        ..counters
    }
}

/// The boot session id of macOS. A boot time would change whenever someone sets the clock.
#[cfg(target_os = "macos")]
pub(super) fn boot_id() -> Result<String, ObserveError> {
    use sysctl::Sysctl;
    let what = "the boot session id";
    let read = sysctl::Ctl::new("kern.bootsessionuuid").and_then(|ctl| ctl.value_string());
    read.map_err(read_error(what))
}

/// An id made of the boot time, because there is no better one.
#[cfg(not(target_os = "macos"))]
pub(super) fn boot_id() -> Result<String, ObserveError> {
    boot_time().map(|time| format!("boot-{time}"))
}

/// The time since an arbitrary moment, from a clock that nobody can set and that also runs while
/// the machine sleeps.
fn uptime() -> Result<Milliseconds, ObserveError> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(read_error("the time since boot"))?;
    let since = std::time::Duration::from(now);
    Ok(Milliseconds(
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    ))
}

/// The number of processors.
pub(super) fn cpu_count() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn boot_time() -> Result<UnixTime, ObserveError> {
    let time = System::boot_time().map_err(read_error("the boot time"))?;
    Ok(UnixTime(i64::try_from(time).unwrap_or_default()))
}

fn read_error<E>(what: &'static str) -> impl Fn(E) -> ObserveError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| ObserveError::Read {
        what: what.to_owned(),
        source: std::io::Error::other(error),
    }
}

fn sample(percent: f32) -> CpuTimes {
    let busy = (f64::from(percent.clamp(0.0, 100.0)) * SAMPLE_TICKS as f64 / 100.0).round() as u64;
    CpuTimes {
        busy,
        idle: SAMPLE_TICKS.saturating_sub(busy),
        io_wait: 0,
    }
}

/// The traffic of all disks. sysinfo lists a disk once per file system, with equal traffic each
/// time.
fn disk_traffic() -> Result<Traffic, ObserveError> {
    let kind = DiskRefreshKind::nothing().with_io_usage();
    let disks = Disks::new_with_refreshed_list_specifics(kind).map_err(read_error("the disks"))?;
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
    let networks = Networks::new_with_refreshed_list().map_err(read_error("the networks"))?;
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
    fn a_sample_is_split_into_busy_and_idle() {
        assert_eq!(sample(12.5).busy, 1250);
        assert_eq!(sample(12.5).idle, 8750);
        assert_eq!(sample(250.0).idle, 0);
        assert_eq!(sample(f32::NAN).busy, 0);
    }

    #[tokio::test]
    async fn each_reading_has_its_own_sample() {
        let moment = read(UnixTime(7)).await.unwrap();
        assert_eq!(moment.counters.at, UnixTime(7));
        assert!(moment.memory > Percent::whole(0));
        let later = read(UnixTime(8)).await.unwrap().counters;
        assert_eq!(later.boot_id, moment.counters.boot_id);
        // Readings a fraction of a second apart differ.
        assert!(later.uptime > moment.counters.uptime);
        let cpu = moment.counters.cpu;
        assert_eq!(cpu.busy + cpu.idle, SAMPLE_TICKS);
        assert_eq!(as_base(moment.counters).cpu, CpuTimes::default());
        assert!(cpu_count() >= 1);
    }
}
