//! The forms of an event outside the program: words for people, and JSON for what is typed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, EventId, EventKind, EventReason, Outcome};
use crate::id::NodeId;
use crate::quantity::UnixTime;

/// Version of the JSON form of an event's detail; raised when a reader of the old form would be misled.
pub const EVENT_FORMAT: u32 = 1;

/// What is typed of an event. The words alone say the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Detail {
    format: u32,
    kind: EventKind,
    /// `None` where the words are all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<EventReason>,
}

/// An event as a database stores it: words, and what is typed as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventWords {
    /// What happened, as [`EventKind::action`] says.
    pub action: String,
    /// Why, in words.
    pub reason: String,
    /// The JSON form of the kind and the reason. `None` where the words say all, and in rows of older versions.
    pub detail: Option<String>,
}

impl EventWords {
    /// The stored form of an event.
    pub fn of(event: &Event) -> Self {
        Self {
            action: event.kind.action().into_owned(),
            reason: event.reason.to_string(),
            // An event always has a JSON form: no map in it has keys that are not text.
            detail: detail(event).and_then(|detail| serde_json::to_string(&detail).ok()),
        }
    }

    /// The kind and the reason that are stored. Where the detail cannot be read, or says something else than the
    /// words, the words count.
    pub fn read(self) -> (EventKind, EventReason) {
        let detail = self
            .detail
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        read(&self.action, self.reason, detail)
    }
}

fn detail(event: &Event) -> Option<Detail> {
    let reason = match &event.reason {
        EventReason::Text { .. } => None,
        typed => Some(typed.clone()),
    };
    let said_by_word = EventKind::from_action(&event.kind.action()) == event.kind;
    (reason.is_some() || !said_by_word).then(|| Detail {
        format: EVENT_FORMAT,
        kind: event.kind.clone(),
        reason,
    })
}

fn read(action: &str, reason: String, detail: Option<Value>) -> (EventKind, EventReason) {
    let detail = detail
        .and_then(|value| serde_json::from_value::<Detail>(value).ok())
        .filter(|detail| detail.format == EVENT_FORMAT && detail.kind.action() == action);
    match detail {
        Some(Detail {
            kind,
            reason: Some(typed),
            ..
        }) if typed.to_string() == reason => (kind, typed),
        Some(Detail { kind, .. }) => (kind, EventReason::from(reason)),
        None => (EventKind::from_action(action), EventReason::from(reason)),
    }
}

/// The JSON form of an event.
#[derive(Serialize, Deserialize)]
pub(super) struct EventDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<EventId>,
    at: UnixTime,
    node: Option<NodeId>,
    action: String,
    outcome: Outcome,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
}

impl From<Event> for EventDocument {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at,
            node: event.node,
            action: event.kind.action().into_owned(),
            outcome: event.outcome,
            reason: event.reason.to_string(),
            detail: detail(&event).and_then(|detail| serde_json::to_value(detail).ok()),
        }
    }
}

impl From<EventDocument> for Event {
    fn from(document: EventDocument) -> Self {
        let (kind, reason) = read(&document.action, document.reason, document.detail);
        Self {
            seq: document.seq,
            at: document.at,
            node: document.node,
            kind,
            outcome: document.outcome,
            reason,
        }
    }
}
