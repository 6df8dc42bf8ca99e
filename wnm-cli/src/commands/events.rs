//! `wnm events`: the journal.

use clap::ArgMatches;
use wnm_colony::Colony;
use wnm_colony::store::EventQuery;
use wnm_core::id::{NodeId, NodeName};
use wnm_core::quantity::UnixTime;

use super::Context;
use super::access::close;
use crate::cli;
use crate::documents::{Events, to_json};
use crate::error::ProgramError;

/// Prints the newest events, oldest first.
pub async fn run(context: &Context, given: &ArgMatches) -> Result<(), ProgramError> {
    let now = context.environment.now();
    let query = EventQuery {
        since: given
            .get_one::<String>(cli::SINCE)
            .map(|span| since(span, now))
            .transpose()?,
        node: given
            .get_one::<String>(cli::NODE)
            .map(|name| node(name))
            .transpose()?,
        after: None,
        limit: match given.get_one::<String>(cli::LIMIT) {
            Some(number) => limit(number)?,
            None => cli::DEFAULT_LIMIT,
        },
    };
    let db = context.input.database()?;
    let colony = Colony::view(&db, context.environment.clone()).await?;
    let events = colony.events(&query).await;
    let events = close(colony, events).await?;
    if context.output.json {
        let document = Events {
            status: "events",
            events: &events,
        };
        context.output.text(&to_json(&document)?)?;
    } else if events.is_empty() {
        context.output.text("Nothing happened.")?;
    } else {
        context.output.text(&wnm_report::events(&events))?;
    }
    Ok(())
}

fn node(name: &str) -> Result<NodeId, ProgramError> {
    let NodeName(id) = name
        .parse()
        .map_err(|e| ProgramError::Usage(format!("--node: {e}")))?;
    Ok(id)
}

fn limit(number: &str) -> Result<u32, ProgramError> {
    let wrong = || ProgramError::Usage(format!("--limit '{number}': takes a whole number from 1"));
    number.parse().ok().filter(|&n| n > 0).ok_or_else(wrong)
}

/// The beginning of the last `span`: a number and s, m, h or d.
fn since(span: &str, now: UnixTime) -> Result<UnixTime, ProgramError> {
    let wrong = || {
        ProgramError::Usage(format!(
            "--since '{span}': takes a number and s, m, h or d, as 24h"
        ))
    };
    let unit = span.chars().last().ok_or_else(wrong)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = span[..span.len() - 1].parse().map_err(|_| wrong())?;
    Ok(UnixTime(now.0.saturating_sub(i64::from(number) * seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        let now = UnixTime(1_000_000);
        assert_eq!(since("90s", now).unwrap(), UnixTime(999_910));
        assert_eq!(since("2d", now).unwrap(), UnixTime(827_200));
        for wrong in ["", "h", "24", "-1h", "1.5h", "1 h", "9é"] {
            assert!(since(wrong, now).is_err(), "{wrong}");
        }
    }
}
