//! The fake: a process of this test's own, with everything that it has in a private directory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use serde_json::json;

use crate::call::Call;
use crate::{binaries, wait};

/// Names the directory with everything of one launchd.
const VARIABLE: &str = "WNM_FAKE_LAUNCHD";

/// Where it listens.
const SOCKET: &str = "socket";

/// Where its socket is while nobody is to find it.
const HIDDEN: &str = "socket.hidden";

/// How the fake behaves. By default as a real one for a user at the screen, with seconds of 100 ms.
#[derive(Debug, Clone, Serialize)]
pub struct Behaviour {
    /// Nobody is logged in at the screen.
    pub headless: bool,
    /// There are only the subcommands of the time before domains.
    pub former: bool,
    /// The domain whose jobs `list` shows, where it is not that of the caller's session.
    pub listed: Option<String>,
    /// `print DOMAIN` has a form that nobody knows.
    pub strange_tables: bool,
    /// Milliseconds for which a label is busy after its job is gone.
    pub settles_ms: u64,
    /// Milliseconds in a second of a file of a job.
    pub second_ms: u64,
    /// See [`Behaviour::fail`].
    pub instead: Vec<serde_json::Value>,
    /// See [`Behaviour::takes_at_boot`].
    pub at_boot: Vec<serde_json::Value>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            headless: false,
            former: false,
            listed: None,
            strange_tables: false,
            settles_ms: 300,
            second_ms: 100,
            instead: Vec::new(),
            at_boot: Vec::new(),
        }
    }
}

impl Behaviour {
    /// Answers a subcommand with a code and a complaint so many times, instead of doing it.
    pub fn fail(&mut self, verb: &str, code: u8, stderr: &str, times: usize) {
        self.instead.push(json!({
            "verb": verb, "times": times, "answer": {"code": code, "stderr": stderr},
        }));
    }

    /// Takes the jobs of a directory when it comes up.
    pub fn takes_at_boot(&mut self, domain: &str, directory: &Path) {
        self.at_boot
            .push(json!({"domain": domain, "directory": directory}));
    }

    /// Does everything again that it is asked.
    pub fn obeys(&mut self) {
        self.instead.clear();
    }
}

/// A launchd that runs. It ends with all of its processes when dropped, or when this test does.
pub struct Launchd {
    dir: PathBuf,
    process: Mutex<Child>,
    /// How it behaves; see [`Launchd::behave`].
    behaviour: Behaviour,
}

impl Launchd {
    /// Starts one that has everything below `dir`.
    pub fn up(dir: &Path) -> Self {
        Self::behaving(dir, Behaviour::default())
    }

    /// Starts one that behaves so.
    pub fn behaving(dir: &Path, behaviour: Behaviour) -> Self {
        let dir = dir.join("launchd");
        fs::create_dir_all(dir.join("bin")).expect("no directory for launchd");
        let launchctl = dir.join("bin/launchctl");
        std::os::unix::fs::symlink(binaries::fake_launchctl(), launchctl).expect("no launchctl");
        write(&dir, &behaviour);
        let process = Mutex::new(serve(&dir));
        Self {
            dir,
            process,
            behaviour,
        }
    }

    /// Changes how it behaves, from the next request on.
    pub fn behave(&mut self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour);
        write(&self.dir, &self.behaviour);
    }

    /// A call that finds its `launchctl` on PATH.
    pub fn seen_by(&self, call: Call) -> Call {
        call.env("PATH", self.path()).env(VARIABLE, &self.dir)
    }

    /// PATH with its `launchctl` in front.
    pub fn path(&self) -> OsString {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.dir.join("bin")).chain(std::env::split_paths(&others));
        std::env::join_paths(dirs).expect("a directory with a colon")
    }

    /// Its `launchctl`, and the variable with which that finds it.
    pub fn launchctl(&self) -> (PathBuf, [(&'static str, PathBuf); 1]) {
        (
            self.dir.join("bin/launchctl"),
            [(VARIABLE, self.dir.clone())],
        )
    }

    /// Everything that it was asked since it came up.
    pub fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join("asked")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What must not come up, as `UID/LABEL`.
    pub fn barred(&self) -> Vec<String> {
        let text = fs::read(self.dir.join("disabled.json")).unwrap_or_default();
        let told: BTreeMap<String, bool> = serde_json::from_slice(&text).unwrap_or_default();
        let barred = told.into_iter().filter(|(_, barred)| *barred);
        barred.map(|(name, _)| name).collect()
    }

    /// The power goes, and comes back.
    pub fn reboot(&self) {
        self.end();
        self.boot();
    }

    /// Stops it in its tracks; what it runs goes on.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Has it go on where it was stopped.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Takes it out of reach; what it runs goes on.
    pub fn hide(&self) {
        rename(&self.dir.join(SOCKET), &self.dir.join(HIDDEN));
    }

    /// Brings it back into reach.
    pub fn show(&self) {
        rename(&self.dir.join(HIDDEN), &self.dir.join(SOCKET));
    }

    /// Ends it without a word to what it runs, which is the caller's to end.
    pub fn kill(&self) {
        let mut process = self.process();
        process.kill().expect("launchd cannot be killed");
        process.wait().expect("launchd cannot be waited for");
    }

    /// Comes up again after its end.
    pub fn boot(&self) {
        fs::remove_file(self.dir.join("asked")).ok();
        *self.process() = serve(&self.dir);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process().id().cast_signed());
        kill(pid, signal).expect("launchd cannot be signalled");
    }

    fn end(&self) {
        let mut process = self.process();
        drop(process.stdin.take());
        if matches!(process.try_wait(), Ok(None)) {
            // One that is stopped would not see it.
            kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGCONT).ok();
        }
        process.wait().ok();
    }

    fn process(&self) -> MutexGuard<'_, Child> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Launchd {
    fn drop(&mut self) {
        self.end();
    }
}

fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).expect("the socket cannot be moved");
}

fn write(dir: &Path, behaviour: &Behaviour) {
    let text = serde_json::to_vec(behaviour).expect("settings are text");
    // Read with every request, so whole at every moment.
    let beside = dir.join("settings.new");
    fs::write(&beside, text).expect("the settings cannot be written");
    fs::rename(beside, dir.join("settings.json")).expect("the settings cannot be written");
}

fn serve(dir: &Path) -> Child {
    let socket = dir.join(SOCKET);
    fs::remove_file(&socket).ok();
    let process = Command::new(binaries::fake_launchctl())
        .arg("serve")
        .env(VARIABLE, dir)
        .stdin(Stdio::piped())
        .spawn()
        .expect("no launchd");
    wait::until(wait::LONG, "launchd to listen", || {
        std::os::unix::net::UnixStream::connect(&socket).is_ok()
    });
    process
}
