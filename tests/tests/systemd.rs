//! Nodes as units of a real systemd, the machine's and a user's.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use wnm_tests::nodes;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until, until_some};

/// The next cycle applies changed limits, and touches no node for it.
fn limits_hold_for_all_nodes_together(machine: &Machine) {
    let limits = || {
        let wanted = "--property=MemoryMax,CPUQuotaPerSecUSec";
        let output = machine.systemctl(["show", wanted, "wnm.slice"]).succeeded();
        let mut lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines.join(" ")
    };
    let none = "CPUQuotaPerSecUSec=infinity MemoryMax=infinity";
    assert_eq!(limits(), none);
    let first = machine.main_pid("antnode0001.service");
    let set = ["--fleet-memory-max=20G", "--fleet-cpu-quota=350"];
    // A dry run applies nothing.
    let _ = machine.wnm(["--dry-run"]).args(set).run().succeeded();
    assert_eq!(limits(), none);
    let _ = machine.wnm(set).run().succeeded();
    let both = "CPUQuotaPerSecUSec=3.500000s MemoryMax=21474836480";
    assert_eq!(limits().replace("=3.5s", "=3.500000s"), both);
    let report = machine.wnm(["--report=machine-config"]).run().succeeded();
    for line in ["fleet_memory_max", "20G", "fleet_cpu_quota", "350"] {
        report.assert_stdout_contains(line);
    }
    // They are stored: a cycle without options keeps them.
    let _ = machine.wnm::<&str>([]).run().succeeded();
    assert_eq!(limits().replace("=3.5s", "=3.500000s"), both);
    let unset = ["--fleet-memory-max=", "--fleet-cpu-quota=0"];
    let _ = machine.wnm(unset).run().succeeded();
    assert_eq!(limits(), none);
    assert_eq!(machine.main_pid("antnode0001.service"), first);
    let refused = machine.wnm(["--fleet-memory-max=24"]).run().refused();
    let printed = format!("{}{}", refused.stdout, refused.stderr);
    assert!(printed.contains("takes bytes from 64M"), "{printed}");
}

/// The life of a colony, the same under both systemds.
fn a_colony_goes_through_its_whole_life(who: As) {
    let Some(machine) = Machine::up(who) else {
        return;
    };
    let old = machine.program("0.4.16");
    // More than the colonies of other tests, and ten at a time, so that many calls reach systemd at once.
    let made = machine.init_at_once(&old, 10, &["--node-cap=30"]);
    // Ann lingers, so there is nothing to advise.
    assert!(!made.stdout.contains("enable-linger"), "{}", made.stdout);
    machine.grow(30);
    let units: Vec<String> = (1..=30)
        .map(|id| format!("antnode{id:04}.service"))
        .collect();
    for (asked, all) in [("is-active", "active\n"), ("is-enabled", "enabled\n")] {
        let output = machine.systemctl([asked].into_iter().chain(units.iter().map(String::as_str)));
        assert_eq!(output.succeeded().stdout, all.repeat(30));
    }
    limits_hold_for_all_nodes_together(&machine);

    // systemd restarts a killed node without wnm.
    let first = machine.main_pid("antnode0001.service").unwrap();
    let _ = machine
        .systemctl(["kill", "--signal=KILL", "antnode0001.service"])
        .succeeded();
    let second = until_some(LONG, "the node to come back", || {
        machine
            .main_pid("antnode0001.service")
            .filter(|pid| *pid != first)
    });
    assert_eq!(
        machine
            .wnm(["--json", "--force-action=survey"])
            .run()
            .succeeded()
            .status(),
        { "survey-complete" }
    );
    assert_eq!(machine.statuses(), ["RUNNING"; 30]);

    // After a reboot a stopped node stays stopped, and a started one runs.
    let _ = machine
        .wnm(["--force-action=stop", "--service-name=antnode0002"])
        .run()
        .succeeded();
    assert_eq!(machine.state("antnode0002.service"), "inactive");
    assert_eq!(
        machine
            .systemctl(["is-enabled", "antnode0002.service"])
            .stdout
            .trim(),
        "disabled"
    );

    // An upgrade restarts only what runs.
    let new = machine.program("0.4.17");
    let _ = machine
        .wnm([
            "--force-action=upgrade",
            "--service-name=antnode0001,antnode0002",
        ])
        .args([Path::new("--antnode-path"), &new])
        .run()
        .succeeded();
    assert_ne!(machine.main_pid("antnode0001.service"), Some(second));
    assert_eq!(machine.state("antnode0002.service"), "inactive");
    let upgraded = machine.nodes();
    assert_eq!(upgraded[0].version.as_deref(), Some("0.4.17"));
    assert_eq!(upgraded[2].version.as_deref(), Some("0.4.16"));

    // A removal deletes everything of the node.
    let drop_in = machine.unit_dir().join("antnode0003.service.d");
    let _ = machine.run("/bin/mkdir", [&drop_in]).succeeded();
    let _ = machine
        .run("/bin/touch", [drop_in.join("x.conf")])
        .succeeded();
    let _ = machine
        .wnm(["--force-action=remove", "--service-name=antnode0003"])
        .run()
        .succeeded();
    assert!(!machine.unit_file("antnode0003.service").exists());
    assert!(!machine.unit_file("antnode0003.service.d").exists());
    assert!(
        !machine
            .system
            .path(&machine.storage().join("antnode0003"))
            .exists()
    );
    assert!(machine.unit_file("wnm.slice").exists());

    let _ = machine
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    let left = machine.systemctl([
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "antnode*",
        "wnm*",
    ]);
    assert_eq!(left.succeeded().stdout, "");
    let files = std::fs::read_dir(machine.system.path(&machine.unit_dir())).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ours: Vec<String> = names
        .filter(|name| name.contains("antnode") || name.contains("wnm"))
        .collect();
    assert_eq!(ours, [] as [&str; 0]);
    let storage = machine.system.path(&machine.storage());
    let dirs = std::fs::read_dir(storage).unwrap();
    let dirs = dirs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(dirs.filter(|name| name.starts_with("antnode")).count(), 0);
    assert_eq!(machine.nodes(), []);
}

