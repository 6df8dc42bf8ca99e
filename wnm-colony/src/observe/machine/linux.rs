//! Measures Linux through `/proc`. The formats are in proc(5) and the kernel's iostats document.

use std::io;
use std::path::Path;

use procfs::net::InterfaceDeviceStatus;
use procfs::prelude::*;
use procfs::{DiskStats, KernelStats, LoadAverage, Meminfo, ProcError, ProcResult, Uptime};

use super::Moment;
use wnm_core::machine::LoadAverages;
use wnm_core::probe::ObserveError;
use wnm_core::probe::{Counters, CpuTimes, Traffic};
use wnm_core::quantity::{Load, Milliseconds, Percent, UnixTime};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The unit of `/proc/diskstats` in bytes, whatever the disk's own sector size.
const SECTOR: u64 = 512;

/// Takes one reading of everything.
pub(super) async fn read(now: UnixTime) -> Result<Moment, ObserveError> {
    let stat = read_proc("/proc/stat", KernelStats::current())?;
    let memory = read_proc("/proc/meminfo", Meminfo::current())?;
    let averages = read_proc("/proc/loadavg", LoadAverage::current())?;
    let uptime = read_proc("/proc/uptime", Uptime::current())?;
    // A sandbox may have no disks or networks.
    let disks = read_optional_proc("/proc/diskstats", procfs::diskstats())?.unwrap_or_default();
    let interfaces = read_optional_proc("/proc/net/dev", InterfaceDeviceStatus::current())?;
    Ok(Moment {
        counters: Counters {
            boot_id: boot_id()?,
            at: now,
            uptime: milliseconds(uptime.uptime),
            cpu: cpu_times(&stat),
            disk: disk_traffic(&DiskStats(disks)),
            net: interfaces.map_or_else(Traffic::default, |all| net_traffic(&all, is_device)),
        },
        memory: used_memory(&memory),
        averages: LoadAverages {
            one: load(averages.one),
            five: load(averages.five),
            fifteen: load(averages.fifteen),
        },
        boot_time: UnixTime(i64::try_from(stat.btime).unwrap_or_default()),
    })
}

/// The counters as the start of a mean. All of them count from boot, so they stay as they are.
pub(super) fn as_base(counters: Counters) -> Counters {
    counters
}

/// The random id that the kernel generates at every boot.
pub(super) fn boot_id() -> Result<String, ObserveError> {
    match std::fs::read_to_string(BOOT_ID) {
        Ok(id) => Ok(id.trim().to_owned()),
        Err(source) => Err(ObserveError::Read {
            what: BOOT_ID.to_owned(),
            source,
        }),
    }
}

