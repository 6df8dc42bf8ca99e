//! ufw.

use std::sync::Arc;

use tokio::task::JoinSet;
use wnm_core::firewall::Firewall;
use wnm_core::machine::FirewallChoice;
use wnm_tests::network::{call, in_private_network};

use crate::{close, firewall, node, now, open, opening};

/// The programs that ufw needs: itself, flock to call it one at a time, and iptables.
pub const UFW: [&str; 3] = ["ufw", "flock", "iptables"];

/// The rules of ufw for IPv4 as `port comment`, sorted; those for IPv6 must be the same.
pub fn ufw_rules() -> Vec<String> {
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

/// All rules that were added, ours and others, as the commands that add them.
fn added() -> Vec<String> {
    let rules = call("ufw show added");
    rules
        .lines()
        .filter_map(|line| Some(line.strip_prefix("ufw ")?.to_owned()))
        .collect()
}

#[test]
fn ufw_keeps_the_rules_of_concurrent_calls() {
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let ufw = firewall(FirewallChoice::Ufw);
        now(async {
            let mut calls = JoinSet::new();
            for id in 1..=6 {
                let ufw = Arc::clone(&ufw);
                let ports = node(id);
                calls.spawn(async move { ufw.open(&ports).await });
            }
            while let Some(opened) = calls.join_next().await {
                opened.unwrap().unwrap();
            }
        });
        let all = [1, 2, 3, 4, 5, 6].map(|id| format!("5500{id}/udp antnode000{id}"));
        assert_eq!(ufw_rules(), all);

        // Opening twice changes nothing, and closing removes this rule and no other, however often.
        open(&ufw, &node(3));
        assert_eq!(ufw_rules(), all);
        for _ in 0..2 {
            close(&ufw, &node(3));
            assert_eq!(ufw_rules(), [&all[..2], &all[3..]].concat());
        }
    });
}

#[test]
fn ufw_has_one_rule_for_many_nodes_and_splits_it() {
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let ufw = firewall(FirewallChoice::Ufw);
        let all = opening(55001, 55030, 1);
        for _ in 0..2 {
            open(&ufw, &all);
            open(&ufw, &node(7));
            assert_eq!(ufw_rules(), ["55001:55030/udp antnode0001-antnode0030"]);
        }
        for _ in 0..2 {
            close(&ufw, &node(15));
            assert_eq!(
                ufw_rules(),
                [
                    "55001:55014/udp antnode0001-antnode0014",
                    "55016:55030/udp antnode0016-antnode0030"
                ]
            );
        }
        for end in [1, 14, 16, 30] {
            close(&ufw, &node(end));
        }
        assert_eq!(
            ufw_rules(),
            [
                "55002:55013/udp antnode0002-antnode0013",
                "55017:55029/udp antnode0017-antnode0029"
            ]
        );
        close(&ufw, &all);
        assert_eq!(ufw_rules(), [""; 0]);
    });
}

#[test]
fn ports_that_ufw_closes_concurrently_stay_closed() {
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let ufw = firewall(FirewallChoice::Ufw);
        open(&ufw, &opening(55001, 55009, 1));
        now(async {
            let mut calls = JoinSet::new();
            for id in [2, 3, 5, 7] {
                let ufw = Arc::clone(&ufw);
                calls.spawn(async move { ufw.close(&node(id)).await });
            }
            while let Some(closed) = calls.join_next().await {
                closed.unwrap().unwrap();
            }
        });
        assert_eq!(
            ufw_rules(),
            [
                "55001/udp antnode0001",
                "55004/udp antnode0004",
                "55006/udp antnode0006",
                "55008:55009/udp antnode0008-antnode0009"
            ]
        );
    });
}

/// ufw is not enabled here: it still adds and stores rules.
#[test]
fn foreign_rules_stay_and_an_interrupted_change_is_finished() {
    in_private_network(&UFW, || {
        let foreign = [
            "allow 22/tcp",
            "allow 55000:56000/udp",
            "deny 55003/udp comment 'a game'",
            "allow 55004",
            "allow 55005/udp",
            "allow 55001:55030/tcp comment 'antnode0001-antnode0030'",
        ];
        for rule in foreign {
            let rule = rule.replace("'a game'", "game").replace('\'', "");
            call(&format!("ufw {rule}"));
        }
        let foreign = added();
        // A killed run had split the rule halfway.
        call("ufw allow 55001:55030/udp comment antnode0001-antnode0030");
        call("ufw allow 55001:55014/udp comment antnode0001-antnode0014");
        let ufw = firewall(FirewallChoice::Ufw);
        close(&ufw, &node(15));
        close(&ufw, &node(2));
        for id in [1, 3, 5] {
            open(&ufw, &node(id));
        }
        let mut expected = foreign.clone();
        for rule in [
            "55001/udp comment 'antnode0001'",
            "55003:55014/udp comment 'antnode0003-antnode0014'",
            "55016:55030/udp comment 'antnode0016-antnode0030'",
        ] {
            expected.push(format!("allow {rule}"));
        }
        expected.sort();
        let mut rules = added();
        rules.sort();
        assert_eq!(rules, expected);

        for id in 1..=30 {
            close(&ufw, &node(id));
        }
        assert_eq!(added(), foreign);
    });
}
