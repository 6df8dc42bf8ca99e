use serde_json::{Value, json};

use super::super::testing::{Stage, done, opening};
use super::*;
use wnm_core::command::CommandOutput;

const OURS: &str = "wnm:antnode0001";

fn chain(family: &str, name: &str, policy: &str) -> Value {
    json!({"chain": {"family": family, "table": "filter", "name": name, "handle": 1,
        "type": "filter", "hook": "input", "prio": 0, "policy": policy}})
}

fn accept(handle: u64, port: u16, comment: &str) -> Value {
    json!({"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": handle, "comment": comment,
    "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": port}},
        {"accept": null},
    ]}})
}

fn listing(items: &[Value]) -> CommandOutput {
    done(&json!({ "nftables": items }).to_string())
}

/// Two chains that drop and one that does not, with these rules in the second.
fn stage(rules: Vec<Value>) -> Stage {
    Stage::with(&["nft"], move |words| match words {
        "nft -j list chains" => listing(&[
            chain("inet", "input", "drop"),
            chain("ip", "INPUT", "drop"),
            chain("ip6", "INPUT", "accept"),
        ]),
        "nft -j list chain ip filter INPUT" => listing(&rules),
        _ if words.starts_with("nft -j list chain ") => listing(&[]),
        _ => done(""),
    })
}

/// What was changed.
fn changes(stage: &Stage) -> String {
    let said = stage.said();
    let changes = said.lines().filter(|line| !line.contains(" list "));
    changes.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_chain_that_drops_gets_the_rule_once() {
    let stage = stage(vec![accept(4, 55002, "wnm:antnode0002")]);
    let nftables = Nftables::find(&stage.root).unwrap();
    nftables.open(&opening(55001, 55001, 1)).await.unwrap();
    nftables.open(&opening(55002, 55002, 2)).await.unwrap();
    nftables.open(&opening(55101, 55200, 101)).await.unwrap();
    insta::assert_snapshot!(changes(&stage), @r#"
    nft insert rule inet filter input udp dport 55001 accept comment "wnm:antnode0001" ; insert rule ip filter INPUT udp dport 55001 accept comment "wnm:antnode0001"
    nft insert rule inet filter input udp dport 55002 accept comment "wnm:antnode0002"
    nft insert rule inet filter input udp dport 55101-55200 accept comment "wnm:antnode0101-antnode0200" ; insert rule ip filter INPUT udp dport 55101-55200 accept comment "wnm:antnode0101-antnode0200"
    "#);
}

#[tokio::test]
async fn closing_deletes_our_rules_for_the_port_and_nothing_else() {
    let stage = stage(vec![
        accept(4, 55001, OURS),
        accept(5, 55001, "by hand"),
        accept(6, 55002, OURS),
        accept(7, 55001, OURS),
    ]);
    let nftables = Nftables::find(&stage.root).unwrap();
    nftables.close(&opening(55001, 55001, 1)).await.unwrap();
    insta::assert_snapshot!(changes(&stage), @"nft delete rule ip filter INPUT handle 4 ; delete rule ip filter INPUT handle 7");
}

#[tokio::test]
async fn what_is_left_of_a_range_comes_with_the_deletion_in_one_call() {
    let range = json!({"range": [55001, 55003]});
    let mut listed = accept(9, 1, "wnm:antnode0001-antnode0003");
    listed["rule"]["expr"][0]["match"]["right"] = range;
    let stage = stage(vec![listed]);
    let nftables = Nftables::find(&stage.root).unwrap();
    nftables.close(&opening(55002, 55002, 2)).await.unwrap();
    insta::assert_snapshot!(changes(&stage), @r#"nft insert rule ip filter INPUT udp dport 55001 accept comment "wnm:antnode0001" ; insert rule ip filter INPUT udp dport 55003 accept comment "wnm:antnode0003" ; delete rule ip filter INPUT handle 9"#);
}

#[tokio::test]
async fn a_machine_that_keeps_nothing_out_needs_no_rule() {
    let stage = Stage::with(&["nft"], |words| match words {
        "nft -j list chains" => listing(&[chain("inet", "input", "accept")]),
        _ => listing(&[]),
    });
    let nftables = Nftables::find(&stage.root).unwrap();
    assert!(!nftables.is_active().await.unwrap());
    nftables.open(&opening(55001, 55001, 1)).await.unwrap();
    assert_eq!(changes(&stage), "");
}

#[tokio::test]
async fn what_is_no_list_changes_nothing() {
    let stage = Stage::with(&["nft"], |_| done("{\"nftables\": [tru"));
    let nftables = Nftables::find(&stage.root).unwrap();
    let error = nftables.open(&opening(55001, 55001, 1)).await.unwrap_err();
    insta::assert_snapshot!(error, @"firewall: cannot read the rules that nft lists: EOF while parsing a value at line 1 column 17");
    assert_eq!(changes(&stage), "");
}
