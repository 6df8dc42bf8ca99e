//! The fake launchd: a child of the test, with all of its files in a private directory.

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

/// The variable that names the directory of one launchd.
const VARIABLE: &str = "WNM_FAKE_LAUNCHD";

/// The socket on which it listens.
const SOCKET: &str = "socket";

/// The name of its socket while callers are not to find it.
const HIDDEN: &str = "socket.hidden";

/// The behaviour of the fake. By default it is a real one for a user at the screen, with seconds of 100 ms.
#[derive(Debug, Clone, Serialize)]
pub struct Behaviour {
    /// Nobody is logged in at the screen.
    pub headless: bool,
    /// Only the subcommands from before domains exist.
    pub former: bool,
    /// The domain whose jobs `list` shows, where it is not that of the caller's session.
    pub listed: Option<String>,
    /// `print DOMAIN` has an unknown form.
    pub strange_tables: bool,
    /// Milliseconds for which a label is busy after its job is gone.
    pub settles_ms: u64,
    /// Milliseconds in a second of a job's file.
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
    /// Answers a subcommand with a code and an error message this many times, instead of acting.
    pub fn fail(&mut self, verb: &str, code: u8, stderr: &str, times: usize) {
        self.instead.push(json!({
            "verb": verb, "times": times, "answer": {"code": code, "stderr": stderr},
        }));
    }

    /// Loads the jobs of a directory when it boots.
    pub fn takes_at_boot(&mut self, domain: &str, directory: &Path) {
        self.at_boot
            .push(json!({"domain": domain, "directory": directory}));
    }

    /// Acts on every request again.
    pub fn act_normally(&mut self) {
        self.instead.clear();
    }
}

/// A running launchd. It ends with all of its processes when it is dropped, or when this test ends.
pub struct Launchd {
    dir: PathBuf,
    process: Mutex<Child>,
    /// See [`Launchd::behave`].
    behaviour: Behaviour,
}

impl Launchd {
    /// Starts one with its files below `dir`.
    pub fn up(dir: &Path) -> Self {
        Self::behaving(dir, Behaviour::default())
    }

    /// Starts one that behaves like this.
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

    /// Changes its behaviour, from the next request on.
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

    /// Its `launchctl`, and the variable that this needs.
    pub fn launchctl(&self) -> (PathBuf, [(&'static str, PathBuf); 1]) {
        (
            self.dir.join("bin/launchctl"),
            [(VARIABLE, self.dir.clone())],
        )
    }

    /// All requests since it booted.
    pub fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join("asked")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The disabled labels, as `UID/LABEL`.
    pub fn disabled_labels(&self) -> Vec<String> {
        let text = fs::read(self.dir.join("disabled.json")).unwrap_or_default();
        let stored: BTreeMap<String, bool> = serde_json::from_slice(&text).unwrap_or_default();
        let disabled = stored.into_iter().filter(|(_, disabled)| *disabled);
        disabled.map(|(name, _)| name).collect()
    }

    /// Cuts the power, and boots again.
    pub fn reboot(&self) {
        self.end();
        self.boot();
    }

    /// Suspends it. What it runs goes on.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Resumes it.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Makes it unreachable. What it runs goes on.
    pub fn hide(&self) {
        rename(&self.dir.join(SOCKET), &self.dir.join(HIDDEN));
    }

    /// Makes it reachable again.
    pub fn show(&self) {
        rename(&self.dir.join(HIDDEN), &self.dir.join(SOCKET));
    }

    /// Kills it. The caller must end what it runs.
    pub fn kill(&self) {
        let mut process = self.process();
        process.kill().expect("launchd cannot be killed");
        process.wait().expect("launchd cannot be waited for");
    }

    /// Boots again.
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
            // A suspended one would not notice.
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
    // Every request reads it, so it must be complete at every moment.
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
