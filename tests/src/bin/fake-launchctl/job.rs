//! A loaded job: its process, started and restarted until the job is unloaded.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::described::Described;

/// launchd's exit status for a program that it cannot start (sysexits(3)).
const EX_CONFIG: i32 = 78;

/// Seconds between two starts, and until a process is killed, where a file names none.
const THROTTLE: u32 = 10;
const EXIT_TIME_OUT: u32 = 5;

pub struct Job {
    pub domain: String,
    pub file: PathBuf,
    pub described: Described,
    second: Duration,
    stand: Mutex<Stand>,
    changed: Condvar,
}

/// The state of a job.
#[derive(Debug, Clone, Default)]
pub struct Stand {
    pub pid: Option<i32>,
    pub runs: u64,
    /// Exit code, or minus the signal.
    pub last: Option<i32>,
    /// It is being unloaded.
    pub leaving: bool,
    /// It is no longer listed, and its label is still busy.
    pub drained: bool,
    kicked: bool,
}

impl Job {
    pub fn new(domain: String, file: PathBuf, described: Described, second: Duration) -> Arc<Self> {
        Arc::new(Self {
            domain,
            file,
            described,
            second,
            stand: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub fn stand(&self) -> Stand {
        self.lock().clone()
    }

    /// Runs it until it is unloaded and its process is gone.
    pub fn keep(&self) {
        let mut started = None;
        while self.wait_for_a_start(started) {
            started = Some(Instant::now());
            let last = match self
                .described
                .command()
                .and_then(|mut command| command.spawn())
            {
                Ok(mut child) => {
                    self.change(|stand| stand.pid = Some(child.id().cast_signed()));
                    // Unloaded between the two: nobody knew whom to signal.
                    if self.lock().leaving {
                        self.signal(Signal::SIGTERM);
                    }
                    code(child.wait().expect("a child cannot be waited for"))
                }
                Err(_) => EX_CONFIG,
            };
            self.change(|stand| {
                stand.pid = None;
                stand.last = Some(last);
            });
        }
        self.change(|stand| stand.drained = true);
    }

    /// Waits until it is to start. `false` once it is unloaded.
    fn wait_for_a_start(&self, started: Option<Instant>) -> bool {
        let throttle = self.described.throttle_interval.unwrap_or(THROTTLE);
        let mut stand = self.lock();
        loop {
            if stand.leaving {
                return false;
            }
            let due = match started {
                _ if stand.kicked => Some(Instant::now()),
                None => self.comes_by_itself().then(Instant::now),
                Some(at) => self
                    .described
                    .is_kept_alive()
                    .then(|| at + self.second * throttle),
            };
            let now = Instant::now();
            stand = match due {
                Some(due) if due <= now => {
                    stand.kicked = false;
                    stand.runs += 1;
                    return true;
                }
                Some(due) => self.changed.wait_timeout(stand, due - now).unwrap().0,
                None => self.changed.wait(stand).unwrap(),
            };
        }
    }

    fn comes_by_itself(&self) -> bool {
        self.described.run_at_load || self.described.is_kept_alive()
    }

    /// Ends its process for good.
    pub fn unload(self: &Arc<Self>) {
        self.change(|stand| stand.leaving = true);
        self.end();
    }

    /// Ends its process, if there is one and `ends` is set, and starts another at once.
    pub fn kick(self: &Arc<Self>, ends: bool) {
        self.change(|stand| stand.kicked = true);
        if ends {
            self.end();
        }
    }

    /// Sends TERM, and KILL when it does not end in time.
    fn end(self: &Arc<Self>) {
        let Some(pid) = self.stand().pid else { return };
        self.signal(Signal::SIGTERM);
        let seconds = self.described.exit_time_out.unwrap_or(EXIT_TIME_OUT);
        let (job, limit) = (Arc::clone(self), self.second * seconds);
        thread::spawn(move || {
            let stand = job.lock();
            let ended = |stand: &mut Stand| stand.pid == Some(pid);
            let waited = job.changed.wait_timeout_while(stand, limit, ended).unwrap();
            if waited.1.timed_out() {
                drop(waited);
                job.signal(Signal::SIGKILL);
            }
        });
    }

    /// It may end at this very moment. Its number stays taken until it was waited for.
    pub fn signal(&self, signal: Signal) {
        let stand = self.lock();
        if let Some(pid) = stand.pid {
            kill(Pid::from_raw(pid), signal).ok();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Stand)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap()
    }
}

fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| -status.signal().unwrap_or_default())
}
