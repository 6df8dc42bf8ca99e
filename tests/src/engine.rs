//! A Docker engine for one test, in its own network: its rules, its port ranges and the names of its containers affect
//! nothing else, and it can be stopped like any other program.

mod agreement;
mod power;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::call::{Call, Outcome};
use crate::colony::Colony;
use crate::network::in_private_network;
use crate::{real, wait};

/// The programs that an engine needs.
const NEEDED: [&str; 3] = ["dockerd", "docker", "iptables"];

/// The name of the image that a test's containers are created from.
pub const IMAGE: &str = "wnm-test-s6";

/// The Debian release that the image's s6 is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// s6 2.11.
    Bookworm,
    /// s6 2.13.
    Trixie,
}

impl Suite {
    const fn name(self) -> &'static str {
        match self {
            Suite::Bookworm => "bookworm",
            Suite::Trixie => "trixie",
        }
    }
}

/// A running engine with the image in it. Dropping it ends it and all of its containers.
pub struct Engine {
    dir: TempDir,
    daemon: Option<Child>,
}

/// Runs a test with an engine, in a private network that both of them see. Skips it where a real program is missing.
pub fn with_engine(suite: Suite, test: impl FnOnce(&mut Engine) + Send) {
    let Some(archive) = real::IMAGES.file(format!("{}.tar", suite.name())) else {
        return;
    };
    in_private_network(&NEEDED, || {
        let mut engine = Engine::up();
        engine.import(&archive);
        test(&mut engine);
    });
}

impl Engine {
    fn up() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("wnm-engine-")
            .tempdir()
            .expect("no directory for the engine");
        fs::write(dir.path().join("daemon.json"), configuration()).expect("no configuration");
        let mut engine = Self { dir, daemon: None };
        engine.start();
        engine
    }

    /// Starts the engine, and returns once it answers.
    pub fn start(&mut self) {
        let path = |name: &str| self.dir.path().join(name);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(path("log"))
            .expect("no log for the engine");
        let daemon = Command::new("dockerd")
            .args([Path::new("--config-file"), &path("daemon.json")])
            .args([Path::new("--data-root"), &path("data")])
            .args([Path::new("--exec-root"), &path("run")])
            .args([Path::new("--pidfile"), &path("pid")])
            .args(["--host", &self.host()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("no log for the engine"))
            .stderr(log)
            .spawn()
            .expect("the engine cannot be started");
        self.daemon = Some(daemon);
        let up = wait::found_within(wait::LONG, || {
            let output = self.docker(["version"]).output();
            output
                .is_ok_and(|output| output.status.success())
                .then_some(())
        });
        let log = fs::read_to_string(path("log")).unwrap_or_default();
        assert!(up.is_some(), "the engine did not come up:\n{log}");
    }

    /// Stops the engine, and everything that it runs.
    pub fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        kill(Pid::from_raw(daemon.id().cast_signed()), Signal::SIGTERM).ok();
        let ended = wait::found_within(wait::LONG, || daemon.try_wait().ok().flatten());
        if ended.is_none() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }

    /// Suspends it. What it runs goes on.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Resumes it.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(daemon) = &self.daemon {
            let pid = Pid::from_raw(daemon.id().cast_signed());
            kill(pid, signal).expect("the engine cannot be signalled");
        }
    }

    /// Whether it was not stopped.
    pub fn is_up(&self) -> bool {
        self.daemon.is_some()
    }

    /// Removes all containers, whatever they do.
    pub fn clear(&self) {
        let listed = self.docker(["ps", "--all", "--quiet"]).output();
        let ids = listed.map(|output| output.stdout).unwrap_or_default();
        for id in String::from_utf8_lossy(&ids).lines() {
            let removed = self.docker(["rm", "--force", id]).output();
            drop(removed);
        }
    }

    /// Its address, for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("docker.sock").display())
    }

    /// A call of `wnm` on a colony whose containers are in this engine.
    pub fn wnm(&self, colony: &Colony, args: &[&str]) -> Call {
        colony.wnm(args).env("DOCKER_HOST", self.host())
    }

    /// Runs `docker` and returns its output. Panics when it fails.
    pub fn call<const N: usize>(&self, args: [&str; N]) -> String {
        let output = self.docker(args).output().expect("docker cannot be run");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {args:?}: {complaint}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs a shell script in a container, as root, and returns its output. Panics when it fails.
    pub fn run_in(&self, container: &str, script: &str) -> String {
        let output = self.output_in(container, script);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same, with no output when it fails.
    pub fn try_run_in(&self, container: &str, script: &str) -> String {
        let output = self.output_in(container, script);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn output_in(&self, container: &str, script: &str) -> Output {
        let script = format!("export PATH=/command:$PATH; {script}");
        let mut docker = self.docker(["exec", container, "/bin/sh", "-c", &script]);
        docker.output().expect("docker cannot be run")
    }

    /// The names of all containers.
    pub fn containers(&self) -> Vec<String> {
        let listed = self.call(["ps", "--all", "--format", "{{.Names}}"]);
        let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// A `docker` command for this engine.
    pub fn docker<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut docker = Command::new("docker");
        docker.args(args).env("DOCKER_HOST", self.host());
        docker
    }

    fn import(&self, archive: &Path) {
        let archive = archive.to_str().expect("a path that is text");
        self.call([
            "import",
            "--change",
            "ENTRYPOINT [\"/init\"]",
            archive,
            IMAGE,
        ]);
    }

    /// Creates a colony with containers of `size` nodes, whose ports begin at the program's defaults.
    pub fn init(&self, colony: &Colony, program: &Path, size: u32, options: &[&str]) -> Outcome {
        let size = format!("--max-node-per-container={size}");
        let image = format!("--docker-image={IMAGE}");
        self.wnm(colony, &["--init", "--no-upnp"])
            .args(["--process-manager=s6overlay+user", &size, &image])
            .args(["--rewards-address", crate::nodes::WALLET])
            .args([Path::new("--antnode-path"), program])
            .args([Path::new("--node-storage"), &colony.storage()])
            .args(["--firewall=none", "--node-cap=2000"])
            .args(crate::colony::EAGER)
            .args(options)
            .run()
            .succeeded()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.is_up() {
            self.thaw();
            self.clear();
        }
        self.stop();
        // The engine leaves the network that containers share with the machine mounted.
        let shared = self.dir.path().join("run/netns/default");
        nix::mount::umount2(&shared, nix::mount::MntFlags::MNT_DETACH).ok();
    }
}

/// The storage driver of the machine's own engine: not every driver works everywhere.
fn configuration() -> String {
    let machine = fs::read_to_string("/etc/docker/daemon.json").unwrap_or_default();
    let machine: serde_json::Value = serde_json::from_str(&machine).unwrap_or_default();
    match machine["storage-driver"].as_str() {
        Some(driver) => serde_json::json!({ "storage-driver": driver }).to_string(),
        None => "{}".to_owned(),
    }
}
