use jiff::Timestamp;

use crate::table::{Column, render};
use wnm_core::event::Event;
use wnm_core::quantity::UnixTime;

/// What stands for the node of an event that was about the machine as a whole.
const NO_NODE: &str = "-";

/// A line per event: time (UTC), node, action, outcome, reason.
pub fn events(events: &[Event]) -> String {
    if events.is_empty() {
        return "nothing has happened yet\n".to_owned();
    }
    let rows: Vec<Vec<String>> = events.iter().map(row).collect();
    render("", 2, &[Column::LEFT; 5], &rows)
}

fn row(event: &Event) -> Vec<String> {
    vec![
        utc(event.at),
        event
            .node
            .map_or_else(|| NO_NODE.to_owned(), |id| id.directory_name()),
        event.kind.action().into_owned(),
        event.outcome.as_str().to_owned(),
        event.reason.to_string(),
    ]
}

/// Date and time in UTC; the bare seconds where no calendar has that date.
fn utc(at: UnixTime) -> String {
    match Timestamp::from_second(at.0) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::event::{EventKind, Outcome};
    use wnm_core::id::NodeId;

    fn event(at: i64, node: Option<u32>, action: &str, outcome: Outcome, reason: &str) -> Event {
        let mut event = Event::new(
            UnixTime(at),
            EventKind::from_action(action),
            outcome,
            reason,
        );
        event.node = node.and_then(NodeId::new);
        event
    }

    #[test]
    fn a_journal_reads_in_columns() {
        let text = events(&[
            event(
                1_795_176_003,
                Some(3),
                "start",
                Outcome::Done,
                "it stopped by itself",
            ),
            event(
                1_795_176_063,
                None,
                "reboot",
                Outcome::Seen,
                "the machine came up anew",
            ),
            event(
                1_795_176_123,
                Some(12),
                "upgrade",
                Outcome::Failed,
                "0.4.7 < 0.4.16:\ndisk full",
            ),
        ]);
        insta::assert_snapshot!(text, @"
        2026-11-20 12:00:03  antnode0003  start    done    it stopped by itself
        2026-11-20 12:01:03  -            reboot   seen    the machine came up anew
        2026-11-20 12:02:03  antnode0012  upgrade  failed  0.4.7 < 0.4.16: disk full
        ");
        assert_eq!(events(&[]), "nothing has happened yet\n");
    }

    #[test]
    fn times_are_utc_and_none_is_too_far() {
        assert_eq!(utc(UnixTime(0)), "1970-01-01 00:00:00");
        assert_eq!(utc(UnixTime(-1)), "1969-12-31 23:59:59");
        assert_eq!(utc(UnixTime(951_782_400)), "2000-02-29 00:00:00");
        assert_eq!(utc(UnixTime(i64::MAX)), i64::MAX.to_string());
    }
}