#[test]
fn a_colony_goes_through_its_whole_life_under_the_systemd_of_a_user() {
    a_colony_goes_through_its_whole_life(As::Ann);
}

#[test]
fn a_colony_goes_through_its_whole_life_under_the_systemd_of_the_machine() {
    a_colony_goes_through_its_whole_life(As::Root);
}

/// Units that an operator or another program wrote are adopted as they are, whatever their quoting.
#[test]
fn foreign_units_are_adopted_and_managed() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let program = machine.program("0.4.16");
    let home = As::Ann.home().join("my nodes-1.5");
    let dirs: Vec<PathBuf> = [1, 2].map(|id| home.join(format!("antnode000{id}"))).into();
    let _ = machine
        .run("/bin/mkdir", [Path::new("-p"), &dirs[0], &dirs[1]])
        .succeeded();
    let _ = machine
        .run("/bin/mkdir", [Path::new("-p"), &machine.unit_dir()])
        .succeeded();
    for dir in &dirs {
        let _ = machine
            .run("/bin/cp", [&program, &dir.join("antnode")])
            .succeeded();
    }
    let wallet = nodes::WALLET;
    let (one, two) = (dirs[0].display(), dirs[1].display());
    let first = format!(
        "[Unit]\nDescription=antnode0001\n[Service]\nExecStart=\"{one}/antnode\" --root-dir \
         \"{one}\" --port 41001 --enable-metrics-server --metrics-server-port 42001 \
         --rewards-address {wallet} evm-arbitrum-one\nRestart=always\n"
    );
    let second = format!(
        "[Service]\nEnvironment=\"N={two}\"\nExecStart=\"{two}/antnode\" \\\n  # data\n  \
         --root-dir=${{N}} --port 41777 \\\n --enable-metrics-server --metrics-server-port 42777 \
         --rewards-address {wallet} evm-arbitrum-one\n[Install]\nWantedBy=default.target\n"
    );
    for (name, text) in [
        ("antnode0001.service", first),
        ("antnode-mine.service", second),
    ] {
        std::fs::write(machine.unit_file(name), text).unwrap();
    }
    let _ = machine.systemctl(["daemon-reload"]).succeeded();
    let _ = machine
        .systemctl(["start", "antnode0001.service", "antnode-mine.service"])
        .succeeded();
    let before = machine.main_pid("antnode-mine.service");

    let _ = machine.init(&program, &["--import", "--node-cap=2"]);
    let found = machine.nodes();
    let facts: Vec<_> = found
        .iter()
        .map(|node| (node.service.as_str(), node.port))
        .collect();
    assert_eq!(
        facts,
        [
            ("antnode0001.service", 41001),
            ("antnode-mine.service", 41777)
        ]
    );
    let roots: Vec<_> = found.iter().map(|node| &node.root_dir).collect();
    assert_eq!(roots, [&dirs[0], &dirs[1]]);
    let _ = machine.wnm(["--force-action=survey"]).run().succeeded();
    assert_eq!(machine.statuses(), ["RUNNING"; 2]);
    assert_eq!(found[1].metrics_port, Some(42777));
    assert_eq!(
        machine.main_pid("antnode-mine.service"),
        before,
        "it was touched"
    );

    // It gets the number of its port, since its name has none.
    let mine = "--service-name=0777";
    let _ = machine.wnm(["--force-action=stop", mine]).run().succeeded();
    assert_eq!(machine.state("antnode-mine.service"), "inactive");
    let _ = machine
        .wnm(["--force-action=start", mine])
        .run()
        .succeeded();
    assert_eq!(machine.state("antnode-mine.service"), "active");
    // Its directory is not below wnm's storage, so only the operator deletes its data.
    let removed = machine.wnm(["--force-action=remove", mine]).run().refused();
    removed.assert_stdout_contains("delete by hand");
    assert!(machine.system.path(&dirs[1]).exists());
    assert_eq!(machine.state("antnode-mine.service"), "inactive");
}

