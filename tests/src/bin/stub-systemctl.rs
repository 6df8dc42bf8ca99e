//! A `systemctl --user` without a systemd, for tests of programs that call it: `start` really spawns the program of the
//! unit, and `stop` ends it. Its state is in the runtime directory of its caller, so every test has its own.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wnm_tests::wait;

/// How long a process may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    words.retain(|word| !word.starts_with("--"));
    let mut words = words.into_iter();
    let verb = words.next().unwrap_or_default();
    let units: Vec<Unit> = words.map(|word| Unit::named(&word)).collect();
    let mut code = ExitCode::SUCCESS;
    for unit in units {
        if let Err(words) = unit.act(&verb) {
            eprintln!("{words}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// A unit of the caller.
struct Unit {
    name: String,
    path: PathBuf,
    wanted: PathBuf,
    record: PathBuf,
}

impl Unit {
    /// A name with or without its suffix, or a path.
    fn named(word: &str) -> Self {
        let file = Path::new(word).file_name().unwrap().to_str().unwrap();
        let name = file.trim_end_matches(".service").to_owned();
        let units = variable("XDG_CONFIG_HOME").join("systemd/user");
        let records = variable("XDG_RUNTIME_DIR").join("stub-systemd");
        fs::create_dir_all(&records).unwrap();
        Self {
            path: units.join(format!("{name}.service")),
            wanted: units.join(format!("default.target.wants/{name}.service")),
            record: records.join(&name),
            name,
        }
    }

    fn act(&self, verb: &str) -> Result<(), String> {
        match verb {
            "start" => self.start(),
            "stop" => {
                self.stop();
                Ok(())
            }
            "enable" => {
                if self.text()?.contains("[Install]") {
                    fs::create_dir_all(self.wanted.parent().unwrap()).unwrap();
                    std::os::unix::fs::symlink(&self.path, &self.wanted).ok();
                }
                Ok(())
            }
            "disable" => {
                self.text()?;
                fs::remove_file(&self.wanted).ok();
                Ok(())
            }
            "is-enabled" => {
                self.text()?;
                let enabled = self.wanted.is_symlink();
                println!("{}", if enabled { "enabled" } else { "disabled" });
                enabled.then_some(()).ok_or_else(String::new)
            }
            "reset-failed" => Err(format!("Unit {}.service not loaded.", self.name)),
            other => Err(format!("Unknown command verb {other}.")),
        }
    }

    fn text(&self) -> Result<String, String> {
        fs::read_to_string(&self.path)
            .map_err(|_| format!("Unit {}.service could not be found.", self.name))
    }

    fn start(&self) -> Result<(), String> {
        let text = self.text()?;
        if self.process().is_some() {
            return Ok(());
        }
        let line = |key: &str| {
            text.lines()
                .filter_map(|l| l.strip_prefix(key).map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let command = line("ExecStart=").pop().expect("a unit without a command");
        let mut words = command.split_whitespace();
        let log = fs::File::create(self.record.with_extension("log")).unwrap();
        let mut spawned = Command::new(words.next().unwrap());
        spawned
            .args(words)
            .env_clear()
            .env("HOME", variable("HOME"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        for pair in line("Environment=") {
            let (key, value) = pair.trim_matches('"').split_once('=').unwrap();
            spawned.env(key, value);
        }
        // `systemctl start` succeeds even if the program does not exist.
        if let Ok(child) = spawned.spawn() {
            let pid = child.id().cast_signed();
            fs::write(&self.record, format!("{pid} {}", began(pid).unwrap_or(0))).unwrap();
        }
        Ok(())
    }

    fn stop(&self) {
        let Some(pid) = self.process() else { return };
        for signal in [Signal::SIGTERM, Signal::SIGCONT] {
            kill(pid, signal).ok();
        }
        let gone = || wait::found_within(GRACE, || self.process().is_none().then_some(()));
        if gone().is_none() {
            kill(pid, Signal::SIGKILL).ok();
            assert!(gone().is_some(), "killed and still there: {pid}");
        }
    }

    /// The process, if it still runs and its number was not given to another.
    fn process(&self) -> Option<Pid> {
        let record = fs::read_to_string(&self.record).ok()?;
        let (pid, start) = record.split_once(' ')?;
        let (pid, start): (i32, u64) = (pid.parse().ok()?, start.parse().ok()?);
        (began(pid) == Some(start)).then(|| Pid::from_raw(pid))
    }
}

/// When a process started, in ticks since the boot. None for one that has ended with all its threads.
fn began(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    if matches!(fields.first(), Some(&"Z" | &"X")) && threads() <= 1 {
        return None;
    }
    fields.get(19)?.parse().ok()
}

fn variable(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")))
}
