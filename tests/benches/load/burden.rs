//! What this process and its database take.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs::process::Process;

/// SQLite begins its log anew at 4 MiB, as soon as nobody reads from it.
const MOST_LOG: u64 = 8 << 20;

/// What is taken at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Burden {
    /// Processor time since the process began.
    pub cpu: Duration,
    /// Resident, in bytes.
    pub memory: u64,
    /// Open ones.
    pub descriptors: usize,
    /// Sockets of the whole machine that wait out their end.
    pub waiting_sockets: usize,
    /// Bytes of the database.
    pub database: u64,
    /// Bytes of its log of changes, which is written over from its beginning once the database has them.
    pub log: u64,
}

impl Burden {
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

    /// Fails when there is more of anything than there was.
    pub fn assert_no_more_than(&self, before: &Self) {
        assert!(
            self.descriptors <= before.descriptors,
            "descriptors leaked: {before} became {self}"
        );
        // What an allocator keeps for later differs a little from time to time.
        assert!(
            self.memory <= before.memory + before.memory / 10,
            "memory grew: {before} became {self}"
        );
        assert!(
            self.database <= before.database,
            "the database grew: {before} became {self}"
        );
        assert!(self.log <= MOST_LOG, "its log is never begun anew: {self}");
    }
}

impl fmt::Display for Burden {
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

/// As the kernel counts them: a list of all would be the most that this process ever holds, and stay with it.
fn in_time_wait() -> usize {
    let told = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let of_tcp = told.lines().find_map(|line| line.strip_prefix("TCP: "));
    let mut words = of_tcp.unwrap().split(' ');
    words.find(|word| *word == "tw").unwrap();
    words.next().unwrap().parse().unwrap()
}

fn log_of(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", database.display()))
}

/// A log that is not there has none.
fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}