/// A program that prints its version and exits with 3 when it should run.
fn broken(machine: &Machine) -> PathBuf {
    let path = machine.programs.path().join("broken");
    let script =
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Autonomi Node v0.4.18' && exit 0\nexit 3\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_crashing_node_is_reported_with_the_reason_of_systemd() {
    let Some(machine) = Machine::up(As::Root) else {
        return;
    };
    let _ = machine.init(&machine.program("0.4.16"), &["--node-cap=1"]);
    machine.grow(1);
    let broken = broken(&machine);
    let path = [Path::new("--antnode-path"), broken.as_path()];
    let added = machine
        .wnm(["--force-action=add", "--node-cap=2"])
        .args(path)
        .run()
        .refused();
    added.assert_stdout_contains("result exit-code, exit status 3");
    let dirs = std::fs::read_dir(machine.system.path(&machine.storage())).unwrap();
    let dirs = dirs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let dirs: Vec<String> = dirs.filter(|name| name.starts_with("antnode")).collect();
    assert_eq!(dirs.len(), machine.nodes().len(), "{dirs:?}");

    let unit = "antnode0001.service";
    let upgraded = machine
        .wnm(["--force-action=upgrade", "--service-name=0001"])
        .args(path)
        .run()
        .refused();
    upgraded.assert_stdout_contains("previous program was put back");
    assert_eq!(machine.state(unit), "active");

    // A crash loop, faster than usual: systemd gives up, and wnm sees it.
    let drop_in = machine.unit_file("antnode0001.service.d");
    std::fs::create_dir(&drop_in).unwrap();
    std::fs::write(drop_in.join("fast.conf"), "[Service]\nRestartSec=50ms\n").unwrap();
    let _ = machine.systemctl(["daemon-reload"]).succeeded();
    let binary = machine.storage().join("antnode0001/antnode");
    let _ = machine
        .run(
            "/bin/cp",
            [
                "--remove-destination".as_ref(),
                broken.as_os_str(),
                binary.as_os_str(),
            ],
        )
        .succeeded();
    let _ = machine
        .systemctl(["kill", "--signal=KILL", unit])
        .succeeded();
    until(LONG, "systemd to give up", || {
        machine.state(unit) == "failed"
    });
    let _ = machine.wnm(["--force-action=survey"]).run().succeeded();
    assert_eq!(machine.statuses()[0], "STOPPED");
}

/// Running nodes start at boot, and stopped ones do not.
fn running_nodes_start_at_boot(who: As) {
    let Some(machine) = Machine::up(who) else {
        return;
    };
    let _ = machine.init(&machine.program("0.4.16"), &["--node-cap=4"]);
    // By cycles as in cron, and not by the operator: at most three at once.
    machine.grow_by_cycles(4);
    let _ = machine
        .wnm(["--force-action=stop", "--service-name=0002"])
        .run()
        .succeeded();
    machine.system.reboot();
    until(LONG, "node 1 to come back", || {
        machine.state("antnode0001.service") == "active"
    });
    assert_eq!(machine.state("antnode0002.service"), "inactive");
    // The first cycle sees that the machine rebooted, updates all rows and does nothing else.
    let first = machine.wnm(["--json"]).run().succeeded();
    assert_eq!(first.status(), "system-rebooted", "{}", first.stdout);
    let journal = machine.wnm(["events"]).run().succeeded();
    journal.assert_stdout_contains("reboot");
    let second = machine.wnm(["--json"]).run().succeeded();
    assert_ne!(second.status(), "system-rebooted", "{}", second.stdout);
    until(LONG, "the others to come back", || {
        let _ = machine.wnm(["--force-action=survey"]).run().succeeded();
        machine.statuses() == ["RUNNING", "STOPPED", "RUNNING", "RUNNING"]
    });
}

