//! Taking over what is on a machine, under a real systemd, and giving it back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use wnm_tests::call::Call;
use wnm_tests::colony::EAGER;
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::nodes;
use wnm_tests::systemd::{As, Inside};
use wnm_tests::wait::{LONG, until};

/// What stays the same of a node whoever manages it. One that does not run tells nobody its peer id.
fn facts(rows: &[NodeRow]) -> Vec<(u32, String, PathBuf, u16, Option<String>)> {
    rows.iter()
        .map(|row| {
            let peer = row.peer_id.clone().filter(|_| row.status == "RUNNING");
            (
                row.id,
                row.service.clone(),
                row.root_dir.clone(),
                row.port,
                peer,
            )
        })
        .collect()
}

fn main_pids(inside: &Inside) -> Vec<Option<i32>> {
    let services = inside.nodes().into_iter().map(|node| node.service);
    services.map(|service| inside.main_pid(&service)).collect()
}

/// `--init --import` with no more than cannot be found.
fn import(inside: &Inside, program: &Path) -> Call {
    inside
        .wnm(["--init", "--import", "--process-manager", inside.kind()])
        .args([Path::new("--antnode-path"), program])
}

fn delete_database(inside: &Inside) {
    let state = inside.database().parent().unwrap().to_owned();
    for entry in std::fs::read_dir(&state).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

/// A colony whose database is lost is the same colony again, and none of its nodes notices.
fn a_lost_database_is_made_again_from_what_runs(who: As) {
    let Some(inside) = Inside::up(who) else {
        return;
    };
    let program = inside.program("0.4.16");
    let ports = ["--node-cap=4", "--port-start=41", "--metrics-port-start=42"];
    let _ = inside.init(&program, &ports);
    inside.grow(4);
    let _ = inside
        .wnm(["--force-action=stop", "--service-name=antnode0003"])
        .run()
        .succeeded();
    let (before, pids) = (inside.nodes(), main_pids(&inside));
    delete_database(&inside);

    // Who only asks gets nothing done, and sees all of it.
    let asked = import(&inside, &program).arg("--dry-run").run().succeeded();
    for told in ["would adopt 4 nodes", "antnode0003  STOPPED", "41001/42001"] {
        assert!(asked.stdout.contains(told), "{}", asked.stdout);
    }
    assert!(!inside.database().exists());
    let made = import(&inside, &program).arg("--json").run().succeeded();
    assert_eq!(made.last_json()["adopted"], 4);
    assert_eq!(facts(&inside.nodes()), facts(&before));
    assert_eq!(
        inside.statuses(),
        ["RUNNING", "RUNNING", "STOPPED", "RUNNING"]
    );
    assert_eq!(main_pids(&inside), pids, "a node was restarted");
    // As old as its identity.
    for (id, row) in [("0001", 1), ("0003", 3)] {
        let key = inside.storage().join(format!("antnode{id}/secret-key"));
        let written = inside
            .system
            .path(&key)
            .metadata()
            .unwrap()
            .modified()
            .unwrap();
        let written = written
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let age = Database::at(&inside.database())
            .value(&format!("SELECT age FROM node WHERE id = {row}"));
        assert_eq!(age, Some(written.to_string()));
    }
    let config = inside
        .wnm(["--report=machine-config"])
        .run()
        .succeeded()
        .stdout;
    for line in [
        "port_start: 41",
        "metrics_port_start: 42",
        nodes::WALLET,
        "no_upnp: True",
    ] {
        assert!(config.contains(line), "{config}");
    }
    // It goes on as before.
    let _ = inside
        .wnm(EAGER)
        .arg("--force-action=start")
        .arg("--service-name=3")
        .run()
        .succeeded();
    assert_eq!(inside.state("antnode0003.service"), "active");
    assert_eq!(main_pids(&inside)[..2], pids[..2]);
    until(LONG, "the started node to say who it is", || {
        let _ = inside.wnm(["--force-action=survey"]).run().succeeded();
        inside.nodes()[2].peer_id == before[2].peer_id
    });
}

#[test]
fn a_lost_database_of_a_users_colony_is_made_again() {
    a_lost_database_is_made_again_from_what_runs(As::Ann);
}

#[test]
fn a_lost_database_of_the_machines_colony_is_made_again() {
    a_lost_database_is_made_again_from_what_runs(As::Root);
}

#[test]
fn what_cannot_be_adopted_is_listed_and_a_low_cap_or_a_lost_disk_refuses() {
    let Some(inside) = Inside::up(As::Ann) else {
        return;
    };
    let program = inside.program("0.4.16");
    let _ = inside.init(&program, &["--node-cap=3"]);
    inside.grow(3);
    delete_database(&inside);
    // A second unit on a port that is taken, and one whose directory is gone.
    let unit = |name: &str| inside.unit_file(name);
    let text = std::fs::read_to_string(unit("antnode0001.service")).unwrap();
    for (id, port) in [("0008", "55001"), ("0009", "55009")] {
        let text = text.replace("antnode0001", &format!("antnode{id}"));
        let text = text.replace("--port 55001", &format!("--port {port}"));
        std::fs::write(unit(&format!("antnode{id}.service")), text).unwrap();
    }
    let _ = inside.systemctl(["daemon-reload"]).succeeded();

    let refused = import(&inside, &program)
        .arg("--node-cap=2")
        .run()
        .refused();
    assert!(
        refused.stderr.contains("remove 3 with their data"),
        "{}",
        refused.stderr
    );
    assert!(!inside.database().exists());
    let made = import(&inside, &program).run().succeeded().stdout;
    for told in [
        "adopted   4 nodes as they are (3 RUNNING, 1 DEAD)",
        "left alone: antnode0008.service claims port 55001 like antnode0001.service, which runs",
        "without a directory, to be removed by the next cycle: antnode0009.service",
    ] {
        assert!(made.contains(told), "{made}");
    }
    // Found later: nothing new but the one that was left alone.
    let more = inside.wnm(["--import"]).run().succeeded().stdout;
    assert!(more.contains("left alone: antnode0008.service"), "{more}");
    assert_eq!(inside.nodes().len(), 4);

    // The disk that the nodes are on is not there.
    delete_database(&inside);
    let storage = inside.storage();
    let away = storage.with_extension("away");
    let _ = inside.run("/bin/mv", [&storage, &away]).succeeded();
    let _ = inside.run("/bin/mkdir", [&storage]).succeeded();
    let refused = import(&inside, &program).run().refused();
    assert!(
        refused.stderr.contains("mount the disk"),
        "{}",
        refused.stderr
    );
    assert!(!inside.database().exists());
    let left = inside
        .run("/bin/ls", [Path::new("-A"), &storage])
        .succeeded();
    assert_eq!(left.stdout, "", "the wrong disk was marked");
}

/// A machine as anm leaves it: three units as its script writes them, two of which run.
fn anm_machine(inside: &Inside, program: &Path) {
    let file = |path: &str, text: &str| {
        let path = inside.system.path(Path::new(path));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let wallet = nodes::WALLET;
    file("/var/antctl/system", "CpuCount=2\n");
    file(
        "/var/antctl/counters",
        "CounterStart=3\nCounterUpgrade=0\nRemoveCounter3=7\n",
    );
    file(
        "/var/antctl/NodeDetails",
        "declare -A node_details_store=([001]=\"antnode001,,0.4.16,RUNNING\" )\n",
    );
    file("/var/antctl/override", "NodeCap=25\n");
    file(
        "/var/antctl/config",
        &format!(
            "# edit this file\nRewardsAddress=\"--rewards-address {wallet}\"\nMaxLoadAverageAllowed=500.0\n\
             DesiredLoadAverage=.6\nCpuLessThan=50\nCpuRemove=45\nMemLessThan=70\nMemRemove=90\nHDLessThan=70\n\
             HDRemove=90\nDelayStart=5\nDelayReStart=7\nDelayUpgrade=5\nDelayRemove=10\nNodeCap=2\n"
        ),
    );
    file(
        "/etc/cron.d/anm",
        "* * * * * ann /bin/bash /usr/bin/anms.sh >> /var/antctl/log\n",
    );
    file("/usr/bin/anms.sh", "#!/usr/bin/env bash\nntpr=41\n");
    for number in ["001", "002", "003"] {
        let name = format!("antnode{number}");
        let dir = PathBuf::from("/var/antctl/services").join(&name);
        let logs = PathBuf::from("/var/log/antnode").join(&name);
        let _ = inside
            .run("/bin/mkdir", [Path::new("-p"), &dir, &logs])
            .succeeded();
        let _ = inside
            .run("/bin/cp", [program, &dir.join("antnode")])
            .succeeded();
        let owner = [Path::new("-R"), Path::new("ant:ant"), &dir, &logs];
        let _ = inside.run("/bin/chown", owner).succeeded();
        let (dir, logs) = (dir.display(), logs.display());
        file(
            &format!("/etc/systemd/system/{name}.service"),
            &format!(
                "[Unit]\nDescription={name}\n[Service]\nUser=ant\nEnvironment=ANT_PEERS={}\nExecStart={dir}/antnode \
                 --root-dir {dir} --port 41{number} --enable-metrics-server --metrics-server-port 13{number} \
                 --rewards-address {wallet} --log-output-dest {logs} --max-log-files 1 --max-archived-log-files 1 \
                 evm-arbitrum-one\n#Restart=always\n#RestartSec=300\n",
                nodes::NOWHERE
            ),
        );
    }
    let _ = inside.systemctl(["daemon-reload"]).succeeded();
    let _ = inside
        .systemctl(["start", "antnode001", "antnode002"])
        .succeeded();
}

#[test]
fn a_machine_of_anm_is_taken_over_in_one_command_and_given_back() {
    let Some(inside) = Inside::up(As::Root) else {
        return;
    };
    let program = inside.program("0.4.16");
    let migrate = || {
        inside
            .wnm(["--init", "--migrate-anm"])
            .args([Path::new("--antnode-path"), &program])
    };
    let refused = migrate().run().refused();
    assert!(
        refused.stderr.contains("there is no anm"),
        "{}",
        refused.stderr
    );
    anm_machine(&inside, &program);
    let [cron, kept, block] = [
        "/etc/cron.d/anm",
        "/var/antctl/anm.cron",
        "/var/antctl/block",
    ]
    .map(|path| inside.system.path(Path::new(path)));
    let units = ["antnode001.service", "antnode002.service"];
    let pids = units.map(|unit| inside.main_pid(unit));
    assert!(pids.iter().all(Option::is_some));
    until(LONG, "the nodes to answer", || {
        let asked = migrate()
            .args(["--dry-run", "--json"])
            .run()
            .succeeded()
            .json();
        let nodes = asked["nodes"].as_array().unwrap();
        nodes
            .iter()
            .filter(|node| node["peer_id"].is_string())
            .count()
            == 2
    });

    // While anm works nothing is touched, not even its line of cron.
    std::fs::write(&block, "").unwrap();
    let refused = migrate().run().refused();
    assert!(
        refused.stderr.contains("anm is at work"),
        "{}",
        refused.stderr
    );
    assert!(cron.exists() && !kept.exists() && !inside.database().exists());
    std::fs::remove_file(&block).unwrap();

    // What fails later gives it back.
    let line = std::fs::read(&cron).unwrap();
    let refused = migrate()
        .arg("--dbpath=/proc/nowhere/colony.db")
        .run()
        .refused();
    assert!(
        refused.stderr.contains("cannot write"),
        "{}",
        refused.stderr
    );
    assert_eq!(std::fs::read(&cron).unwrap(), line);
    std::fs::remove_file(&kept).unwrap();

    let asked = migrate().arg("--dry-run").run().succeeded().stdout;
    for told in [
        "would adopt 3 nodes, and touch none of them",
        "antnode0003  STOPPED  41003/13003",
        "node_cap                  25  (/var/antctl/override:1)",
        "delay_restart             420  (/var/antctl/config:",
        "cpu_less_than             45",
        "would remove\n  /etc/cron.d/anm",
    ] {
        assert!(asked.contains(told), "{told}\n--\n{asked}");
    }
    assert!(cron.exists() && !kept.exists() && !inside.database().exists());

    let made = migrate().run().succeeded().stdout;
    assert!(
        made.contains("adopted   3 nodes as they are (2 RUNNING, 1 STOPPED)"),
        "{made}"
    );
    assert!(!cron.exists() && kept.exists());
    let config = inside
        .wnm(["--report=machine-config"])
        .run()
        .succeeded()
        .stdout;
    for line in [
        "process_manager: systemd+sudo",
        "node_cap: 25",
        "delay_start: 300",
        "delay_restart: 420",
        "delay_remove: 600",
        "desired_load_average: 0.6",
        "port_start: 41",
        "cpu_less_than: 45",
        "cpu_remove: 50",
        "node_storage: /var/antctl/services",
    ] {
        assert!(
            config.lines().any(|told| told == line),
            "{line}\n--\n{config}"
        );
    }
    let rows = inside.nodes();
    let ports: Vec<u16> = rows.iter().map(|row| row.port).collect();
    assert_eq!(ports, [41001, 41002, 41003]);
    assert_eq!(inside.statuses(), ["RUNNING", "RUNNING", "STOPPED"]);
    assert!(rows[0].peer_id.is_some() && rows[0].version.as_deref() == Some("0.4.16"));
    assert_eq!(
        units.map(|unit| inside.main_pid(unit)),
        pids,
        "a node was restarted"
    );
    // They are driven like any other.
    let _ = inside
        .wnm(["--force-action=start", "--service-name=3"])
        .run()
        .succeeded();
    assert_eq!(inside.state("antnode003.service"), "active");

    // And given back: the nodes run on, and what anm needs is told.
    let released = inside.wnm(["release"]).run().succeeded().stdout;
    assert!(released.contains("/var/antctl/anm.cron"), "{released}");
    assert_eq!(units.map(|unit| inside.main_pid(unit)), pids);
    assert!(inside.system.path(Path::new("/var/antctl/config")).exists());
}

#[test]
fn a_released_colony_runs_on_and_can_be_taken_again() {
    let Some(inside) = Inside::up(As::Ann) else {
        return;
    };
    let program = inside.program("0.4.16");
    let _ = inside.init(&program, &["--node-cap=3", "--fleet-memory-max=20G"]);
    inside.grow(3);
    let (before, pids) = (inside.nodes(), main_pids(&inside));
    let limit = || {
        let told = inside.systemctl(["show", "--property=MemoryMax", "--value", "wnm.slice"]);
        told.succeeded().stdout.trim().to_owned()
    };
    assert_eq!(limit(), "21474836480");

    let asked = inside
        .wnm(["release", "--dry-run"])
        .run()
        .succeeded()
        .stdout;
    assert!(asked.contains("3 nodes"), "{asked}");
    assert!(inside.database().exists());
    let _ = inside.wnm(["release", "--json"]).run().succeeded();
    // Nothing of wnm is left but a copy of its database.
    let left: Vec<String> = std::fs::read_dir(inside.database().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [copy] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert!(copy.starts_with("colony.db.released-"), "{copy}");
    assert!(!inside.system.path(&inside.storage().join(".wnm")).exists());
    assert!(!inside.unit_file("wnm.slice").exists());
    assert_eq!(limit(), "infinity");
    let services: Vec<String> = before.iter().map(|node| node.service.clone()).collect();
    let now: Vec<_> = services.iter().map(|unit| inside.main_pid(unit)).collect();
    assert_eq!(now, pids, "a node was restarted");
    let refused = inside.wnm::<&str>([]).run().refused();
    assert!(
        refused.stderr.contains("there is no colony"),
        "{}",
        refused.stderr
    );
    // What it was told can be had from the copy.
    let copy = inside.database().with_file_name(copy);
    let config = inside.programs.path().join("wnm.conf");
    let export = ["export", "--format=config", "--dbpath"];
    let written = inside.wnm(export).arg(&copy).run().succeeded();
    std::fs::write(&config, &written.stdout).unwrap();
    let _ = inside
        .wnm(["--init", "--import", "-c"])
        .arg(&config)
        .run()
        .succeeded();
    assert_eq!(facts(&inside.nodes()), facts(&before));
    assert_eq!(main_pids(&inside), pids);
    let told = inside.wnm(["export", "--format=config"]).run().succeeded();
    assert_eq!(told.stdout, written.stdout);
    for line in [
        "node_cap=3",
        "fleet_memory_max=20G",
        "max_concurrent_starts=3",
    ] {
        assert!(
            told.stdout.lines().any(|told| told == line),
            "{}",
            told.stdout
        );
    }
}

#[test]
fn the_doctor_finds_what_does_not_fit_and_mends_what_is_safe() {
    let Some(inside) = Inside::up(As::Ann) else {
        return;
    };
    let program = inside.program("0.4.16");
    let _ = inside.init(&program, &["--node-cap=3"]);
    inside.grow(3);
    let found = || inside.wnm(["doctor"]).run().succeeded().stdout;
    // The kernel's own ports and the clock are the machine's that the test runs on.
    let ours = |text: &str| -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.chunks(2).filter(|pair| {
            !["the kernel gives", "time server", "nothing to mend"]
                .iter()
                .any(|word| pair[0].contains(word))
        });
        pairs.map(|pair| pair[0].to_owned()).collect()
    };
    assert_eq!(ours(&found()), [] as [&str; 0]);
    let stop = ["--force-action=stop", "--service-name=antnode0003"];
    let _ = inside.wnm(stop).run().succeeded();
    let unit = inside.unit_file("antnode0003.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    std::fs::remove_file(&unit).unwrap();
    let other = std::fs::read_to_string(inside.unit_file("antnode0001.service")).unwrap();
    let other = other
        .replace("antnode0001", "antnode0007")
        .replace("55001", "55007");
    std::fs::write(inside.unit_file("antnode0007.service"), other).unwrap();
    let _ = inside.systemctl(["daemon-reload"]).succeeded();
    let stray = inside.storage().join("antnode0009");
    let _ = inside.run("/bin/mkdir", [&stray]).succeeded();
    let _ = inside
        .run("/bin/touch", [stray.join("secret-key")])
        .succeeded();
    let before = main_pids(&inside);
    let told = found();
    assert_eq!(
        ours(&told),
        [
            "fault  antnode0003 has no service any more, and its data is there",
            "note   antnode0007.service runs a node that wnm does not know, in \
             /home/ann/.local/share/autonomi/node/antnode0007",
            "note   /home/ann/.local/share/autonomi/node/antnode0009 belongs to no node, and has the key of one",
        ],
        "{told}"
    );
    assert!(!unit.exists(), "a look changed something");
    let mended = inside.wnm(["doctor", "--fix"]).run().succeeded().stdout;
    assert!(
        mended.starts_with("mended antnode0003 has no service"),
        "{mended}"
    );
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), text);
    assert_eq!(ours(&found()).len(), 2);
    assert_eq!(main_pids(&inside), before);
    let start = ["--force-action=start", "--service-name=antnode0003"];
    let _ = inside.wnm(start).run().succeeded();
    assert_eq!(inside.state("antnode0003.service"), "active");
}