/// The number of online processors, including those this process may not use: load averages count
/// all.
pub(super) fn cpu_count() -> u32 {
    let listed = KernelStats::current().map(|stat| stat.cpu_time.len());
    let usable = || std::thread::available_parallelism().map_or(1, usize::from);
    let count = listed.ok().filter(|&n| n > 0).unwrap_or_else(usable);
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn read_proc<T>(what: &str, read: ProcResult<T>) -> Result<T, ObserveError> {
    read.map_err(|error| ObserveError::Read {
        what: what.to_owned(),
        source: match error {
            ProcError::Io(source, _) => source,
            ProcError::NotFound(_) => io::ErrorKind::NotFound.into(),
            ProcError::PermissionDenied(_) => io::ErrorKind::PermissionDenied.into(),
            other => io::Error::other(other),
        },
    })
}

fn read_optional_proc<T>(what: &str, read: ProcResult<T>) -> Result<Option<T>, ObserveError> {
    match read {
        Err(ProcError::NotFound(_)) => Ok(None),
        read => read_proc(what, read).map(Some),
    }
}

fn milliseconds(seconds: f64) -> Milliseconds {
    // Negative values and NaN become 0.
    Milliseconds((seconds * 1000.0).round() as u64)
}

/// Rounds to the two digits that the kernel writes, because procfs reads them as 32-bit floats.
fn load(average: f32) -> Load {
    Load::new((f64::from(average) * 100.0).round() / 100.0).unwrap_or_default()
}

fn cpu_times(stat: &KernelStats) -> CpuTimes {
    let all = &stat.total;
    // User time already includes the time of guests.
    let busy = [
        Some(all.user),
        Some(all.nice),
        Some(all.system),
        all.irq,
        all.softirq,
        all.steal,
    ];
    CpuTimes {
        busy: busy.into_iter().flatten().fold(0, u64::saturating_add),
        idle: all.idle,
        io_wait: all.iowait.unwrap_or_default(),
    }
}

fn used_memory(memory: &Meminfo) -> Percent {
    let total = memory.mem_total;
    let available = memory
        .mem_available
        .unwrap_or_else(|| memory.mem_free.saturating_add(memory.cached));
    Percent::of(total.saturating_sub(available) as f64, total as f64)
}

/// The traffic of whole disks. Devices made of others (partitions, device mapper, RAID, …) would
/// count twice.
fn disk_traffic(disks: &DiskStats) -> Traffic {
    let names: Vec<&str> = disks.0.iter().map(|disk| disk.name.as_str()).collect();
    let mut sum = Traffic::default();
    for disk in &disks.0 {
        if is_whole_disk(&disk.name, &names) {
            let bytes = |sectors: u64| sectors.saturating_mul(SECTOR);
            sum.read = sum.read.saturating_add(bytes(disk.sectors_read));
            sum.write = sum.write.saturating_add(bytes(disk.sectors_written));
        }
    }
    sum
}

fn is_whole_disk(name: &str, all: &[&str]) -> bool {
    const COMPOSED: [&str; 8] = ["loop", "ram", "zram", "dm-", "md", "bcache", "drbd", "sr"];
    if COMPOSED.iter().any(|prefix| name.starts_with(prefix)) {
        return false;
    }
    // `nvme0c1n1` is one of the paths to the NVMe disk `nvme0n1`.
    if name
        .strip_prefix("nvme")
        .is_some_and(|rest| rest.contains('c'))
    {
        return false;
    }
    // `sda1` is a partition of `sda`, and `nvme0n1p1` of `nvme0n1`.
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_part = stem != name
        && all.iter().any(|&disk| {
            let numbered = disk.ends_with(|c: char| c.is_ascii_digit());
            match stem.strip_suffix('p') {
                Some(stem) if numbered => stem == disk,
                _ => stem == disk,
            }
        });
    !is_part
}

/// The traffic of network devices. Bridges and tunnels carry traffic that a device carries too, so
/// they count only if there is no device, as in a container.
fn net_traffic(interfaces: &InterfaceDeviceStatus, is_device: impl Fn(&str) -> bool) -> Traffic {
    let outward = || interfaces.0.values().filter(|one| one.name != "lo");
    let devices = outward().any(|one| is_device(&one.name));
    let mut sum = Traffic::default();
    for one in outward().filter(|one| !devices || is_device(&one.name)) {
        sum.read = sum.read.saturating_add(one.recv_bytes);
        sum.write = sum.write.saturating_add(one.sent_bytes);
    }
    sum
}

fn is_device(interface: &str) -> bool {
    Path::new("/sys/class/net")
        .join(interface)
        .join("device")
        .exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_disk_counts_once() {
        let text = "\
   7       0 loop0 9 0 9 0 9 0 9 0 0 0 0
   8       0 sda 10 0 100 0 10 0 1000 0 0 0 0
   8       1 sda1 10 0 90 0 10 0 900 0 0 0 0
 259       0 nvme0n1 10 0 200 0 10 0 2000 0 0 0 0 0 0 0 0 0 0
 259       1 nvme0n1p1 10 0 200 0 10 0 2000 0 0 0 0
 259       5 nvme0c0n1 10 0 200 0 10 0 2000 0 0 0 0
 179       0 mmcblk0 10 0 5 0 10 0 0 0 0 0 0
 179       1 mmcblk0p2 10 0 5 0 10 0 0 0 0 0 0
 254       0 vda 1 0 1 0 1 0 1 0 0 0 0
 202       1 xvda1 1 0 2 0 1 0 2 0 0 0 0
 253       0 dm-0 10 0 100 0 10 0 1000 0 0 0 0
   9     127 md127 10 0 100 0 10 0 1000 0 0 0 0
 252       0 zram0 10 0 100 0 10 0 1000 0 0 0 0
";
        let disks = DiskStats::from_read(text.as_bytes()).unwrap();
        let counted = disk_traffic(&disks);
        // xvda1 has no whole disk: some clouds provide only partitions.
        assert_eq!(counted.read, (100 + 200 + 5 + 1 + 2) * 512);
        assert_eq!(counted.write, (1000 + 2000 + 1 + 2) * 512);
    }

    const NETWORKS: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999 29 0 0 0 0 0 0 999 29 0 0 0 0 0 0
  eth0: 100 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0
  eth1: 50 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0
docker0: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
";

    #[test]
    fn each_network_counts_once_and_the_loopback_never() {
        let all = InterfaceDeviceStatus::from_read(NETWORKS.as_bytes()).unwrap();
        let devices = net_traffic(&all, |name| name.starts_with("eth"));
        assert_eq!((devices.read, devices.write), (150, 1500));
        let in_a_container = net_traffic(&all, |_| false);
        assert_eq!((in_a_container.read, in_a_container.write), (157, 1507));
    }

    #[test]
    fn waiting_is_not_busy_and_guests_count_once() {
        let text = "cpu  100 20 30 1000 50 4 5 6 90 9\ncpu0 100 20 30 1000 50 4 5 6 90 9\n\
                    intr 1 2 3\nctxt 1\nbtime 1700000000\nprocesses 1\n";
        let info = procfs::ExplicitSystemInfo {
            boot_time_secs: 0,
            ticks_per_second: 100,
            page_size: 4096,
            is_little_endian: true,
        };
        let stat = KernelStats::from_read(text.as_bytes(), &info).unwrap();
        let expected = CpuTimes {
            busy: 165,
            idle: 1000,
            io_wait: 50,
        };
        assert_eq!(cpu_times(&stat), expected);
    }

    #[test]
    fn reclaimable_memory_is_not_used() {
        let text = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nBuffers: 10 kB\n\
                    Cached: 300 kB\n";
        let text = format!("{text}{}", REST_OF_MEMINFO);
        let memory = Meminfo::from_read(text.as_bytes()).unwrap();
        assert_eq!(used_memory(&memory), Percent::whole(60));
        let old = text.replace("MemAvailable: 400 kB\n", "");
        let memory = Meminfo::from_read(old.as_bytes()).unwrap();
        assert_eq!(used_memory(&memory), Percent::whole(60));
    }

    /// The other lines that the parser requires.
    const REST_OF_MEMINFO: &str = "SwapCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nSwapTotal: 0 kB\n\
         SwapFree: 0 kB\nDirty: 0 kB\nWriteback: 0 kB\nMapped: 0 kB\nSlab: 0 kB\nCommitted_AS: 0 kB\n\
         VmallocTotal: 0 kB\nVmallocUsed: 0 kB\nVmallocChunk: 0 kB\n";

    #[test]
    fn load_averages_keep_two_digits() {
        assert_eq!(load(0.3).get(), 0.3);
        assert_eq!(load(f32::NAN).get(), 0.0);
        assert_eq!(milliseconds(12.34), Milliseconds(12_340));
    }
}
