//! A whole systemd for one test, as the first process of a container that shares nothing with this machine but its
//! files. The container sees these as they are, and its changes stay its own.

mod agreement;
mod machine;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

pub use machine::Machine;

use crate::call::{Background, Call, Outcome};
use crate::processes::children;
use crate::{network, nodes, real, wait};

const BOOT: &str = include_str!("systemd/boot.sh");

/// Programs that are needed to boot a machine or to enter it.
const NEEDED: [&str; 4] = [
    "/lib/systemd/systemd",
    "/usr/bin/dbus-daemon",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
];

/// The prefix of its control group.
const GROUP: &str = "wnm-test";

/// The account of a call in the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// root, whose nodes run as `ant`.
    Root,
    /// `ann`, who lingers and has her own systemd.
    Ann,
}

impl As {
    /// The number of the account, and of its group.
    pub fn uid(self) -> u32 {
        match self {
            As::Root => 0,
            As::Ann => 1500,
        }
    }

    /// The home directory in the machine.
    pub fn home(self) -> &'static Path {
        Path::new(match self {
            As::Root => "/root",
            As::Ann => "/home/ann",
        })
    }
}

/// A booted machine. Dropping it kills everything in it.
pub struct System {
    dir: TempDir,
    boots: Child,
    groups: Vec<PathBuf>,
}

