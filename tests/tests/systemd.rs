//! Nodes as units of a real systemd, the machine's and a user's.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use wnm_tests::call::{Call, Outcome};
use wnm_tests::colony::EAGER;
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::systemd::{As, Booted};
use wnm_tests::wait::{LONG, found_within, until, until_some};
use wnm_tests::{binaries, nodes};

/// A colony in a booted system.
struct Inside {
    system: Booted,
    who: As,
    programs: tempfile::TempDir,
}

impl Inside {
    fn up(who: As) -> Option<Self> {
        let programs = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .unwrap();
        let wnm = programs.path().join("wnm");
        std::fs::copy(binaries::wnm(), &wnm).unwrap();
        // Here and not in a home inside: SQLite takes paths to the inside apart.
        let state = programs.path().join("state");
        std::fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, Some(who.uid()), Some(who.uid())).unwrap();
        let system = Booted::up(&[programs.path()])?;
        let inside = Self {
            system,
            who,
            programs,
        };
        if who == As::Ann {
            // Her systemd comes up with the machine, since she lingers; its bus a moment later.
            until(LONG, "Ann's systemd", || {
                inside.systemctl(["is-system-running"]).stdout.trim() == "running"
            });
        }
        Some(inside)
    }

    fn program(&self, version: &str) -> PathBuf {
        nodes::simulated(self.programs.path(), version)
    }

    fn kind(&self) -> &'static str {
        match self.who {
            As::Root => "systemd+sudo",
            As::Ann => "systemd+user",
        }
    }

    fn storage(&self) -> PathBuf {
        match self.who {
            As::Root => "/var/antctl/services".into(),
            As::Ann => self.who.home().join(".local/share/autonomi/node"),
        }
    }

    fn unit_dir(&self) -> PathBuf {
        match self.who {
            As::Root => "/etc/systemd/system".into(),
            As::Ann => self.who.home().join(".config/systemd/user"),
        }
    }

    fn wnm<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        let wnm = self.programs.path().join("wnm");
        self.system
            .call(self.who, &wnm, args)
            .env("DBPATH", self.database())
    }

    fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome {
        self.system.call(self.who, Path::new(program), args).run()
    }

    fn systemctl<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        self.system.systemctl(self.who, args)
    }

    fn init(&self, program: &Path, options: &[&str]) -> Outcome {
        self.wnm(["--init", "--no-upnp", "--process-manager", self.kind()])
            .args(["--rewards-address", nodes::WALLET])
            .args([&format!("--environment=ANT_PEERS={}", nodes::NOWHERE)])
            .args([Path::new("--antnode-path"), program])
            .args(EAGER)
            .args(options)
            .run()
            .succeeded()
    }

    fn nodes(&self) -> Vec<NodeRow> {
        Database::at(&self.database()).nodes()
    }

    fn database(&self) -> PathBuf {
        self.programs.path().join("state/colony.db")
    }

    fn statuses(&self) -> Vec<String> {
        self.nodes().into_iter().map(|node| node.status).collect()
    }

    fn state(&self, unit: &str) -> String {
        self.systemctl(["is-active", unit]).stdout.trim().to_owned()
    }

    fn main_pid(&self, unit: &str) -> Option<i32> {
        let told = self
            .systemctl(["show", "--property=MainPID", "--value", unit])
            .succeeded();
        told.stdout.trim().parse().ok().filter(|pid| *pid > 0)
    }

    fn unit_file(&self, name: &str) -> PathBuf {
        self.system.path(&self.unit_dir().join(name))
    }

    /// Runs cycles until the colony has this many nodes running.
    fn grow(&self, count: usize) {
        let mut said = String::new();
        let grown = found_within(LONG, || {
            said = self.wnm(["-v"]).run().succeeded().stdout;
            let statuses = self.statuses();
            let running = statuses.iter().filter(|status| *status == "RUNNING");
            (running.count() == count).then_some(())
        });
        assert!(
            grown.is_some(),
            "no {count} nodes run; the last cycle said\n{said}"
        );
    }
}

