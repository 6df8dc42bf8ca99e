//! What `nft -j` lists, as far as it matters here (libnftables-json(5)).

use serde::Deserialize;
use serde_json::{Value, json};

use super::OWNER;
use wnm_core::firewall::Opening;
use wnm_core::ports::{Port, PortRange};

/// Families whose input chains see UDP packets for this machine.
const FAMILIES: [&str; 3] = ["inet", "ip", "ip6"];

/// A chain that packets for this machine pass through.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Chain {
    family: String,
    table: String,
    name: String,
    hook: Option<String>,
    policy: Option<String>,
}

/// One of its rules.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Rule {
    /// What it is deleted by.
    pub handle: u64,
    comment: Option<String>,
    #[serde(default)]
    expr: Vec<Value>,
}

#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Item>,
}

/// One thing of a list: a chain, a rule, or something else.
#[derive(Deserialize)]
struct Item {
    chain: Option<Chain>,
    rule: Option<Rule>,
}

/// The input chains of a list of chains.
pub(super) fn input_chains(listed: &[u8]) -> Result<Vec<Chain>, serde_json::Error> {
    let chains = items(listed)?.into_iter().filter_map(|item| item.chain);
    Ok(chains
        .filter(|chain| chain.hook.as_deref() == Some("input"))
        .filter(|chain| FAMILIES.contains(&chain.family.as_str()))
        .collect())
}

/// The rules of a list of one chain.
pub(super) fn rules(listed: &[u8]) -> Result<Vec<Rule>, serde_json::Error> {
    Ok(items(listed)?
        .into_iter()
        .filter_map(|item| item.rule)
        .collect())
}

fn items(listed: &[u8]) -> Result<Vec<Item>, serde_json::Error> {
    serde_json::from_slice::<Listing>(listed).map(|listing| listing.nftables)
}

impl Chain {
    /// Family, table and name, as commands take them.
    pub fn words(&self) -> [&str; 3] {
        [&self.family, &self.table, &self.name]
    }

    /// Whether it keeps out what no rule of it accepts: by its policy or by a rule that takes all the rest.
    pub fn closes(&self, rules: &[Rule]) -> bool {
        self.policy.as_deref() == Some("drop") || rules.iter().any(Rule::takes_all)
    }
}