impl System {
    /// Boots one that sees the directories `shown` as they are here. `None` after saying that the test is skipped.
    pub fn up(shown: &[&Path]) -> Option<Self> {
        if let Some(missing) = NEEDED.iter().find(|program| !Path::new(program).is_file()) {
            real::skip(&format!("there is no {missing} to boot a system with"));
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            real::skip("booting a systemd needs root");
            return None;
        }
        let dir = tempfile::Builder::new()
            .prefix("wnm-boot-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("no directory for the system");
        let groups = groups(&dir);
        let script = dir.path().join("boot.sh");
        fs::write(&script, BOOT).expect("the script cannot be written");
        fs::create_dir(dir.path().join("work")).expect("no directory for the system");
        let log = fs::File::create(dir.path().join("boot.log")).expect("no log");
        let joined: Vec<PathBuf> = groups
            .iter()
            .map(|group| group.join("cgroup.procs"))
            .collect();
        let boots = Command::new("sh")
            .args([
                "-c",
                "for group in $GROUPS_JOINED; do echo $$ >$group; done; exec \"$@\"",
                "sh",
            ])
            .args(["unshare", "--mount", "--propagation", "private", "sh"])
            .arg(&script)
            .arg(dir.path().join("work"))
            .args(shown)
            .env(
                "GROUPS_JOINED",
                joined
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect::<Vec<_>>()
                    .join(" "),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("no log"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("nothing boots");
        let system = Self { dir, boots, groups };
        system.wait_until_up(None);
        Some(system)
    }

    fn wait_until_up(&self, not: Option<i32>) {
        let log = || fs::read_to_string(self.dir.path().join("boot.log")).unwrap_or_default();
        let up = wait::found_within(wait::LONG, || {
            let leader = self.leader().filter(|leader| Some(*leader) != not)?;
            let asked = enter(leader)
                .args(["systemctl", "is-active", "--quiet", "multi-user.target"])
                .stderr(Stdio::null())
                .status();
            asked.is_ok_and(|status| status.success()).then_some(())
        });
        assert!(up.is_some(), "the system did not come up:\n{}", log());
    }

    /// The first process of the machine, by its number here.
    fn leader(&self) -> Option<i32> {
        let child_of = |parent: i32| children(parent).into_iter().next();
        let script = self.boots.id().cast_signed();
        let systemd = child_of(child_of(script)?)?;
        let comm = fs::read_to_string(format!("/proc/{systemd}/comm")).ok()?;
        (comm.trim() == "systemd").then_some(systemd)
    }

    /// A call in the machine, with the environment that cron gives: a home directory and no more.
    pub fn call<S: AsRef<std::ffi::OsStr>>(
        &self,
        who: As,
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Call {
        let leader = self.leader().expect("the system is down");
        let entering = enter(leader);
        let mut call = Call::new(
            Path::new("/usr/bin/nsenter"),
            self.dir.path(),
            Path::new("/tmp"),
        )
        .env("HOME", who.home())
        .args(entering.get_args());
        if who == As::Ann {
            let id = who.uid();
            call = call
                .args([
                    "setpriv".to_owned(),
                    format!("--reuid={id}"),
                    format!("--regid={id}"),
                ])
                .args(["--clear-groups", "--"]);
        }
        call.arg(program).args(args)
    }

    /// Calls the machine's `systemctl` as root, or Ann's as Ann.
    pub fn systemctl<S: AsRef<std::ffi::OsStr>>(
        &self,
        who: As,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome {
        let program = Path::new("/usr/bin/systemctl");
        let own: &[&str] = if who == As::Ann { &["--user"] } else { &[] };
        self.call(who, program, own)
            .env("XDG_RUNTIME_DIR", "/run/user/1500")
            .args(args)
            .run()
    }

    /// Kills what a call runs in the machine. The call ends with it.
    pub fn kill(&self, call: Background) -> Outcome {
        for inner in children(call.pid()) {
            // It may have ended.
            kill(Pid::from_raw(inner), Signal::SIGKILL).ok();
        }
        call.end_with(Signal::SIGKILL)
    }

    /// The page of a node in the machine, as [`nodes::page`] returns it.
    pub fn page(&self, port: u16, path: &str) -> io::Result<String> {
        network::within(&self.network()?, || nodes::page(port, path))
    }

    /// Its network namespace.
    pub fn network(&self) -> io::Result<fs::File> {
        let leader = self.leader().expect("the system is down");
        fs::File::open(format!("/proc/{leader}/ns/net"))
    }

    /// The path from here to a file of the machine.
    pub fn path(&self, machine: &Path) -> PathBuf {
        let leader = self.leader().expect("the system is down");
        let below = machine.strip_prefix("/").expect("not a full path");
        Path::new("/proc")
            .join(leader.to_string())
            .join("root")
            .join(below)
    }

    /// Reboots, and waits until it is up again.
    pub fn reboot(&self) {
        let before = self.leader();
        // The reboot may cut off its answer.
        let _ = self.systemctl(As::Root, ["reboot"]);
        self.wait_until_up(before);
    }

    /// Cuts the power of everything that runs, and waits until the machine is up again.
    pub fn cut_power(&self) {
        let before = self.leader().expect("the system is down");
        fs::write(self.dir.path().join("power-cut"), "").expect("the power cut cannot be marked");
        kill(Pid::from_raw(before), Signal::SIGKILL).expect("it cannot be killed");
        self.wait_until_up(Some(before));
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // The first process first: everything in the machine ends with it.
        let leader = self.leader();
        let group = Pid::from_raw(self.boots.id().cast_signed());
        killpg(group, Signal::SIGKILL).ok();
        if let Some(leader) = leader {
            kill(Pid::from_raw(leader), Signal::SIGKILL).ok();
        }
        self.boots.wait().ok();
        for group in &self.groups {
            let gone = wait::found_within(wait::LONG, || {
                remove_group(group);
                (!group.exists()).then_some(())
            });
            if gone.is_none() && !std::thread::panicking() {
                panic!("{} is still in use", group.display());
            }
        }
    }
}

/// Creates a control group for the machine in every hierarchy that systemd uses.
fn groups(dir: &TempDir) -> Vec<PathBuf> {
    let name = dir
        .path()
        .file_name()
        .expect("a directory has a name")
        .to_string_lossy();
    let root = Path::new("/sys/fs/cgroup");
    let roots = if root.join("cgroup.controllers").exists() {
        vec![root.to_owned()]
    } else {
        ["systemd", "unified"]
            .map(|part| root.join(part))
            .into_iter()
            .filter(|part| part.is_dir())
            .collect()
    };
    roots
        .into_iter()
        .map(|root| {
            let group = root.join(format!("{GROUP}-{name}"));
            fs::create_dir(&group).expect("no control group for the system");
            group
        })
        .collect()
}

/// Removes a group and those below it. The next attempt removes what is still in use.
fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path());
        }
    }
    fs::remove_dir(group).ok();
}

fn enter(leader: i32) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", &leader.to_string()]).args([
        "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--root", "--wd", "--",
    ]);
    command
}
