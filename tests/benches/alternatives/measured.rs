//! The cost of one process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// The cost of a process and of the children that it waited for.
#[derive(Clone, Copy)]
pub struct Figures {
    pub wall: Duration,
    pub cpu: Duration,
    /// In bytes.
    pub peak_memory: u64,
}

/// The median of each figure by itself.
pub fn median(all: Vec<Figures>) -> Figures {
    fn middle<T: Ord + Copy>(mut all: Vec<T>) -> T {
        all.sort_unstable();
        all[all.len() / 2]
    }
    Figures {
        wall: middle(all.iter().map(|figures| figures.wall).collect()),
        cpu: middle(all.iter().map(|figures| figures.cpu).collect()),
        peak_memory: middle(all.iter().map(|figures| figures.peak_memory).collect()),
    }
}

/// Runs a command below a new process, since the kernel adds up the cost of one process's children.
pub fn of(command: &Command) -> Figures {
    let mut measuring = Command::new(std::env::current_exe().unwrap());
    measuring.arg("measure").arg(command.get_program());
    measuring.args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        measuring.envs(value.map(|value| (name, value)));
    }
    if let Some(dir) = command.get_current_dir() {
        measuring.current_dir(dir);
    }
    let output = measuring.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}:\n{errors}");
    let answer = String::from_utf8(output.stdout).unwrap();
    let answer: Vec<u64> = answer
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    Figures {
        wall: Duration::from_micros(answer[0]),
        cpu: Duration::from_micros(answer[1]),
        peak_memory: answer[2],
    }
}

/// Runs `command` and prints its cost. Its errors go to standard error.
pub fn measure(command: &[&str]) {
    let begin = Instant::now();
    let output = Command::new(command[0])
        .args(&command[1..])
        .output()
        .unwrap();
    let wall = begin.elapsed();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap();
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    println!(
        "{} {} {}",
        wall.as_micros(),
        micros(usage.user_time()) + micros(usage.system_time()),
        u64::try_from(usage.max_rss()).unwrap() * unit
    );
}
