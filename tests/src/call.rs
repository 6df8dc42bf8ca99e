//! One run of the program: its arguments, a clean environment, a deadline, and all of its output.

mod terminal;

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;

/// A call ends in seconds. One that hangs must fail its test, not the whole run.
const DEADLINE: Duration = Duration::from_secs(120);

/// More output than any report of a thousand nodes.
const MAX_OUTPUT: u64 = 64 * 1024 * 1024;

/// The variables of the caller's environment that a program sees. The developer's settings must not get in.
const KEPT: [&str; 2] = ["PATH", "LANG"];

/// A program that is about to be called.
pub struct Call {
    command: Command,
    words: String,
    deadline: Duration,
}

impl Call {
    /// Calls `program` with a home directory and a directory for temporary files of its own.
    pub fn new(program: &Path, home: &Path, temporary: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear();
        for name in KEPT {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", home).env("TMPDIR", temporary);
        command.current_dir(home);
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        Self {
            command,
            words: name.into_owned(),
            deadline: DEADLINE,
        }
    }

    /// Appends an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.words += " ";
        self.words += &arg.as_ref().to_string_lossy();
        self.command.arg(arg);
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Call::arg)
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs it in another directory than its home.
    #[must_use]
    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets another deadline than two minutes.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it and waits for its end and for the end of its output. Panics past the deadline: whatever inherits the
    /// output and outlives the call would hang cron, too.
    #[must_use = "say whether it should have succeeded"]
    pub fn run(self) -> Outcome {
        self.spawn().finish()
    }

    /// Starts it and does not wait.
    pub fn spawn(mut self) -> Background {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.begin(|child, sender| {
            read(child.stdout.take(), sender.clone(), Event::Stdout);
            read(child.stderr.take(), sender.clone(), Event::Stderr);
        })
    }

    /// Starts it, and watches for its end and, with `listen`, for its output.
    fn begin(mut self, listen: impl FnOnce(&mut Child, &Sender<Event>)) -> Background {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.words));
        let pid = Pid::from_raw(child.id().cast_signed());
        let (sender, events) = channel();
        listen(&mut child, &sender);
        thread::spawn(move || {
            let status = child.wait().expect("a child cannot be waited for");
            // Nobody listens any more once the test has given up.
            sender.send(Event::Ended(status)).ok();
        });
        Background {
            words: self.words,
            deadline: self.deadline,
            pid,
            events,
            status: None,
        }
    }
}

enum Event {
    Stdout(String),
    Stderr(String),
    Ended(ExitStatus),
}

fn read(
    stream: Option<impl Read + Send + 'static>,
    sender: Sender<Event>,
    event: fn(String) -> Event,
) {
    let stream = stream.expect("the output was not taken");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream
            .take(MAX_OUTPUT)
            .read_to_end(&mut bytes)
            .expect("output cannot be read");
        sender
            .send(event(String::from_utf8_lossy(&bytes).into_owned()))
            .ok();
    });
}

/// A running program. Dropping it before its end kills its process group.
pub struct Background {
    words: String,
    deadline: Duration,
    pid: Pid,
    events: Receiver<Event>,
    status: Option<ExitStatus>,
}

impl Background {
    /// The id of its process.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Sends it a signal, then waits for its end. It may have ended already.
    pub fn end_with(self, signal: Signal) -> Outcome {
        match kill(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => panic!("cannot signal {}: {error}", self.words),
        }
        self.finish()
    }

    /// Waits for its end and the end of its output.
    pub fn finish(mut self) -> Outcome {
        let end = Instant::now() + self.deadline;
        let (mut stdout, mut stderr) = (None, None);
        while stdout.is_none() || stderr.is_none() || self.status.is_none() {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Stdout(text)) => stdout = Some(text),
                Ok(Event::Stderr(text)) => stderr = Some(text),
                Ok(Event::Ended(status)) => self.status = Some(status),
                Err(RecvTimeoutError::Disconnected) => panic!("lost sight of {}", self.words),
                Err(RecvTimeoutError::Timeout) if self.status.is_some() => panic!(
                    "{} ended, but what it started still holds its output",
                    self.words
                ),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} did not end within {:?}", self.words, self.deadline)
                }
            }
        }
        Outcome {
            words: std::mem::take(&mut self.words),
            code: self.status.and_then(|status| status.code()),
            stdout: stdout.unwrap_or_default(),
            stderr: stderr.unwrap_or_default(),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.status.is_none() {
            // It may end at this very moment.
            killpg(self.pid, Signal::SIGKILL).ok();
        }
    }
}

/// The result of a call.
#[derive(Debug, Clone)]
pub struct Outcome {
    words: String,
    /// Its exit code; `None` when a signal killed it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Outcome {
    /// Fails the test, with all of the output, unless the exit code was `code`.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "{}: exit {:?}, not {code}\n--- stdout\n{}--- stderr\n{}",
            self.words,
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails the test unless the exit code was 0.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        self.exited(0)
    }

    /// Fails the test unless the exit code was 1: refused or failed.
    #[track_caller]
    pub fn refused(self) -> Self {
        self.exited(1)
    }

    /// Fails the test unless this text is in standard output.
    #[track_caller]
    pub fn assert_stdout_contains(&self, text: &str) {
        let Self { stdout, stderr, .. } = self;
        assert!(stdout.contains(text), "no '{text}' in: {stdout}{stderr}");
    }

    /// Fails the test unless this text is in standard error.
    #[track_caller]
    pub fn assert_stderr_contains(&self, text: &str) {
        let Self { stdout, stderr, .. } = self;
        assert!(stderr.contains(text), "no '{text}' in: {stderr}{stdout}");
    }

    /// All of the output, read as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        parse(&self.stdout)
    }

    /// The last line of the output, read as JSON: what `--json` ends with.
    #[track_caller]
    pub fn last_json(&self) -> Value {
        parse(self.stdout.trim_end().lines().last().unwrap_or_default())
    }

    /// The value of `"status"` in the last line.
    #[track_caller]
    pub fn status(&self) -> String {
        let last = self.last_json();
        let status = last["status"].as_str();
        status
            .unwrap_or_else(|| panic!("no status in {last}"))
            .to_owned()
    }
}

#[track_caller]
fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}
