//! Snapshots and plans are stored and read by people and programs: what they look like, and that they read
//! back.

use super::{Plan, decide};
use crate::node::Actor;
use crate::snapshot::Snapshot;
use crate::testing::{node, percent, snapshot, snapshot_of, stopped};

fn busy() -> Snapshot {
    let mut snapshot = snapshot_of([node(1), node(2), stopped(3, Actor::Operator)]);
    snapshot.load.memory = percent(78.25);
    snapshot
}

#[test]
fn a_plan_is_readable_json() {
    let mut plan = decide(&busy());
    plan.features.gauges.truncate(1);
    plan.held_back.truncate(1);
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap(), @r#"
    {
      "kind": "act",
      "steps": [
        {
          "node": 2,
          "act": "stop",
          "reason": {
            "why": "measured",
            "measure": "memory",
            "value": 78.25,
            "relation": "above",
            "threshold": 75.0,
            "unit": "percent"
          },
          "priority": 70,
          "by": "wnm"
        }
      ],
      "held_back": [
        {
          "why": "withheld",
          "doing": "upgrading",
          "because": {
            "why": "measured",
            "measure": "memory",
            "value": 78.25,
            "relation": "above",
            "threshold": 75.0,
            "unit": "percent"
          }
        }
      ],
      "warnings": [],
      "features": {
        "census": {
          "total": 3,
          "running": 2,
          "stopped": 1,
          "dead": 0,
          "unknown": 0,
          "disabled": 0,
          "starting": 0,
          "stopping": 0,
          "upgrading": 0,
          "removing": 0
        },
        "cap": 20,
        "gauges": [
          {
            "measure": "cpu",
            "value": 10.0,
            "add_below": 50.0,
            "remove_above": 70.0
          }
        ],
        "binary": "0.4.7",
        "newest": {
          "node": 1,
          "version": "0.4.7"
        },
        "outdated": 0,
        "expected_fill": 0.6666666666666667
      }
    }
    "#);
}

#[test]
fn plans_and_snapshots_read_back() {
    for snapshot in [snapshot(), busy()] {
        let json = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
        let plan = decide(&snapshot);
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }
}
