//! Ports of nodes in the real ufw and the real nftables, each in a network of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::task::JoinSet;
use wnm_core::firewall::{Firewall, FirewallChoice, Opening, SystemFirewall};
use wnm_core::manager::{Mode, SystemRunner};
use wnm_core::ports::Port;
use wnm_tests::binaries;
use wnm_tests::colony::{Colony, EAGER};
use wnm_tests::network::{call, in_private_network};
use wnm_tests::wait::LONG;

/// What ufw is called with: the program itself, flock to call it one at a time, iptables that it calls.
const UFW: [&str; 3] = ["ufw", "flock", "iptables"];

fn firewall(choice: FirewallChoice) -> Arc<SystemFirewall> {
    Arc::new(SystemFirewall::new(
        choice,
        Mode::Sudo,
        Arc::new(SystemRunner),
    ))
}

fn opening(first: u16, last: u16, comment: &str) -> Opening {
    Opening {
        first: Port::new(first).unwrap(),
        last: Port::new(last).unwrap(),
        comment: comment.to_owned(),
    }
}

/// On this thread, whose network the commands are to see.
fn now<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn open(firewall: &SystemFirewall, ports: &Opening) {
    now(firewall.open(ports)).unwrap();
}

fn close(firewall: &SystemFirewall, ports: &Opening) {
    now(firewall.close(ports)).unwrap();
}

/// The rules of ufw for IPv4 as `port comment`, sorted; those for IPv6 must be the same.
fn ufw_rules() -> Vec<String> {
    let status = call("ufw status");
    let allowed = |v6: bool| {
        let lines = status.lines().filter(|line| line.contains(" ALLOW "));
        let lines = lines.filter(|line| line.contains("(v6)") == v6);
        let mut rules: Vec<String> = lines
            .map(|line| {
                let port = line.split_whitespace().next().unwrap();
                format!("{port} {}", line.split_once("# ").unwrap().1.trim())
            })
            .collect();
        rules.sort();
        rules
    };
    let rules = allowed(false);
    assert_eq!(rules, allowed(true));
    rules
}

#[test]
fn ufw_keeps_every_rule_of_calls_at_once() {
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let ufw = firewall(FirewallChoice::Ufw);
        now(async {
            let mut calls = JoinSet::new();
            for id in 1..=6 {
                let ufw = Arc::clone(&ufw);
                let ports = opening(55000 + id, 55000 + id, &format!("antnode{id:04}"));
                calls.spawn(async move { ufw.open(&ports).await });
            }
            while let Some(opened) = calls.join_next().await {
                opened.unwrap().unwrap();
            }
        });
        let all = [1, 2, 3, 4, 5, 6].map(|id| format!("5500{id}/udp antnode000{id}"));
        assert_eq!(ufw_rules(), all);

        // A second time is as good as once, and closing takes that one and no other, however often.
        open(&ufw, &opening(55003, 55003, "antnode0003"));
        assert_eq!(ufw_rules(), all);
        for _ in 0..2 {
            close(&ufw, &opening(55003, 55003, "antnode0003"));
            assert_eq!(ufw_rules(), [&all[..2], &all[3..]].concat());
        }
    });
}

#[test]
fn ufw_takes_a_range_as_one_rule() {
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let ufw = firewall(FirewallChoice::Ufw);
        let ports = opening(55001, 55200, "a1");
        open(&ufw, &ports);
        open(&ufw, &ports);
        assert_eq!(ufw_rules(), ["55001:55200/udp a1"]);
        close(&ufw, &ports);
        assert_eq!(ufw_rules(), [""; 0]);
    });
}

/// A chain that packets to this machine pass, with a policy and these rules.
fn chain(family: &str, table: &str, policy: &str, rules: &[&str]) {
    call(&format!("nft add table {family} {table}"));
    let hook = format!("{{ type filter hook input priority 0; policy {policy}; }}");
    call(&format!("nft add chain {family} {table} input {hook}"));
    for rule in rules {
        call(&format!("nft add rule {family} {table} input {rule}"));
    }
}

