//! The resources that this process and its database use.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs::process::Process;

/// SQLite restarts its log at 4 MiB, as soon as nobody reads from it.
const MOST_LOG: u64 = 8 << 20;

/// The usage at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Processor time since the process started.
    pub cpu: Duration,
    /// Resident, in bytes.
    pub memory: u64,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Sockets of the whole machine in TIME_WAIT.
    pub waiting_sockets: usize,
    /// Bytes of the database.
    pub database: u64,
    /// Bytes of its write-ahead log, which is overwritten from the beginning once the database has the changes.
    pub log: u64,
}

impl Usage {
    pub fn now(database: &Path) -> Self {
        let itself = Process::myself().unwrap();
        let stat = itself.stat().unwrap();
        let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        Self {
            cpu: Duration::from_secs_f64(seconds),
            memory: stat.rss * procfs::page_size(),
            descriptors: itself.fd_count().unwrap(),
            waiting_sockets: in_time_wait(),
            database: size(database),
            log: size(&log_of(database)),
        }
    }

    /// Fails when anything has grown.
    pub fn assert_no_more_than(&self, before: &Self) {
        assert!(
            self.descriptors <= before.descriptors,
            "descriptors leaked: {before} became {self}"
        );
        // An allocator's reserve varies a little.
        assert!(
            self.memory <= before.memory + before.memory / 10,
            "memory grew: {before} became {self}"
        );
        assert!(
            self.database <= before.database,
            "the database grew: {before} became {self}"
        );
        assert!(self.log <= MOST_LOG, "the log is never restarted: {self}");
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>7.1} MiB{:>6} descriptors{:>7} in TIME_WAIT{:>6} KiB of database{:>6} of log",
            self.memory as f64 / f64::from(1 << 20),
            self.descriptors,
            self.waiting_sockets,
            self.database >> 10,
            self.log >> 10
        )
    }
}

/// The kernel's count: a list of all sockets would be the largest allocation of this process, and stay with it.
fn in_time_wait() -> usize {
    let output = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let of_tcp = output.lines().find_map(|line| line.strip_prefix("TCP: "));
    let mut words = of_tcp.unwrap().split(' ');
    words.find(|word| *word == "tw").unwrap();
    words.next().unwrap().parse().unwrap()
}

fn log_of(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", database.display()))
}

/// A missing log is empty.
fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}
