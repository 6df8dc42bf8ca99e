use insta::assert_snapshot;

use wnm_core::doctor::*;
use wnm_core::kind::ManagerKind;
use wnm_core::node::{Actor, ObservedState};
use wnm_core::ports::PortUse;
use wnm_core::quantity::{Percent, Seconds};
use wnm_core::snapshot::TakenPort;
use wnm_core::testing::found;
use wnm_core::testing::{self, node, seen, stopped};

/// A machine on which everything fits.
fn facts() -> Facts {
    let mut machine = testing::machine();
    machine.manager = ManagerKind::from_static("systemd+user");
    machine.node_storage = "/srv/ant".into();
    Facts {
        machine,
        nodes: vec![node(1), node(2), stopped(3, Actor::Operator)],
        supervisor: Ok(vec![]),
        without_service: [].into(),
        restorable: [].into(),
        without_program: [].into(),
        directories: [1, 2, 3]
            .map(|id| NodeDirectory {
                path: node(id).root_dir,
                has_key: true,
            })
            .into(),
        taken_ports: vec![],
        foreign_answers: vec![],
        program: Ok("0.4.7".parse().unwrap()),
        kernel_ports: KernelPorts::read("32768\t54999\n", "\n"),
        storage: StorageFacts {
            exists: true,
            used: Percent::whole(40),
            total: 1 << 40,
        },
        clock: ClockFacts {
            now: testing::NOW,
            newest_record: testing::NOW,
            synchronized: Some(true),
        },
        python: PythonFacts::default(),
        anm_cron: None,
        of_manager: vec![],
    }
}

fn told(facts: &Facts) -> String {
    crate::doctor(&examine(facts), facts.nodes.len())
}

#[test]
fn a_machine_on_which_everything_fits_has_no_findings() {
    assert_eq!(examine(&facts()), []);
    assert_snapshot!(told(&facts()), @"nothing to mend: 3 nodes looked at");
}

