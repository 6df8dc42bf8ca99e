//! The command line, the environment and config files.

use std::os::unix::fs::PermissionsExt;

use wnm_tests::colony::Colony;
use wnm_tests::nodes::WALLET;

use crate::{colony, one_line, refused, refused_as};

const NO_CHECKSUM: &str = "0x00455D78f850b0358E8cea5be24d415E01E107CF";

/// Arguments, and words that the error must contain.
type Case = (&'static [&'static str], &'static [&'static str]);

/// Wrong in every state of the machine.
const ALWAYS: &[Case] = &[
    (
        &["--nod-cap", "8"],
        &["--nod-cap", "did you mean --node-cap?"],
    ),
    (
        &["--node_capp=8"],
        &["--node_capp", "did you mean --node-cap?"],
    ),
    (&["--xyzzy"], &["--xyzzy", "wnm --help"]),
    (&["-x"], &["-x", "wnm --help"]),
    (&["plans"], &["'plans'", "did you mean wnm plan?"]),
    (&["xyzzy"], &["'xyzzy'", "no command"]),
    (
        &["events", "--sinc", "1h"],
        &["--sinc", "did you mean --since?"],
    ),
    (&["events", "--since", "soon"], &["--since 'soon'", "24h"]),
    (
        &["events", "--node", "bob"],
        &["--node", "'bob'", "antnode0001"],
    ),
    (&["events", "--limit", "0"], &["--limit '0'", "from 1"]),
    (&["--node-cap"], &["--node-cap", "needs a value"]),
    (
        &["--node-cap", "many"],
        &["--node-cap 'many'", "whole number"],
    ),
    (&["--node-cap", "-1"], &["--node-cap '-1'", "from 0"]),
    (
        &["--cpu-remove", "1000"],
        &["--cpu-remove '1000'", "percentage"],
    ),
    (
        &["--rewards-address", "me"],
        &["--rewards-address", "'me'", "40 hexadecimal digits"],
    ),
    (
        &["--rewards-address", NO_CHECKSUM],
        &["checksum", NO_CHECKSUM, WALLET],
    ),
    (
        &["--rewards-address", "faucet:0"],
        &["--rewards-address", "faucet"],
    ),
    (
        &["--donate-address", NO_CHECKSUM],
        &["--donate-address", "checksum", WALLET],
    ),
    (
        &["--port-start", "66"],
        &["--port-start", "'66'", "1 to 65"],
    ),
    (
        &["--metrics-port-start", "65536"],
        &["--metrics-port-start", "'65536'"],
    ),
    (
        &["--process-manager", "upstart"],
        &["'upstart'", "systemd+user", "setsid+user"],
    ),
    (
        &["--force-action", "destroy"],
        &["--force-action 'destroy'", "teardown"],
    ),
    (
        &["--report", "weather"],
        &["--report 'weather'", "node-status"],
    ),
    (
        &["--report", "node-status", "--report-format", "xml"],
        &["'xml'", "json"],
    ),
    (
        &["--service-name", "bob"],
        &["--service-name", "'bob'", "antnode0001"],
    ),
    (&["--service-name", "antnode0001,,x y"], &["--service-name"]),
    (&["--service-name", "antnode0000"], &["--service-name"]),
    (&["--count", "0"], &["--count '0'", "from 1"]),
    (
        &["--no-upnp=maybe"],
        &["--no-upnp 'maybe'", "true or false"],
    ),
    (
        &["--environment", "A B"],
        &["--environment 'A B'", "KEY=value"],
    ),
    (
        &["--start-args", "--peer 'x"],
        &["--start-args", "not closed"],
    ),
    (
        &["--node-storage", "nodes"],
        &["--node-storage 'nodes'", "absolute"],
    ),
    (&["--dbpath", "mysql://x/y"], &["mysql://x/y", "sqlite:///"]),
    (
        &["-c", "/nowhere/config"],
        &["/nowhere/config", "no such file"],
    ),
    (&["-c", "/"], &["config file /", "not a regular file"]),
];