#[test]
fn nodes_of_a_lingering_user_start_at_boot() {
    running_nodes_start_at_boot(As::Ann);
}

#[test]
fn nodes_of_the_machine_start_at_boot() {
    running_nodes_start_at_boot(As::Root);
}

#[test]
fn real_nodes_run_in_the_sandbox_and_survive_an_upgrade() {
    let (Some(old), Some(new)) = (nodes::real_antnode("0.4.16"), nodes::real_antnode("0.4.17"))
    else {
        return;
    };
    let Some(machine) = Machine::up(As::Root) else {
        return;
    };
    let [old, new] = [(old, "old"), (new, "new")].map(|(from, name)| {
        let to = machine.programs.path().join(name);
        std::fs::copy(from, &to).unwrap();
        to
    });
    let _ = machine.init(&old, &["--node-cap=3"]);
    machine.grow(3);
    let shut = machine.systemctl([
        "show",
        "--property=ProtectSystem,PrivateTmp,User",
        "antnode0001",
    ]);
    assert_eq!(
        shut.stdout,
        "User=ant\nPrivateTmp=yes\nProtectSystem=strict\n"
    );
    let _ = machine
        .wnm(["--force-action=upgrade", "--count=3"])
        .args([Path::new("--antnode-path"), &new])
        .run()
        .succeeded();
    until(LONG, "the upgraded nodes to answer", || {
        let _ = machine.wnm(["--force-action=survey"]).run().succeeded();
        let of = |node: &wnm_tests::database::NodeRow| node.version.as_deref() == Some("0.4.17");
        machine.nodes().iter().all(of) && machine.statuses() == ["RUNNING"; 3]
    });
    let _ = machine
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert_eq!(machine.nodes(), []);
}

#[test]
fn arguments_reach_nodes_unchanged() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let odd = r#"a b%h $HOME ${HOME} $$ \n "q" ; # é"#;
    let quoted = format!("'{odd}'");
    let _ = machine.init(
        &machine.program("0.4.16"),
        &[
            "--node-cap=1",
            &format!("--start-args=--log-format {quoted}"),
            &format!("--environment=ANT_PEERS={} NOTE={quoted}", nodes::NOWHERE),
        ],
    );
    machine.grow(1);
    let pid = machine.main_pid("antnode0001.service").unwrap();
    let words = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        let bytes = machine.run("/bin/cat", [path]).succeeded().stdout;
        bytes.split('\0').map(str::to_owned).collect::<Vec<_>>()
    };
    let args = words("cmdline");
    let at = args.iter().position(|word| word == "--log-format").unwrap();
    assert_eq!(args[at + 1], odd);
    let note = format!("NOTE={odd}");
    assert!(words("environ").contains(&note), "{:?}", words("environ"));
}

#[test]
fn systemctl_replaces_a_missing_bus_and_without_systemd_nodes_are_unknown() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let _ = machine.systemctl(["stop", "dbus.socket", "dbus.service"]);
    assert_eq!(machine.state("dbus.socket"), "inactive");
    let _ = machine.init(&machine.program("0.4.16"), &["--node-cap=2"]);
    machine.grow(2);
    let _ = machine
        .wnm(["--force-action=stop", "--service-name=0002"])
        .run()
        .succeeded();
    assert_eq!(machine.state("antnode0002.service"), "inactive");
    let _ = machine
        .wnm(["--force-action=remove", "--service-name=0002"])
        .run()
        .succeeded();
    assert!(!machine.unit_file("antnode0002.service").exists());

    let _ = machine
        .system
        .systemctl(As::Root, ["stop", "user@1500.service"])
        .succeeded();
    let _ = machine.wnm(["--force-action=survey"]).run();
    assert_eq!(
        machine.statuses()[0],
        "UNKNOWN",
        "silence was taken for an answer"
    );
    let _ = machine
        .system
        .systemctl(As::Root, ["start", "user@1500.service"])
        .succeeded();
    until(LONG, "the node to come back", || {
        machine.state("antnode0001.service") == "active"
    });
    let _ = machine
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert_eq!(machine.nodes(), []);
}