#[test]
fn records_services_and_directories_are_held_against_each_other() {
    let mut facts = facts();
    facts.nodes.push(seen(4, ObservedState::Dead));
    facts.nodes.push(stopped(5, Actor::Found));
    facts.nodes.push(stopped(6, Actor::Found));
    facts.nodes[1].version = Some("0.4.6".parse().unwrap());
    facts.without_service = [testing::id(5), testing::id(6)].into();
    facts.restorable = [testing::id(5)].into();
    facts.without_program = [testing::id(2)].into();
    facts.supervisor = Ok(vec![found(9, 55_009)]);
    for (path, has_key) in [
        ("/n/antnode0009", true),
        ("/srv/ant/antnode0010", true),
        ("/srv/ant/antnode 11", false),
    ] {
        let path = path.into();
        facts.directories.push(NodeDirectory { path, has_key });
    }
    assert_snapshot!(told(&facts), @"
    fault  antnode0002 has lost its program /srv/ant/antnode0002/antnode
           → wnm --force-action upgrade --service-name antnode0002
    fault  antnode0005 has no service any more, and its data is there
           → wnm doctor --fix
    fault  antnode0006 has no service any more, and its data is there
           → put its service back; or wnm --force-action remove --service-name antnode0006
    note   antnode0004 has no directory any more
           → wnm  (the next cycle forgets it)
    note   antnode0009.service runs a node that wnm does not know, in /n/antnode0009
           → wnm --import
    note   /srv/ant/antnode0010 belongs to no node, and has the key of one
           → keep a copy of /srv/ant/antnode0010/secret-key before you delete it
    note   /srv/ant/antnode 11 belongs to no node
           → rm -r '/srv/ant/antnode 11'
    note   nodes are of several versions: 1 of 0.4.6, 5 of 0.4.7
           → wnm --enable-upgrade
    ");
}

#[test]
fn ports_and_peers_are_nobody_elses() {
    let mut facts = facts();
    facts.nodes[1].ports.node = facts.nodes[0].ports.node;
    facts.nodes[0].peer_id = Some("12D3Koo1".to_owned());
    facts.nodes[2].peer_id = Some("12D3Koo1".to_owned());
    let taken = |id, range, port| TakenPort {
        id: testing::id(id),
        range,
        port: wnm_core::ports::Port::new(port).unwrap(),
    };
    facts.taken_ports = vec![
        taken(3, PortUse::Node, 55_003),
        taken(7, PortUse::Metrics, 13_007),
    ];
    facts.foreign_answers = vec![(testing::id(2), None)];
    facts.kernel_ports = KernelPorts::read("32768 60999", "8080,55001-55004");
    assert_snapshot!(told(&facts), @"
    fault  antnode0001 and antnode0002 are both recorded with port 55001
           → wnm --force-action remove --service-name antnode0002  (with its data)
    fault  antnode0001 and antnode0003 are one and the same node, 12D3Koo1
           → wnm --force-action remove --service-name antnode0003  (with its data)
    fault  something else answers in the place of antnode0002
           → wnm --report node-status-details --service-name antnode0002  (and see who has its metrics port)
    risk   node port 55003 of antnode0003 is taken by another program
           → sudo ss -lunp sport = :55003
    risk   metrics port 13007 of antnode0007 is taken by another program
           → sudo ss -ltnp sport = :13007
    risk   ports 55005-55020 of nodes are among those that the kernel gives to any program
           → echo net.ipv4.ip_local_reserved_ports=8080,55001-55004,55005-55020 | sudo tee /etc/sysctl.d/60-wnm.conf && sudo sysctl --system
    ");
}

#[test]
fn the_machine_around_the_nodes_is_looked_at() {
    let mut facts = facts();
    facts.supervisor = Err("no bus".to_owned());
    facts.program = Err("/x/antnode does not exist".to_owned());
    facts.machine.node_cap = 2;
    facts.storage = StorageFacts {
        exists: false,
        used: Percent::whole(95),
        total: 5_000_000_000,
    };
    facts.clock.newest_record = testing::NOW.plus(Seconds(7200));
    facts.clock.synchronized = Some(false);
    facts.of_manager = vec![Finding::LingeringOff {
        user: "ann".to_owned(),
    }];
    facts.anm_cron = Some("/etc/cron.d/anm".into());
    facts.python.lock = Some(("/v/wnm_active".into(), Seconds(90_000)));
    assert_snapshot!(told(&facts), @"
    fault  the process manager does not answer, so nothing is done: no bus
           → see why it does not answer; nothing is done until it does
    fault  the node storage /srv/ant is not there
           → mount the disk it is on
    fault  no node can be added: /x/antnode does not exist
           → wnm --antnode-path PATH
    fault  the clock is 2 h behind what was recorded by it, so delays do not end
           → set the clock
    fault  the disk is 95 % full, and above 90 % nodes are removed
           → free space, or wnm --hd-remove PERCENT
    fault  anm is run by /etc/cron.d/anm and drives the same nodes
           → sudo rm /etc/cron.d/anm
    risk   nodes end when ann logs out and do not come back after a reboot
           → loginctl enable-linger ann
    risk   there are 3 nodes and the cap is 2: the next cycles remove 1 with their data
           → wnm --node-cap 3
    risk   3 nodes may come to store more than the disk has room for, which is enough for 2
           → a larger disk; or wnm --node-cap 2, which removes 1 with their data
    note   the clock follows no time server
           → sudo timedatectl set-ntp true
    note   the Python wnm left /v/wnm_active 25 h ago, which keeps it from running
           → wnm doctor --fix
    ");
    facts.python.process = Some(77);
    assert!(told(&facts).contains("process 77"));
    facts.python = PythonFacts {
        lock: Some(("/v/wnm_active".into(), Seconds(60))),
        process: None,
    };
    assert!(!told(&facts).contains("wnm_active"), "it may still run");
}

#[test]
fn findings_are_data_with_what_mends_them() {
    let mut facts = facts();
    facts.python.lock = Some(("/v/wnm_active".into(), Seconds(90_000)));
    facts.kernel_ports = KernelPorts::read("32768 60999", "");
    let findings = examine(&facts);
    let json = serde_json::to_value(crate::finding_reports(&findings)).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    [
      {
        "kind": "ports-ephemeral",
        "mend": "echo net.ipv4.ip_local_reserved_ports=55001-55020 | sudo tee /etc/sysctl.d/60-wnm.conf && sudo sysctl --system",
        "ports": {
          "first": 55001,
          "last": 55020
        },
        "reserved": [],
        "safe": false,
        "severity": "risk",
        "words": "ports 55001-55020 of nodes are among those that the kernel gives to any program"
      },
      {
        "age": 90000,
        "kind": "python-lock-stale",
        "mend": "wnm doctor --fix",
        "path": "/v/wnm_active",
        "safe": true,
        "severity": "note",
        "words": "the Python wnm left /v/wnm_active 25 h ago, which keeps it from running"
      }
    ]
    "#);
}

#[test]
fn ports_that_are_reserved_are_not_exposed() {
    let span = |first, last| PortSpan { first, last };
    let kernel = KernelPorts::read("32768\t60999", "55001-55010,55012").unwrap();
    assert_eq!(kernel.exposed(span(55_001, 55_010)), None);
    assert_eq!(
        kernel.exposed(span(55_001, 55_012)),
        Some(span(55_011, 55_011))
    );
    assert_eq!(kernel.exposed(span(13_001, 13_900)), None);
    assert_eq!(
        kernel.exposed(span(60_990, 65_535)),
        Some(span(60_990, 60_999))
    );
    for bad in ["", "1", "a b"] {
        assert_eq!(KernelPorts::read(bad, ""), None, "{bad}");
    }
    assert_eq!(KernelPorts::read("1 2", "x-y"), None);
}