#[test]
fn bad_arguments_are_refused_with_and_without_a_colony() {
    let (empty, made) = (Colony::new(), colony());
    for (args, words) in ALWAYS {
        refused(&empty, args, words);
        refused(&made, args, words);
    }
}

#[test]
fn commands_without_json_refuse_bad_arguments_in_one_line() {
    let colony = colony();
    let cases: &[Case] = &[
        (&["completions"], &["completions bash"]),
        (&["completions", "tcsh"], &["'tcsh'", "bash"]),
        (
            &["demo", "--json"],
            &["--json", "does not go with this command"],
        ),
        (
            &["--report=influx-resources", "--report-format=env"],
            &["influx-resources", "text"],
        ),
        (
            &["--report=machine-metrics", "--report-format=config"],
            &["machine-metrics", "env"],
        ),
    ];
    for (args, words) in cases {
        let line = one_line(&colony.wnm(*args).run().refused());
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
}

#[test]
fn init_refuses_conflicting_settings() {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let path = program.to_str().unwrap();
    let cases: &[Case] = &[
        (&[], &["--rewards-address", "needed"]),
        (
            &["--cpu-less-than=70"],
            &["--cpu-less-than '70'", "cpu_remove (70 %)"],
        ),
        (
            &["--mem-remove=60"],
            &["--mem-remove '60'", "mem_less_than (60 %)"],
        ),
        (
            &["--hd-less-than=95", "--hd-remove=94"],
            &["hd_less_than", "below"],
        ),
        (
            &["--desired-load-average=9", "--max-load-average-allowed=8"],
            &["must be below"],
        ),
        (
            &["--netio-read-remove=1000"],
            &["netio_write_less_than", "all four count"],
        ),
        (
            &["--port-start=65", "--node-cap=600"],
            &["--port-start '65'", "65600", "65535"],
        ),
        (
            &["--metrics-port-start=55"],
            &["--metrics-port-start '55'", "overlap"],
        ),
        (
            &["--port-start=20", "--rpc-port-start=19", "--node-cap=1500"],
            &["rpc", "overlap"],
        ),
        (
            &["--process-manager=launchd+user"],
            &["launchd+user", "setsid+user"],
        ),
    ];
    for (args, words) in cases {
        let mut all = vec!["--init", "--antnode-path", path];
        if !args.is_empty() {
            all.extend(["--rewards-address", WALLET]);
        }
        all.extend(*args);
        refused(&colony, &all, words);
        refused(&colony, &[all.as_slice(), &["--dry-run"]].concat(), words);
    }
}

#[test]
fn conflicting_settings_are_not_stored() {
    let colony = colony();
    let cases: &[Case] = &[
        (
            &["--cpu-less-than=60", "--cpu-remove=50"],
            &["cpu_less_than (60 %)", "below"],
        ),
        (
            &["--mem-less-than=200"],
            &["--mem-less-than '200'", "mem_remove"],
        ),
        (&["--node-cap=60000"], &["--node-cap '60000'", "65535"]),
        (&["--process-manager=setsid+sudo"], &["since --init"]),
        // No test gets the default range, so it differs from the stored one.
        (&["--port-start=55"], &["--port-start '55'", "since --init"]),
        (
            &["--last-stopped-at=5"],
            &["--last-stopped-at", "update_config"],
        ),
        (&["--force-action=wnm-db-migration"], &["--confirm"]),
        (&["--force-action=teardown"], &["--confirm"]),
        (&["--force-action=disable"], &["--service-name"]),
        (
            &["--force-action=start", "--service-name=7"],
            &["there is no node '7'"],
        ),
        (
            &["--force-action=remove", "--service-name=antnode0007"],
            &["'antnode0007'"],
        ),
        (
            &["--report=node-status", "--service-name=7"],
            &["there is no node '7'"],
        ),
        (
            &["--dockerfile", "--process-manager=setsid+user"],
            &["--dockerfile", "s6overlay"],
        ),
    ];
    for (args, words) in cases {
        refused(&colony, args, words);
    }
}

#[test]
fn an_unknown_node_is_refused_with_the_nearest_name() {
    let colony = crate::colony_of(2);
    let before = colony.processes();
    for action in ["stop", "start", "remove", "upgrade", "disable"] {
        let args = [
            "--force-action",
            action,
            "--service-name",
            "antnode0002,antnode0007",
        ];
        refused(
            &colony,
            &args,
            &["no node 'antnode0007'", "nearest is antnode0002"],
        );
    }
    assert_eq!(colony.processes(), before);
}

#[test]
fn config_file_errors_name_file_and_line() {
    let colony = colony();
    let file = colony.dir().join("night.conf");
    let path = file.to_str().unwrap();
    // Any manager but the colony's.
    let other = if colony.ports.node == 64 { 63 } else { 64 };
    let (moved, named) = (
        format!("port_start {other}\n"),
        format!(":1: port_start '{other}'"),
    );
    let cases = [
        (
            "node_cap = 5\nnodecap = 6\n",
            ":2: nodecap '6'",
            "did you mean node_cap?",
        ),
        (
            "# a\n\nnode_cap: many\n",
            ":3: node_cap 'many'",
            "whole number",
        ),
        ("= 5\n", ":1: '= 5'", "key = value"),
        ("host = \"a\n", ":1: ", "not closed"),
        ("node_cap\n", ":1: node_cap", "needs a value"),
        ("version\n", ":1: version", "command line"),
        (
            "\n\ncpu_less_than = 90\ncpu_remove = 80\n",
            ":4: cpu_remove '80'",
            "cpu_less_than",
        ),
        (moved.as_str(), named.as_str(), "since --init"),
    ];
    for (content, place, what) in cases {
        std::fs::write(&file, content).unwrap();
        let place = format!("{path}{place}");
        refused(&colony, &["-c", path], &[&place, what]);
        refused(&colony, &["plan", "-c", path], &[&place, what]);
    }
    std::fs::write(&file, vec![b'#'; 300 * 1024]).unwrap();
    refused(&colony, &["-c", path], &[path, "KiB"]);
    std::fs::write(&file, b"node_cap = \xff\xfe\n").unwrap();
    refused(&colony, &["-c", path], &[path, ":1: ", "UTF-8"]);

    // Whoever can write it could direct the rewards to themselves.
    std::fs::write(&file, "node_cap = 5\n").unwrap();
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode));
    mode(0o666).unwrap();
    refused(&colony, &["-c", path], &[path, "chmod o-w"]);
    mode(0o664).unwrap();
    colony.wnm(["plan", "-c", path]).run().succeeded();

    // The same holds for the default file.
    let config = colony.home().join(".local/share/wnm");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config"), "xyzzy = 1\n").unwrap();
    refused(
        &colony,
        &["--report", "node-status"],
        &["wnm/config:1: xyzzy '1'", "no option"],
    );
}

#[test]
fn environment_errors_name_the_variable() {
    let colony = colony();
    let cases = [
        ("NODE_CAP", "lots", "whole number"),
        ("REWARDS_ADDRESS", NO_CHECKSUM, "checksum"),
        ("CPU_REMOVE", "30", "cpu_less_than"),
        ("PROCESS_MANAGER", "upstart", "systemd+user"),
        ("REPORT", "weather", "node-status"),
    ];
    for (name, value, what) in cases {
        let call = |json| crate::call::<&str>(&colony, &[], json).env(name, value);
        refused_as(&colony, call, &[name, value, what]);
    }
}

#[test]
fn all_errors_are_reported_together() {
    let colony = colony();
    let args = ["--node-cap", "many", "--cpu-remove", "hot", "--json"];
    let output = colony.wnm(args).run().refused();
    assert_eq!(output.stderr.lines().count(), 2, "{}", output.stderr);
    assert!(output.stderr.contains("--node-cap") && output.stderr.contains("--cpu-remove"));
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert_eq!(output.status(), "error");
}
