//! What `nft -j` lists, as far as it matters here (libnftables-json(5)).

use serde::Deserialize;
use serde_json::{Value, json};

use super::Opening;

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
    /// Whether it is ours for these ports. The comment alone is not enough: the nodes of two colonies on one
    /// machine have the same names.
    pub fn accepts(&self, ports: &Opening, comment: &str) -> bool {
        let (first, last) = (ports.first.get(), ports.last.get());
        let right = if first == last {
            json!(first)
        } else {
            json!({"range": [first, last]})
        };
        let matched = self.expr.iter().any(|part| {
            part["match"]["left"]["payload"] == json!({"protocol": "udp", "field": "dport"})
                && part["match"]["right"] == right
        });
        matched && self.comment.as_deref() == Some(comment)
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

    #[test]
    fn a_rule_is_ours_by_its_comment_and_its_ports() {
        let accepting = |field: &str, right: Value| {
            rule(json!([
                {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": field}}, "right": right}},
                {"accept": null},
            ]))
        };
        let one = accepting("dport", json!(55001));
        let range = accepting("dport", json!({"range": [55001, 55003]}));
        let is = |rule: &Rule, first, last, comment: &str| {
            rule.accepts(&opening(first, last, "antnode0001"), comment)
        };
        assert!(is(&one, 55001, 55001, "wnm:antnode0001"));
        assert!(is(&range, 55001, 55003, "wnm:antnode0001"));
        assert!(!is(&one, 55001, 55003, "wnm:antnode0001"));
        assert!(!is(&range, 55001, 55001, "wnm:antnode0001"));
        assert!(!is(&one, 55001, 55001, "antnode0001"));
        assert!(!is(
            &accepting("sport", json!(55001)),
            55001,
            55001,
            "wnm:antnode0001"
        ));
    }
}