/// The life of a colony, the same for both systemds.
fn a_colony_lives_and_goes(who: As) {
    let Some(inside) = Inside::up(who) else {
        return;
    };
    let old = inside.program("0.4.16");
    let made = inside.init(&old, &["--node-cap=3"]);
    // Ann lingers, so there is nothing to advise.
    assert!(!made.stdout.contains("enable-linger"), "{}", made.stdout);
    inside.grow(3);
    for id in 1..=3 {
        let unit = format!("antnode000{id}.service");
        assert_eq!(inside.state(&unit), "active");
        assert_eq!(
            inside.systemctl(["is-enabled", &unit]).stdout.trim(),
            "enabled"
        );
    }

    // What is killed comes back without wnm.
    let first = inside.main_pid("antnode0001.service").unwrap();
    let _ = inside
        .systemctl(["kill", "--signal=KILL", "antnode0001.service"])
        .succeeded();
    let second = until_some(LONG, "the node to come back", || {
        inside
            .main_pid("antnode0001.service")
            .filter(|pid| *pid != first)
    });
    assert_eq!(
        inside
            .wnm(["--json", "--force-action=survey"])
            .run()
            .succeeded()
            .status(),
        { "survey-complete" }
    );
    assert_eq!(inside.statuses(), ["RUNNING"; 3]);

    // A stopped node stays so when the machine comes up, and a started one runs again.
    let _ = inside
        .wnm(["--force-action=stop", "--service-name=antnode0002"])
        .run()
        .succeeded();
    assert_eq!(inside.state("antnode0002.service"), "inactive");
    assert_eq!(
        inside
            .systemctl(["is-enabled", "antnode0002.service"])
            .stdout
            .trim(),
        "disabled"
    );

    // An upgrade restarts what runs and nothing else.
    let new = inside.program("0.4.17");
    let _ = inside
        .wnm([
            "--force-action=upgrade",
            "--service-name=antnode0001,antnode0002",
        ])
        .args([Path::new("--antnode-path"), &new])
        .run()
        .succeeded();
    assert_ne!(inside.main_pid("antnode0001.service"), Some(second));
    assert_eq!(inside.state("antnode0002.service"), "inactive");
    let upgraded = inside.nodes();
    assert_eq!(upgraded[0].version.as_deref(), Some("0.4.17"));
    assert_eq!(upgraded[2].version.as_deref(), Some("0.4.16"));

    // A removal takes everything of the node along.
    let drop_in = inside.unit_dir().join("antnode0003.service.d");
    let _ = inside.run("/bin/mkdir", [&drop_in]).succeeded();
    let _ = inside
        .run("/bin/touch", [drop_in.join("x.conf")])
        .succeeded();
    let _ = inside
        .wnm(["--force-action=remove", "--service-name=antnode0003"])
        .run()
        .succeeded();
    assert!(!inside.unit_file("antnode0003.service").exists());
    assert!(!inside.unit_file("antnode0003.service.d").exists());
    assert!(
        !inside
            .system
            .path(&inside.storage().join("antnode0003"))
            .exists()
    );
    assert!(inside.unit_file("wnm.slice").exists());

    let _ = inside
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    let left = inside.systemctl([
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "antnode*",
        "wnm*",
    ]);
    assert_eq!(left.succeeded().stdout, "");
    let files = std::fs::read_dir(inside.system.path(&inside.unit_dir())).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ours: Vec<String> = names
        .filter(|name| name.contains("antnode") || name.contains("wnm"))
        .collect();
    assert_eq!(ours, [] as [&str; 0]);
    let storage = inside.system.path(&inside.storage());
    let dirs = std::fs::read_dir(storage).unwrap();
    let dirs = dirs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(dirs.filter(|name| name.starts_with("antnode")).count(), 0);
    assert_eq!(inside.nodes(), []);
}

#[test]
fn a_colony_lives_under_the_systemd_of_a_user() {
    a_colony_lives_and_goes(As::Ann);
}

#[test]
fn a_colony_lives_under_the_systemd_of_the_machine() {
    a_colony_lives_and_goes(As::Root);
}
