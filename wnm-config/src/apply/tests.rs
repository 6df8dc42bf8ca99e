use std::path::PathBuf;

use super::*;
use crate::samples::{env, facts, options, rewarded, sample_machine};

fn names(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.name.as_str()).collect()
}

fn typed(given: &[(&str, &str)]) -> Layers {
    Layers::new(options())
        .environment(env(&[("HOME", "/home/ann")]))
        .command_line(given.iter().copied())
}

/// The fixed ones are held against the report of the Python wnm, beside [`stored_value`].
#[test]
fn some_defaults_follow_the_machine() {
    let machine = rewarded().initial_machine(&facts()).unwrap();
    let told = [
        "max_load_average_allowed",
        "desired_load_average",
        "process_manager",
        "node_storage",
        "antnode_path",
    ]
    .map(|name| format!("{name} = {}", stored_value(&machine, name)));
    insta::assert_snapshot!(told.join("\n"), @r"
    max_load_average_allowed = 4.0
    desired_load_average = 2.4
    process_manager = systemd+user
    node_storage = /home/ann/.local/share/autonomi/node
    antnode_path = /home/ann/.local/bin/antnode
    ");
}

/// The table's defaults are for help; these are the ones that hold.
#[test]
fn help_tells_the_defaults_that_hold() {
    let machine = rewarded().initial_machine(&facts()).unwrap();
    for spec in options().all().iter().filter(|spec| spec.scope.is_stored()) {
        let super::super::DefaultValue::Fixed(text) = spec.default else {
            continue;
        };
        let text = text.replace('~', "/home/ann");
        assert_eq!(stored_value(&machine, spec.name).to_string(), text);
    }
}

#[test]
fn a_new_colony_needs_to_know_who_is_rewarded() {
    let error = Layers::new(options())
        .initial_machine(&facts())
        .unwrap_err();
    insta::assert_snapshot!(error, @"--rewards-address: is needed to make a colony: wnm --init --rewards-address 0x…");
}

#[test]
fn node_storage_follows_the_manager() {
    let layers = rewarded().command_line([("process_manager", "systemd+sudo")]);
    let machine = layers.initial_machine(&facts()).unwrap();
    let paths = wnm_core::paths::Paths::for_mode(wnm_core::kind::Mode::Sudo, None).unwrap();
    assert_eq!(machine.node_storage, paths.node_storage);
}

#[test]
fn without_a_home_paths_must_be_given() {
    let facts = MachineFacts {
        home: None,
        ..facts()
    };
    let error = typed(&[("rewards_address", "faucet")])
        .initial_machine(&facts)
        .unwrap_err();
    insta::assert_snapshot!(error, @"
    --node-storage: has no default, since HOME is not set
    --antnode-path: has no default, since HOME is not set
    --antctl-path: has no default, since HOME is not set
    ");
}

#[test]
fn what_is_given_overrides_the_database_and_says_so() {
    let layers = Layers::new(options())
        .file(
            Path::new("/etc/wnm"),
            b"node_cap = 5\nno_upnp\ndelay_start = 0\n",
        )
        .environment(env(&[("NODE_CAP", "6"), ("START_ARGS", "--verbose")]))
        .command_line([("cpu_less_than", "0"), ("node_storage", "/mnt/n/")]);
    let (machine, changes) = layers.apply(&sample_machine()).unwrap();
    let told: Vec<String> = changes.iter().map(Change::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    node_cap: 20 → 6 (environment)
    node_storage: /srv/ant/nodes → /mnt/n/ (command line)
    cpu_less_than: 50 → 0 (command line)
    delay_start: 300 → 0 (/etc/wnm:3)
    start_args: unset → --verbose (environment)
    no_upnp: false → true (/etc/wnm:2)
    ");
    assert_eq!(machine.node_cap, 6);
    assert!(machine.launch.no_upnp);
    assert_eq!(machine.node_storage, PathBuf::from("/mnt/n"));
    let (again, changes) = layers.apply(&machine).unwrap();
    assert_eq!((again, changes), (machine, vec![]));
}

#[test]
fn nothing_given_changes_nothing() {
    let (machine, changes) = Layers::new(options()).apply(&sample_machine()).unwrap();
    assert_eq!((machine, changes), (sample_machine(), vec![]));
}

#[test]
fn booleans_clear_and_texts_unset_from_every_source() {
    let mut stored = sample_machine();
    stored.launch.no_upnp = true;
    stored.antctl_debug = true;
    stored.launch.start_args = Some("--a".into());
    stored.launch.environment = Some("A=b".into());
    stored.antctl_version = Some("0.4.7".into());
    let layers = Layers::new(options())
        .file(Path::new("/c"), b"no_upnp: no\nstart_args =\n")
        .environment(env(&[
            ("ANTCTL_DEBUG", "False"),
            ("ANTCTL_VERSION", "None"),
        ]))
        .command_line([("environment", "")]);
    let (machine, changes) = layers.apply(&stored).unwrap();
    assert_eq!(machine, sample_machine());
    assert_eq!(changes.len(), 5);
}

#[test]
fn what_is_fixed_at_init_may_be_repeated_but_not_changed() {
    let same = typed(&[
        ("port_start", "55001"),
        ("metrics_port_start", "13"),
        ("rpc_port_start", "30000"),
        ("process_manager", "SYSTEMD+user"),
    ]);
    assert_eq!(same.apply(&sample_machine()).unwrap().1, vec![]);
    let error = typed(&[("port_start", "56"), ("process_manager", "setsid+user")])
        .apply(&sample_machine())
        .unwrap_err();
    insta::assert_snapshot!(error, @"
    --port-start '56': is 55 since --init and cannot change
    --process-manager 'setsid+user': is systemd+user since --init and cannot change
    ");
}

#[test]
fn counters_are_set_by_update_config_only() {
    let counters = [("highest_node_id_used", "9"), ("last_stopped_at", "0")];
    let error = typed(&counters).apply(&sample_machine()).unwrap_err();
    insta::assert_snapshot!(error, @"
    --highest-node-id-used '9': goes only with --force-action update_config
    --last-stopped-at '0': goes only with --force-action update_config
    ");
    let update = typed(&counters).command_line([("force_action", "update_config")]);
    let (machine, changes) = update.apply(&sample_machine()).unwrap();
    assert_eq!(names(&changes), ["highest_node_id_used", "last_stopped_at"]);
    assert_eq!(machine.highest_id.unwrap().get(), 9);
    assert_eq!(machine.last_stopped_at, None);
    // A file that was written from a report holds them, and they move on by themselves.
    let file = Layers::new(options()).file(Path::new("/c"), b"highest_node_id_used = 9");
    assert_eq!(file.apply(&sample_machine()).unwrap().1, vec![]);
}

#[test]
fn disable_config_clears_the_flags_it_is_given_with() {
    let mut stored = sample_machine();
    stored.launch.no_upnp = true;
    stored.antctl_debug = true;
    let layers = typed(&[("force_action", "disable_config"), ("no_upnp", "true")])
        .file(Path::new("/c"), b"antctl_debug\n");
    let (machine, changes) = layers.apply(&stored).unwrap();
    assert_eq!(names(&changes), ["no_upnp"]);
    assert!(!machine.launch.no_upnp && machine.antctl_debug);
}

#[test]
fn every_fault_is_told_at_once() {
    let layers = Layers::new(options())
        .file(
            Path::new("/etc/wnm"),
            b"nodecap = 1\ncpu_remove = 350\nmem_less_than = 80\nnode_storage = nodes\n",
        )
        .environment(env(&[("ENVIRONMENT", "production"), ("HOST", "a b")]))
        .command_line([
            (
                "rewards_address",
                "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            ),
            ("desired_load_average", "5"),
            ("hdio_read_less_than", "1000"),
            ("max_concurrent_starts", "0"),
            ("node_cap", "20000"),
            ("start_args", "--peer 'a"),
            ("antctl_version", "latest"),
            ("antnode_path", "~/bin/antnode"),
            ("no_upnp", "maybe"),
        ]);
    let error = layers.apply(&sample_machine()).unwrap_err();
    insta::assert_snapshot!(error, @"
    /etc/wnm:1: nodecap '1': is no option; did you mean node_cap?
    --rewards-address: '0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' fails its checksum; if every digit is right, it is spelled 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
    /etc/wnm:4: node_storage 'nodes': takes an absolute path, from / or ~
    /etc/wnm:2: cpu_remove '350': takes a whole percentage from 0 to 200 (above 100 it is never reached)
    --max-concurrent-starts '0': takes a whole number from 1 to 64535
    --antnode-path '~/bin/antnode': HOME is not set, so ~ stands for nothing; give the path in full
    ENVIRONMENT 'production' (environment): takes KEY=value words, as RUST_LOG=info
    --start-args '--peer 'a': has a quote that is not closed
    --no-upnp 'maybe': takes true or false (yes, no, on, off, 1, 0)
    HOST 'a b' (environment): takes a host name or an address such as 127.0.0.1
    --antctl-version 'latest': takes a version such as 0.4.7
    /etc/wnm:3: mem_less_than '80': mem_less_than (80 %) must be below mem_remove (75 %)
    --desired-load-average '5': desired_load_average (5) must be below max_load_average_allowed (4)
    --hdio-read-less-than '1000': hdio_read_less_than (1000 B/s) must be below hdio_read_remove (0 B/s); all four count once one is set, and none when all are 0
    --node-cap '20000': with node_cap 20000, node 20000 would need port 75000, past 65535, in the range that starts at 55000
    ");
}

#[test]
fn a_fault_of_one_value_is_no_second_fault_with_its_pair() {
    let error = typed(&[("cpu_less_than", "many"), ("cpu_remove", "10")])
        .apply(&sample_machine())
        .unwrap_err();
    assert_eq!(error.0.len(), 1, "{error}");
}

#[test]
fn a_colony_that_runs_with_odd_settings_goes_on() {
    let mut stored = sample_machine();
    stored.thresholds.cpu.add_below = wnm_core::quantity::Percent::whole(90);
    let (_, changes) = typed(&[("delay_start", "0")]).apply(&stored).unwrap();
    assert_eq!(names(&changes), ["delay_start"]);
    assert!(typed(&[("cpu_remove", "80")]).apply(&stored).is_err());
}

#[test]
fn what_the_python_stored_is_made_fit_for_use() {
    let mut stored = sample_machine();
    stored.antnode_path = "~/.local/bin/antnode".into();
    stored.antctl_version = Some("None".into());
    stored.launch.start_args = Some(String::new());
    let layers = typed(&[("antnode_path", "~/.local/bin/antnode"), ("start_args", "")]);
    let (machine, changes) = layers.apply(&stored).unwrap();
    assert_eq!(changes, vec![]);
    assert_eq!(
        machine.antnode_path,
        PathBuf::from("/home/ann/.local/bin/antnode")
    );
    assert_eq!(machine.antctl_version, None);
    assert_eq!(machine.launch.start_args, None);
}