/// Whether a packet to this port comes through. One to `control`, which is open, is sent after it: once that
/// one is there, the first was dropped or is there as well.
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
fn packets_come_through_every_chain_that_drops_once_the_port_is_open() {
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
        let (one, range) = (
            opening(55001, 55001, "antnode0001"),
            opening(55101, 55200, "a1"),
        );
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
        assert_eq!(rules.matches("comment \"wnm:a1\"").count(), 2, "{rules}");

        // Another colony's node of the same name keeps its port.
        open(&nftables, &opening(44001, 44001, "antnode0001"));
        for _ in 0..2 {
            close(&nftables, &one);
            close(&nftables, &range);
        }
        assert!(!reaches(55001, 40000));
        assert!(reaches(44001, 40000));
        close(&nftables, &opening(44001, 44001, "antnode0001"));
        assert_eq!(call("nft -s list ruleset"), before);
    });
}

#[test]
fn rules_of_iptables_stay_readable_to_it() {
    in_private_network(&["nft", "iptables"], || {
        call("iptables -P INPUT DROP");
        if !call("iptables --version").contains("nf_tables") {
            return;
        }
        let nftables = firewall(FirewallChoice::Nftables);
        open(&nftables, &opening(55001, 55001, "antnode0001"));
        let rules = call("iptables -S INPUT");
        assert!(
            rules.contains("--dport 55001") && rules.contains("-j ACCEPT"),
            "{rules}"
        );
        close(&nftables, &opening(55001, 55001, "antnode0001"));
        assert_eq!(call("iptables -S INPUT"), "-P INPUT DROP\n");
    });
}

#[test]
fn auto_goes_by_what_is_active_at_the_moment() {
    in_private_network(&["nft", UFW[0], UFW[1], UFW[2]], || {
        let auto = firewall(FirewallChoice::Auto);
        let ports = opening(55001, 55001, "antnode0001");
        open(&auto, &ports);
        assert_eq!(call("nft list ruleset"), "", "nothing keeps anything out");

        chain("inet", "filter", "drop", &[]);
        open(&auto, &ports);
        assert!(call("nft list ruleset").contains("wnm:antnode0001"));
        close(&auto, &ports);
        assert!(!call("nft list ruleset").contains("wnm:antnode0001"));

        call("ufw --force enable");
        open(&auto, &ports);
        assert_eq!(ufw_rules(), ["55001/udp antnode0001"]);
        assert!(!call("nft list chain inet filter input").contains("wnm:"));
        close(&auto, &ports);
        assert_eq!(ufw_rules(), [""; 0]);
    });
}

#[test]
fn a_port_is_open_for_as_long_as_its_node_exists() {
    // Built out here: a build may need the network that is not in there.
    binaries::wnm();
    binaries::simulated_node();
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let colony = Colony::new();
        let program = colony.program("0.4.16");
        let options = EAGER.iter().chain(&["--node-cap=8", "--firewall=auto"]);
        colony.init("setsid+user", &program, options);
        let rule = |id: u16| format!("{}/udp antnode{id:04}", colony.ports.node_port(id));

        colony
            .wnm(["--force-action=add", "--count=2"])
            .run()
            .succeeded();
        assert_eq!(ufw_rules(), [rule(1), rule(2)]);
        colony
            .wnm(["--force-action=stop", "--service-name=antnode0001"])
            .run()
            .succeeded();
        assert_eq!(ufw_rules(), [rule(1), rule(2)]);
        // Rules that were lost, as those of nftables are with a reboot, come back with the node.
        call(&format!(
            "ufw delete allow {}/udp",
            colony.ports.node_port(1)
        ));
        colony
            .wnm(["--force-action=start", "--service-name=antnode0001"])
            .run()
            .succeeded();
        assert_eq!(ufw_rules(), [rule(1), rule(2)]);
        colony
            .wnm(["--force-action=remove", "--service-name=antnode0001"])
            .run()
            .succeeded();
        assert_eq!(ufw_rules(), [rule(2)]);
        colony
            .wnm(["--force-action=teardown", "--confirm"])
            .run()
            .succeeded();
        assert_eq!(ufw_rules(), [""; 0]);
        colony.assert_nothing_left();
    });
}
