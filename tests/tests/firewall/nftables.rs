//! nftables.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};

use wnm_core::machine::FirewallChoice;
use wnm_tests::network::{call, in_private_network};
use wnm_tests::wait::LONG;

use crate::{close, firewall, node, open, opening};

/// A chain for packets to this machine, with a policy and these rules.
pub fn chain(family: &str, table: &str, policy: &str, rules: &[&str]) {
    call(&format!("nft add table {family} {table}"));
    let hook = format!("{{ type filter hook input priority 0; policy {policy}; }}");
    call(&format!("nft add chain {family} {table} input {hook}"));
    for rule in rules {
        call(&format!("nft add rule {family} {table} input {rule}"));
    }
}

/// Whether a packet to this port gets through. A packet to `control`, which is open, follows it: once that one is
/// there, the first was dropped or is there as well.
fn reaches(port: u16, control: u16) -> bool {
    let at = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (asked, sure, sender) = (at(port), at(control), at(0));
    for to in [port, control] {
        sender
            .send_to(b"packet", (Ipv4Addr::LOCALHOST, to))
            .unwrap();
    }
    sure.set_read_timeout(Some(LONG)).unwrap();
    sure.recv(&mut [0; 16])
        .expect("the control packet was dropped");
    asked.set_nonblocking(true).unwrap();
    match asked.recv(&mut [0; 16]) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn packets_pass_every_dropping_chain_once_the_port_is_open() {
    in_private_network(&["nft"], || {
        let control = "udp dport 40000 accept";
        chain(
            "inet",
            "filter",
            "drop",
            &[control, "iif lo tcp dport 22 accept"],
        );
        chain("ip", "strict", "accept", &[control, "counter drop"]);
        chain("ip", "open", "accept", &["counter"]);
        let before = call("nft -s list ruleset");
        let nftables = firewall(FirewallChoice::Nftables);
        let (one, range) = (node(1), opening(55101, 55200, 101));
        assert!(!reaches(55001, 40000));

        for _ in 0..2 {
            open(&nftables, &one);
            open(&nftables, &range);
        }
        assert!(reaches(55001, 40000));
        assert!(reaches(55200, 40000));
        assert!(!reaches(55002, 40000));
        let rules = call("nft list ruleset");
        assert_eq!(
            rules.matches("comment \"wnm:antnode0001\"").count(),
            2,
            "{rules}"
        );
        assert_eq!(
            rules
                .matches("comment \"wnm:antnode0101-antnode0200\"")
                .count(),
            2,
            "{rules}"
        );

        // The port of another colony's node of the same name stays open.
        open(&nftables, &opening(44001, 44001, 1));
        for _ in 0..2 {
            close(&nftables, &one);
            close(&nftables, &range);
        }
        assert!(!reaches(55001, 40000));
        assert!(reaches(44001, 40000));
        close(&nftables, &opening(44001, 44001, 1));
        assert_eq!(call("nft -s list ruleset"), before);
    });
}

#[test]
fn iptables_can_still_read_its_rules() {
    in_private_network(&["nft", "iptables"], || {
        call("iptables -P INPUT DROP");
        if !call("iptables --version").contains("nf_tables") {
            return;
        }
        let nftables = firewall(FirewallChoice::Nftables);
        open(&nftables, &node(1));
        let rules = call("iptables -S INPUT");
        assert!(
            rules.contains("--dport 55001") && rules.contains("-j ACCEPT"),
            "{rules}"
        );
        close(&nftables, &node(1));
        assert_eq!(call("iptables -S INPUT"), "-P INPUT DROP\n");
    });
}

#[test]
fn nftables_has_one_rule_for_many_nodes_and_splits_it() {
    in_private_network(&["nft"], || {
        let foreign = "udp dport 55010-55011 accept comment \"mine\"";
        chain(
            "inet",
            "filter",
            "drop",
            &["udp dport 40000 accept", foreign],
        );
        let before = call("nft -s list ruleset");
        let nftables = firewall(FirewallChoice::Nftables);
        let comments = || {
            let rules = call("nft list ruleset");
            let ours = rules.lines().filter_map(|line| line.split_once("\"wnm:"));
            let mut ours: Vec<String> = ours
                .map(|(_, name)| name.trim_end_matches('"').to_owned())
                .collect();
            ours.sort();
            ours
        };
        open(&nftables, &opening(55001, 55030, 1));
        open(&nftables, &node(30));
        assert_eq!(comments(), ["antnode0001-antnode0030"]);
        for _ in 0..2 {
            close(&nftables, &node(15));
            assert_eq!(
                comments(),
                ["antnode0001-antnode0014", "antnode0016-antnode0030"]
            );
        }
        assert!(!reaches(55015, 40000));
        assert!(reaches(55014, 40000) && reaches(55016, 40000));
        for id in [1, 30, 10] {
            close(&nftables, &node(id));
        }
        assert_eq!(
            comments(),
            [
                "antnode0002-antnode0009",
                "antnode0011-antnode0014",
                "antnode0016-antnode0029"
            ]
        );
        // Somebody else opened this one.
        assert!(reaches(55010, 40000));
        for id in 1..=30 {
            close(&nftables, &node(id));
        }
        assert_eq!(call("nft -s list ruleset"), before);
    });
}
