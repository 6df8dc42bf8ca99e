//! A machine of anm, adopted and released.

use std::path::{Path, PathBuf};

use wnm_tests::nodes;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};

/// A machine as anm leaves it: three units as its script writes them, two of them running.
fn anm_machine(machine: &Machine, program: &Path) {
    let file = |path: &str, text: &str| {
        let path = machine.system.path(Path::new(path));
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
        let _ = machine
            .run("/bin/mkdir", [Path::new("-p"), &dir, &logs])
            .succeeded();
        let _ = machine
            .run("/bin/cp", [program, &dir.join("antnode")])
            .succeeded();
        let owner = [Path::new("-R"), Path::new("ant:ant"), &dir, &logs];
        let _ = machine.run("/bin/chown", owner).succeeded();
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
    let _ = machine.systemctl(["daemon-reload"]).succeeded();
    let _ = machine
        .systemctl(["start", "antnode001", "antnode002"])
        .succeeded();
}

#[test]
fn one_command_adopts_a_machine_of_anm_and_another_releases_it() {
    let Some(machine) = Machine::up(As::Root) else {
        return;
    };
    let program = machine.program("0.4.16");
    let migrate = || {
        machine
            .wnm(["--init", "--migrate-anm"])
            .args([Path::new("--antnode-path"), &program])
    };
    let refused = migrate().run().refused();
    refused.assert_stderr_contains("there is no anm");
    anm_machine(&machine, &program);
    let [cron, kept, block] = [
        "/etc/cron.d/anm",
        "/var/antctl/anm.cron",
        "/var/antctl/block",
    ]
    .map(|path| machine.system.path(Path::new(path)));
    let units = ["antnode001.service", "antnode002.service"];
    let pids = units.map(|unit| machine.main_pid(unit));
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
    refused.assert_stderr_contains("anm is at work");
    assert!(cron.exists() && !kept.exists() && !machine.database().exists());
    std::fs::remove_file(&block).unwrap();

    // A later failure restores it.
    let line = std::fs::read(&cron).unwrap();
    let refused = migrate()
        .arg("--dbpath=/proc/nowhere/colony.db")
        .run()
        .refused();
    refused.assert_stderr_contains("cannot write");
    assert_eq!(std::fs::read(&cron).unwrap(), line);
    std::fs::remove_file(&kept).unwrap();

    let asked = migrate().arg("--dry-run").run().succeeded().stdout;
    for output in [
        "would adopt 3 nodes, and touch none of them",
        "antnode0003  STOPPED  41003/13003",
        "node_cap                  25  (/var/antctl/override:1)",
        "delay_restart             420  (/var/antctl/config:",
        "cpu_less_than             45",
        "would remove\n  /etc/cron.d/anm",
    ] {
        assert!(asked.contains(output), "{output}\n--\n{asked}");
    }
    assert!(cron.exists() && !kept.exists() && !machine.database().exists());

    let made = migrate().run().succeeded().stdout;
    assert!(
        made.contains("adopted   3 nodes as they are (2 RUNNING, 1 STOPPED)"),
        "{made}"
    );
    assert!(!cron.exists() && kept.exists());
    let config = machine
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
            config.lines().any(|output| output == line),
            "{line}\n--\n{config}"
        );
    }
    let rows = machine.nodes();
    let ports: Vec<u16> = rows.iter().map(|row| row.port).collect();
    assert_eq!(ports, [41001, 41002, 41003]);
    assert_eq!(machine.statuses(), ["RUNNING", "RUNNING", "STOPPED"]);
    assert!(rows[0].peer_id.is_some() && rows[0].version.as_deref() == Some("0.4.16"));
    assert_eq!(
        units.map(|unit| machine.main_pid(unit)),
        pids,
        "a node was restarted"
    );
    // They are driven like any other.
    let _ = machine
        .wnm(["--force-action=start", "--service-name=3"])
        .run()
        .succeeded();
    assert_eq!(machine.state("antnode003.service"), "active");

    // And released: the nodes run on, and wnm prints what anm needs.
    let released = machine.wnm(["release"]).run().succeeded().stdout;
    assert!(released.contains("/var/antctl/anm.cron"), "{released}");
    assert_eq!(units.map(|unit| machine.main_pid(unit)), pids);
    assert!(
        machine
            .system
            .path(Path::new("/var/antctl/config"))
            .exists()
    );
}