impl Rule {
    /// The ports that it has open, if it is ours: by its comment, and by saying nothing else. The comment alone
    /// is not enough, as people copy rules.
    pub fn ours(&self) -> Option<Opening> {
        let comment = self.comment.as_deref()?.strip_prefix(OWNER)?;
        let (verdict, conditions) = self.expr.split_last()?;
        verdict.get("accept")?;
        let of_udp = json!({"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "udp"});
        let port = json!({"payload": {"protocol": "udp", "field": "dport"}});
        let mut ports = None;
        for condition in conditions {
            let condition = condition.get("match")?;
            if *condition == of_udp {
                continue;
            }
            if ports.is_some() || condition["op"] != "==" || condition["left"] != port {
                return None;
            }
            ports = Some(range(&condition["right"])?);
        }
        Opening::listed(ports?, comment)
    }

    /// Whether it drops or rejects whatever comes to it.
    fn takes_all(&self) -> bool {
        let is = |part: &Value, keys: &[&str]| keys.iter().any(|key| part.get(key).is_some());
        self.expr.split_last().is_some_and(|(verdict, before)| {
            is(verdict, &["drop", "reject"])
                && before.iter().all(|part| is(part, &["counter", "log"]))
        })
    }
}

/// A port, or the first and the last of several.
fn range(right: &Value) -> Option<PortRange> {
    let port = |value: &Value| Port::try_from(value.as_i64()?).ok();
    match &right["range"] {
        Value::Null => port(right).map(PortRange::single),
        both => PortRange::new(port(&both[0])?, port(&both[1])?),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::opening;
    use super::*;

    fn rule(expr: Value) -> Rule {
        let listed = json!({"nftables": [{"metainfo": {"version": "1.0.6"}}, {"rule": {
            "family": "inet", "table": "filter", "chain": "input", "handle": 7,
            "comment": "wnm:antnode0001", "expr": expr,
        }}]});
        let [rule] = rules(listed.to_string().as_bytes())
            .unwrap()
            .try_into()
            .unwrap();
        rule
    }

    fn chain(policy: &str) -> Chain {
        let listed = json!({"nftables": [{"chain": {"family": "inet", "table": "filter",
            "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": policy}}]});
        input_chains(listed.to_string().as_bytes())
            .unwrap()
            .remove(0)
    }

    #[test]
    fn only_input_chains_that_can_see_the_packets_count() {
        let chain = |family: &str, hook: Value| json!({"chain": {"family": family, "table": "t", "name": "c", "handle": 1, "hook": hook}});
        let listed = json!({"nftables": [
            {"metainfo": {}},
            chain("inet", json!("input")),
            chain("ip6", json!("input")),
            chain("ip", json!("forward")),
            chain("bridge", json!("input")),
            chain("inet", Value::Null),
        ]});
        let chains = input_chains(listed.to_string().as_bytes()).unwrap();
        let families: Vec<_> = chains.iter().map(|chain| chain.words()[0]).collect();
        assert_eq!(families, ["inet", "ip6"]);
        assert!(input_chains(b"").is_err());
    }

    #[test]
    fn a_chain_closes_by_policy_or_by_a_rule_without_a_condition() {
        let counter = json!({"counter": {"packets": 0, "bytes": 0}});
        let condition =
            json!({"match": {"op": "==", "left": {"meta": {"key": "pkttype"}}, "right": "host"}});
        let limit = json!({"limit": {"rate": 5, "burst": 5, "per": "second"}});
        for (expr, closes) in [
            (json!([{"drop": null}]), true),
            (
                json!([counter, {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]),
                true,
            ),
            (
                json!([{"log": {"prefix": "x "}}, counter, {"drop": null}]),
                true,
            ),
            (json!([condition, {"drop": null}]), false),
            (json!([limit, {"drop": null}]), false),
            (json!([{"accept": null}]), false),
            (json!([]), false),
        ] {
            let rules = [rule(expr.clone())];
            assert_eq!(chain("accept").closes(&rules), closes, "{expr}");
            assert!(chain("drop").closes(&rules), "{expr}");
        }
        assert!(!chain("accept").closes(&[]));
    }

    /// A rule that accepts packets to these ports.
    fn accepting(op: &str, field: &str, right: Value, comment: &str) -> Rule {
        let left = json!({"payload": {"protocol": "udp", "field": field}});
        let mut rule = rule(json!([
            {"match": {"op": op, "left": left, "right": right}},
            {"accept": null},
        ]));
        rule.comment = Some(comment.to_owned());
        rule
    }

    #[test]
    fn a_rule_is_ours_by_its_comment_and_its_ports() {
        let range = json!({"range": [55001, 55003]});
        let name = "wnm:antnode0001-antnode0003";
        let one = accepting("==", "dport", json!(55001), "wnm:antnode0001");
        assert_eq!(one.ours(), Some(opening(55001, 55001, 1)));
        let three = accepting("==", "dport", range.clone(), name);
        assert_eq!(three.ours(), Some(opening(55001, 55003, 1)));
        for foreign in [
            accepting("==", "dport", json!(55001), "antnode0001"),
            accepting("==", "dport", json!(55001), "wnm:web"),
            accepting("==", "dport", json!(55001), name),
            accepting("==", "dport", range.clone(), "wnm:antnode0001"),
            accepting("==", "dport", json!({"set": [55001]}), "wnm:antnode0001"),
            accepting("==", "sport", json!(55001), "wnm:antnode0001"),
            accepting("!=", "dport", range, name),
        ] {
            assert_eq!(foreign.ours(), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_rule_that_says_more_or_something_else_is_not_ours() {
        let ours = accepting("==", "dport", json!(55001), "wnm:antnode0001");
        let changed = |change: &dyn Fn(&mut Vec<Value>)| {
            let mut rule = ours.clone();
            change(&mut rule.expr);
            rule.ours().is_some()
        };
        let protocol =
            json!({"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "udp"}});
        let sender = json!({"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "10.0.0.1"}});
        assert!(changed(&|expr| expr.insert(0, protocol.clone())));
        assert!(!changed(&|expr| expr.insert(0, sender.clone())));
        assert!(!changed(
            &|expr| expr.insert(0, json!({"limit": {"rate": 5}}))
        ));
        assert!(!changed(&|expr| expr[1] = json!({"drop": null})));
        assert!(!changed(&|expr| expr.clear()));
    }
}
