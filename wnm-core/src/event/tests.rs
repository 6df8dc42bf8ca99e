use super::*;
use crate::decide::{Act, Reason, Step};
use crate::doctor::Finding;
use crate::id::ContainerId;
use crate::machine::{Change, ConfigValue, Source};
use crate::node::{Actor, NodeChange, TransitionKind};
use crate::testing::{NOW, id, node};

fn crashed(error: Option<&str>) -> EventReason {
    EventReason::Step {
        reason: Reason::Crashed { failed_starts: 2 },
        error: error.map(str::to_owned),
    }
}

fn setting() -> EventKind {
    EventKind::Setting(Change {
        name: "node_cap".to_owned(),
        from: ConfigValue::Int(5),
        to: ConfigValue::Int(20),
        source: Source::CommandLine,
    })
}

fn resumed() -> EventKind {
    let step = Step {
        node: id(1),
        act: Act::Resume,
        reason: Reason::Asked,
        priority: 0,
        by: Actor::Operator,
    };
    let mut node = node(1);
    crate::testing::edit(&mut node, |n| {
        n.transition = Some(crate::node::Transition::begun(
            TransitionKind::Upgrading,
            NOW,
        ));
    });
    EventKind::of_step(&step, Some(&node))
}

/// An event of every kind.
fn samples() -> Vec<Event> {
    let start = |upgrade_first| EventKind::Step {
        act: Act::Start { upgrade_first },
        resumes: None,
    };
    let version = |text: &str| text.parse().unwrap();
    let changes = [
        NodeChange::CameUp,
        NodeChange::WentDown,
        NodeChange::Died,
        NodeChange::ChangedVersion {
            from: version("0.4.6"),
            to: version("0.4.7"),
        },
        NodeChange::ForeignListener { peer_id: None },
    ];
    let mut kinds: Vec<(EventKind, EventReason)> = vec![
        (start(true), crashed(Some("disk full"))),
        (start(false), crashed(None)),
        (resumed(), "asked for".into()),
        (setting(), "node_cap: 5 → 20 (command line)".into()),
        (
            EventKind::Repaired,
            EventReason::Finding {
                finding: Finding::ClockFree,
            },
        ),
        (
            EventKind::Container {
                container: Some(ContainerId(3)),
            },
            "container 3 is up".into(),
        ),
    ];
    for change in changes {
        let text = change.to_string();
        kinds.push((EventKind::NodeChange(change), text.into()));
    }
    let plain = [
        EventKind::Returned,
        EventKind::Containers,
        EventKind::Ports,
        EventKind::Prepared,
        EventKind::Rebooted,
        EventKind::Initialized,
        EventKind::Adopted,
        EventKind::TornDown,
        EventKind::Released,
        EventKind::Other {
            action: "teleported".to_owned(),
        },
    ];
    kinds.extend(plain.map(|kind| (kind, "it happened".into())));
    kinds
        .into_iter()
        .map(|(kind, reason)| Event::new(NOW, kind, Outcome::Done, reason).about(id(1)))
        .collect()
}

#[test]
fn every_event_reads_back_from_its_stored_form() {
    for event in samples() {
        let read = EventWords::of(&event).read();
        assert_eq!(read, (event.kind.clone(), event.reason.clone()));
    }
}

#[test]
fn every_event_reads_back_from_json() {
    for mut event in samples() {
        event.seq = Some(EventId(7));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}

#[test]
fn words_alone_say_what_happened() {
    for event in samples() {
        let words = EventWords {
            detail: None,
            ..EventWords::of(&event)
        };
        let action = words.action.clone();
        let (kind, reason) = words.read();
        assert_eq!(kind.action(), action);
        assert_eq!(reason.to_string(), event.reason.to_string());
    }
}

#[test]
fn the_words_count_where_the_detail_says_something_else() {
    let written = EventWords::of(&samples()[0]);
    let read = |action: &str, reason: &str, detail: &str| {
        EventWords {
            action: action.to_owned(),
            reason: reason.to_owned(),
            detail: Some(detail.to_owned()),
        }
        .read()
    };
    let detail = written.detail.clone().unwrap();
    let other = read("stop", &written.reason, &detail);
    assert_eq!(other.0.action(), "stop");
    let other = read("start", "for fun", &detail);
    assert_eq!(other.1, EventReason::from("for fun"));
    for unreadable in [
        "",
        "{}",
        "[]",
        r#"{"format":2,"kind":{"type":"rebooted"}}"#,
        r#"{"format":1,"kind":{"type":"teleported"}}"#,
    ] {
        let (kind, reason) = read("reboot", "why", unreadable);
        assert_eq!((kind, reason), (EventKind::Rebooted, "why".into()));
    }
}

#[test]
fn an_event_of_a_later_version_is_read_by_its_words() {
    let text = r#"{"seq":9,"at":5,"node":null,"action":"migrate","outcome":"done","reason":"asked for",
        "detail":{"format":1,"kind":{"type":"migrated","to":"elsewhere"}}}"#;
    let event: Event = serde_json::from_str(text).unwrap();
    assert_eq!(event.seq, Some(EventId(9)));
    assert_eq!(event.kind.action(), "migrate");
    assert_eq!(event.reason, "asked for".into());
}

#[test]
fn an_event_is_readable_json() {
    let mut event = samples().remove(0);
    event.seq = Some(EventId(7));
    insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap(), @r#"
    {
      "seq": 7,
      "at": 1780000000,
      "node": 1,
      "action": "start",
      "outcome": "done",
      "reason": "wanted running, seen stopped (2 starts did not last): disk full",
      "detail": {
        "format": 1,
        "kind": {
          "act": {
            "start": {
              "upgrade_first": true
            }
          },
          "resumes": null,
          "type": "step"
        },
        "reason": {
          "error": "disk full",
          "reason": {
            "failed_starts": 2,
            "why": "crashed"
          },
          "type": "step"
        }
      }
    }
    "#);
}
