//! The output for people, in full.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use wnm_tests::binaries;
use wnm_tests::colony::Colony;
use wnm_tests::nodes::WALLET;

/// An empty colony with a cap of three nodes.
fn colony() -> Colony {
    Colony::simulated("0.4.17", &["--node-cap=3"])
}

/// The text with everything replaced that differs between runs: directories, peer ids (by as many letters, for the
/// columns), dates.
fn without_variations(colony: &Colony, text: &str) -> String {
    let text = text
        .replace(colony.dir().to_str().unwrap(), "DIR")
        .replace(binaries::wnm().to_str().unwrap(), "WNM");
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| match word {
            _ if word.starts_with("12D3Koo") => "P".repeat(word.len()),
            _ if word.len() == 10 && word.starts_with("20") => "YYYY-MM-DD".to_owned(),
            _ if word.len() == 8 && word.split(':').count() == 3 => "HH:MM:SS".to_owned(),
            _ => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn stdout_of(colony: &Colony, args: &[&str]) -> String {
    let output = colony.wnm(args).run().succeeded();
    assert_eq!(output.stderr, "");
    without_variations(colony, &output.stdout)
}

#[track_caller]
fn stderr_of(colony: &Colony, args: &[&str]) -> String {
    let output = colony.wnm(args).run().refused();
    assert_eq!(output.stdout, "");
    without_variations(colony, &output.stderr)
}

#[test]
fn short_help_lists_common_options_and_full_help_lists_all() {
    let colony = Colony::new();
    let help = |args: &[&str]| {
        let text = stdout_of(&colony, args);
        assert!(!text.contains('\u{1b}'), "colours go to terminals only");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{widest:?} columns");
        text
    };
    let (short, whole) = (help(&["-h"]), help(&["--help"]));
    assert!(
        short.lines().count() < 75,
        "{} lines",
        short.lines().count()
    );
    for line in short.lines().filter(|line| line.starts_with("      --")) {
        let option = line.split_whitespace().next().unwrap();
        assert!(whole.contains(option), "{option}");
    }
    assert_eq!(help(&["help"]), short);
    insta::assert_snapshot!("help_of_every_day", short);
    insta::assert_snapshot!("help", whole);
    insta::assert_snapshot!("help_of_plan", help(&["plan", "--help"]));
    insta::assert_snapshot!("help_of_events", help(&["events", "-h"]));
    insta::assert_snapshot!("help_of_doctor", help(&["doctor", "-h"]));
    insta::assert_snapshot!("help_of_export", help(&["export", "-h"]));
    insta::assert_snapshot!("help_of_release", help(&["release", "-h"]));
}

#[test]
fn init_prints_the_result_and_the_next_step() {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let args = [
        "--init",
        "--process-manager",
        "setsid+user",
        "--rewards-address",
        WALLET,
        "--antnode-path",
        program.to_str().unwrap(),
    ];
    let wnm = |more: &[&str]| stdout_of(&colony, &[args.as_slice(), more].concat());
    insta::assert_snapshot!(wnm(&["--dry-run"]), @"
    would make a colony for up to 20 nodes
      database  DIR/colony.db
      nodes in  DIR/home/.local/share/autonomi/node
      manager   setsid+user
    ");
    insta::assert_snapshot!(wnm(&[]), @"
    made a colony for up to 20 nodes
      database  DIR/colony.db
      nodes in  DIR/home/.local/share/autonomi/node
      manager   setsid+user
    next
      wnm plan    shows what a cycle would do; wnm does it
      crontab -e  and this line, for one every minute:
    * * * * * WNM -q --dbpath DIR/colony.db
    ");
}

#[test]
fn a_cycle_prints_one_line() {
    let colony = colony();
    insta::assert_snapshot!(stdout_of(&colony, &[]), @"added antnode0001, antnode0002, antnode0003 (0 of 3 nodes running, 3 under way, cap 3)");
    insta::assert_snapshot!(stdout_of(&colony, &[]), @"idle: 3 of 3 nodes running (cap 3); not adding: 3 nodes ≥ cap 3");
    insta::assert_snapshot!(stdout_of(&colony, &["--force-action", "stop", "--service-name", "2"]), @"stopped antnode0002 (2 of 3 nodes running, cap 3)");
    insta::assert_snapshot!(stdout_of(&colony, &[]), @"idle: 2 of 3 nodes running (cap 3); not adding: 3 nodes ≥ cap 3; not starting: node 2 was stopped by a person");
    insta::assert_snapshot!(stdout_of(&colony, &["--force-action", "stop", "--service-name", "2"]), @"idle: 2 of 3 nodes running (cap 3); not stopping: node 2: already so");
    let output = colony.wnm(["--node_cap=2", "--no_upnp=false", "--start_args", "--first"]);
    let output = output.arg("--force_action=update_config").run().succeeded();
    insta::assert_snapshot!(output.stderr, @"
    wnm: node_cap: 3 → 2 (command line)
    wnm: start_args: unset → --first (command line)
    wnm: no_upnp: true → false (command line)
    ");
    insta::assert_snapshot!(output.stdout, @"settings are stored");
    insta::assert_snapshot!(stdout_of(&colony, &["--force-action", "teardown", "--confirm"]), @"3 nodes removed with their data");
    insta::assert_snapshot!(stdout_of(&colony, &["--force-action", "teardown", "--confirm"]), @"there were no nodes to remove");
    insta::assert_snapshot!(stdout_of(&colony, &["--force-action", "start"]), @"idle: 0 of 0 nodes running (cap 2); not starting: no node for it");
}

#[test]
fn events_and_nodes_print_as_tables() {
    let colony = colony();
    colony
        .wnm(["--force-action", "add", "--max-concurrent-starts=1"])
        .run()
        .succeeded();
    colony.wnm(["--force-action", "stop"]).run().succeeded();
    insta::assert_snapshot!(stdout_of(&colony, &["events"]), @"
    YYYY-MM-DD HH:MM:SS  -            init  done  DIR/colony.db under setsid+user
    YYYY-MM-DD HH:MM:SS  -            set   done  max_concurrent_starts: 3 → 1 (command line)
    YYYY-MM-DD HH:MM:SS  antnode0001  add   done  asked for
    YYYY-MM-DD HH:MM:SS  antnode0001  stop  done  asked for
    ");
    insta::assert_snapshot!(stdout_of(&colony, &["events", "--node", "7"]), @"Nothing happened.");
    insta::assert_snapshot!(stdout_of(&colony, &["--report", "node-status"]), @"
    Service Name        Peer ID                                                Status         Connected Peers
    antnode0001         PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP   STOPPED                      0
    ");
    insta::assert_snapshot!(stdout_of(&colony, &["--remove-lockfile"]), @"there is no DIR/home/.local/share/autonomi/wnm_active");
}

#[test]
fn import_and_release_print_each_step() {
    let colony = colony();
    colony
        .wnm(["--force-action", "add", "--count", "2"])
        .run()
        .succeeded();
    colony.wnm(["--force-action", "survey"]).run().succeeded();
    let printed = |args: &[&str]| without_numbers(&colony, &stdout_of(&colony, args));
    insta::assert_snapshot!(printed(&["--import"]), @"adopted   nothing: the process manager knows no node that wnm does not");
    insta::assert_snapshot!(printed(&["export", "--format", "env"]).lines().nth(1).unwrap(), @"CPU_LESS_THAN=199");
    insta::assert_snapshot!(printed(&["release", "--dry-run"]), @"
    would release 2 nodes (2 RUNNING), and touch none of them
      database  would be kept as DIR/colony.db.released-TIME
      removed   would be the mark in the node storage and the lock file
    next
      crontab -e  and delete the line that runs wnm, if there is one
      to have wnm again:  wnm export --format config --dbpath COPY --output wnm.conf
                          wnm -c wnm.conf --init --import
      ports that were opened in a firewall stay open, since the nodes need them
    ");
    insta::assert_snapshot!(printed(&["release"]), @"
    released 2 nodes (2 RUNNING); they stay as they are
      database  kept as DIR/colony.db.released-TIME
      removed   the mark in the node storage and the lock file
    next
      crontab -e  and delete the line that runs wnm, if there is one
      to have wnm again:  wnm export --format config --dbpath DIR/colony.db.released-TIME --output wnm.conf
                          wnm -c wnm.conf --init --import
      ports that were opened in a firewall stay open, since the nodes need them
    ");
    let program = colony.program("0.4.17");
    let storage = colony.storage();
    let import = [
        "--init",
        "--import",
        "--process-manager=setsid+user",
        "--node-cap=1",
        "--antnode-path",
        program.to_str().unwrap(),
        "--node-storage",
        storage.to_str().unwrap(),
        "--firewall=none",
    ];
    let output = colony.wnm(import).run().refused();
    insta::assert_snapshot!(without_variations(&colony, &output.stderr), @"wnm: there would be 2 nodes, and with a cap of 1 the next cycle would remove 1 with their data: give --node-cap 2, or --confirm if that is meant");
    let cap =
        |cap: &'static str| import.map(|word| if word == "--node-cap=1" { cap } else { word });
    insta::assert_snapshot!(printed(&[cap("--node-cap=2").as_slice(), &["--dry-run"]].concat()), @"
    would make a colony for up to 2 nodes
      database  DIR/colony.db
      nodes in  DIR/nodes
      manager   setsid+user
    would adopt 2 nodes, and touch none of them
      antnode0001  RUNNING  PP001/MM001  DIR/nodes/antnode0001  0.4.17
      antnode0002  RUNNING  PP002/MM002  DIR/nodes/antnode0002  0.4.17
    would take from the nodes
      port_start                BASE
      metrics_port_start        BASE
      rpc_port_start            BASE
      rewards_address           0x00455d78f850b0358E8cea5be24d415E01E107CF
      no_upnp                   true
    ");
    insta::assert_snapshot!(printed(&cap("--node-cap=2")), @"
    made a colony for up to 2 nodes
      database  DIR/colony.db
      nodes in  DIR/nodes
      manager   setsid+user
      adopted   2 nodes as they are (2 RUNNING)
      taken from the nodes
      port_start                BASE
      metrics_port_start        BASE
      rpc_port_start            BASE
      rewards_address           0x00455d78f850b0358E8cea5be24d415E01E107CF
      no_upnp                   true
    next
      wnm plan    shows what a cycle would do; wnm does it
      crontab -e  and this line, for one every minute:
    * * * * * WNM -q --dbpath DIR/colony.db
    ");
}

/// The text with everything replaced that differs between runs: ports of the test, and the time in the name of a copy.
fn without_numbers(colony: &Colony, text: &str) -> String {
    let ports = colony.ports.node;
    let metrics = colony.ports.metrics;
    let rpc = colony.ports.rpc;
    let start = |name: &str, base: u16| (format!("{name:<26}{base}"), format!("{name:<26}BASE"));
    let mut text = text
        .replace(&format!("{ports}00"), "PP00")
        .replace(&format!("{metrics}00"), "MM00");
    for (output, shown) in [
        start("port_start", ports),
        start("metrics_port_start", metrics),
        start("rpc_port_start", rpc),
        start("rpc_port_start", 30),
    ] {
        text = text.replace(&output, &shown);
    }
    let parts: Vec<&str> = text.split(".released-1").collect();
    let times = parts.iter().enumerate().map(|(index, part)| match index {
        0 => (*part).to_owned(),
        _ => format!(".released-TIME{}", part.get(9..).unwrap_or_default()),
    });
    times.collect()
}

/// A machine's measurements, from which the plan's words are made.
fn with_load(snapshot: &mut Value, cpu: f64, memory: f64) {
    let load = &mut snapshot["load"];
    load["cpu"] = json!(cpu);
    load["memory"] = json!(memory);
    load["disk"] = json!(31.25);
    load["disk_total"] = json!(1_000_000_000_000u64);
    load["load"] = json!({ "one": 1.5, "five": 1.25, "fifteen": 0.75 });
    snapshot["blocked_ids"] = json!([]);
    let limits = json!({ "add_below": 50.0, "remove_above": 70.0 });
    snapshot["machine"]["thresholds"]["cpu"] = limits.clone();
    snapshot["machine"]["thresholds"]["memory"] = limits;
}

#[test]
fn a_plan_prints_steps_reasons_and_measurements() {
    let colony = colony();
    colony
        .wnm(["--force-action", "add", "--count", "2"])
        .run()
        .succeeded();
    colony.wnm(["--force-action", "survey"]).run().succeeded();
    for process in colony.processes() {
        if process
            .root_dir()
            .is_some_and(|dir| dir.ends_with("antnode0001"))
        {
            process.kill();
        }
    }
    let planned = colony.wnm(["plan", "--json"]).run().succeeded().json();
    let file = colony.dir().join("snapshot.json");
    let plan = |cpu: f64, memory: f64, blocked: &[u32]| {
        let mut snapshot = planned["snapshot"].clone();
        with_load(&mut snapshot, cpu, memory);
        let taken = |id| json!({ "id": id, "reason": "node port 5 is taken by another program" });
        snapshot["blocked_ids"] = blocked.iter().map(taken).collect();
        std::fs::write(&file, snapshot.to_string()).unwrap();
        stdout_of(&colony, &["plan", "--snapshot", file.to_str().unwrap()])
    };
    insta::assert_snapshot!(plan(12.5, 40.0, &[]), @"
    would start 1 node and add 1
      start   antnode0001   wanted running, seen stopped
      add     antnode0003   2 of at most 3 nodes, memory 40 % < 50 %
    held back
      not stopping: memory 40 % ≤ 70 %
      not upgrading: nodes upgrade themselves
    measured      now      add below   remove above
    cpu           12.5 %   50 %        70 %
    memory        40 %     50 %        70 %
    disk          31.3 %   199 %       200 %
    load 1 min    1.5      1000        2000
    load 5 min    1.25     1000        2000
    load 15 min   0.75     1000        2000
    nodes         2        3           3
    ");
    insta::assert_snapshot!(plan(12.5, 60.0, &[3]), @"
    would start 1 node
      start   antnode0001   wanted running, seen stopped
    held back
      not stopping: memory 60 % ≤ 70 %
      not upgrading: nodes upgrade themselves
      not adding: memory 60 % ≥ 50 %
    warnings
      number 3 cannot be given: node port 5 is taken by another program
    measured      now      add below   remove above
    cpu           12.5 %   50 %        70 %
    memory        60 %     50 %        70 %
    disk          31.3 %   199 %       200 %
    load 1 min    1.5      1000        2000
    load 5 min    1.25     1000        2000
    load 15 min   0.75     1000        2000
    nodes         2        3           3
    ");
    insta::assert_snapshot!(plan(12.5, 90.0, &[]), @"
    would stop 1 node
      stop   antnode0002   memory 90 % > 70 %
    held back
      not upgrading: memory 90 % > 70 %
      not starting: memory 90 % > 70 %
      not adding: memory 90 % > 70 %
    measured      now      add below   remove above
    cpu           12.5 %   50 %        70 %
    memory        90 %     50 %        70 %
    disk          31.3 %   199 %       200 %
    load 1 min    1.5      1000        2000
    load 5 min    1.25     1000        2000
    load 15 min   0.75     1000        2000
    nodes         2        3           3
    ");
}

#[test]
fn errors_say_what_failed_why_and_what_to_do() {
    let (nowhere, colony) = (Colony::new(), colony());
    colony.wnm(["--force-action", "add"]).run().succeeded();
    let missing = colony.dir().join("missing");
    let missing = missing.to_str().unwrap();
    let mut output = vec![stderr_of(&nowhere, &[])];
    for args in [
        &["--nodecap", "8"][..],
        &["--node-cap", "lots"],
        &["plans"],
        &["--init"],
        &[
            "--init",
            "--rewards-address",
            "0x00455D78f850b0358E8cea5be24d415E01E107CF",
        ],
        &[
            "--init",
            "--rewards-address",
            WALLET,
            "--antnode-path",
            missing,
        ],
        &[
            "--init",
            "--rewards-address",
            WALLET,
            "--port-start",
            "65",
            "--node-cap",
            "900",
        ],
        &["--init", "--rewards-address", WALLET, "--port-start", "13"],
        &["--init", "--rewards-address", WALLET],
        &["--process-manager", "upstart"],
        &["--cpu-less-than", "80", "--cpu-remove", "70"],
        &["-c", missing],
        &["plan", "--snapshot", missing],
        &["--force-action", "stop", "--service-name", "4"],
        &["--force-action", "add", "--count", "5"],
        &["--force-action", "teardown"],
        &["--force-action", "disable"],
        &["--report", "node-status", "--report-format", "env"],
        &["events", "--since", "yesterday"],
        &["export"],
        &["export", "--format", "csv"],
        &["export", "--format", "python"],
        &["--migrate-anm"],
        &["--init", "--migrate-anm"],
    ] {
        output.push(format!(
            "$ {}",
            without_variations(&colony, &args.join(" "))
        ));
        let on = if args[0] == "--init" {
            &nowhere
        } else {
            &colony
        };
        output.push(stderr_of(on, args));
    }
    let output = without_variations(&colony, &output.join("\n"));
    insta::assert_snapshot!(output, @"
    wnm: there is no colony at DIR/colony.db: make one with wnm --init --rewards-address ADDRESS
    $ --nodecap 8
    wnm: --nodecap is no option; did you mean --node-cap?
    $ --node-cap lots
    wnm: --node-cap 'lots': takes a whole number from 0 to 64535
    $ plans
    wnm: 'plans' is no command; did you mean wnm plan?
    $ --init
    wnm: --rewards-address: is needed to make a colony: wnm --init --rewards-address 0x…
    $ --init --rewards-address 0x00455D78f850b0358E8cea5be24d415E01E107CF
    wnm: --rewards-address: '0x00455D78f850b0358E8cea5be24d415E01E107CF' fails its checksum; if every digit is right, it is spelled 0x00455d78f850b0358E8cea5be24d415E01E107CF
    $ --init --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF --antnode-path DIR/missing
    wnm: DIR/missing does not exist; give the node program with --antnode-path
    $ --init --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF --port-start 65 --node-cap 900
    wnm: --port-start '65': with node_cap 900, node 900 would need port 65900, past 65535, in the range that starts at 65000
    $ --init --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF --port-start 13
    wnm: --port-start '13': with node_cap 20, node ports 13001-13020 overlap metrics ports 13001-13020
    $ --init --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF
    wnm: DIR/home/.local/bin/antnode does not exist; give the node program with --antnode-path
    $ --process-manager upstart
    wnm: --process-manager: 'upstart' is no process manager; there are systemd+sudo, systemd+user, setsid+sudo, setsid+user, launchd+sudo, launchd+user, antctl+sudo, antctl+user, antctl+zen, s6overlay+user
    $ --cpu-less-than 80 --cpu-remove 70
    wnm: --cpu-remove '70': cpu_less_than (80 %) must be below cpu_remove (70 %)
    $ -c DIR/missing
    wnm: config file DIR/missing: there is no such file
    $ plan --snapshot DIR/missing
    wnm: DIR/missing: No such file or directory (os error 2)
    $ --force-action stop --service-name 4
    wnm: there is no node '4', the nearest is antnode0001
    $ --force-action add --count 5
    wnm: 1 + 5 nodes would pass the cap of 3; raise it with --node-cap 6
    $ --force-action teardown
    wnm: teardown deletes every node with its data (1 in all): add --confirm if that is meant
    $ --force-action disable
    wnm: disabling is for certain nodes; name them with --service-name antnode0001,…
    $ --report node-status --report-format env
    wnm: node-status does not come as env; give --report-format text or json
    $ events --since yesterday
    wnm: --since 'yesterday': takes a number and s, m, h or d, as 24h
    $ export
    wnm: --format <WORD> is missing
    $ export --format csv
    wnm: --format 'csv': takes one of python, config, env, json
    $ export --format python
    wnm: export --format python writes a database: name it with --output FILE
    $ --migrate-anm
    wnm: --migrate-anm makes a colony of anm's nodes: add --init
    $ --init --migrate-anm
    wnm: --migrate-anm: there is no anm on this machine (no /var/antctl/system); nodes without it are taken over with --init --import
    ");
}
