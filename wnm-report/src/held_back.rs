//! Summarises why a cycle did not do more.

use wnm_core::decide::{Doing, Reason};

/// Why a cycle did not do more, as phrases for a line that appears every minute.
///
/// Joins all acts that one reason holds back into one phrase, and puts adding first, then starting.
/// Leaves out reasons that apply in every quiet cycle, unless there are no others.
pub fn held_back(reasons: &[Reason]) -> Vec<String> {
    let news: Vec<&Reason> = reasons.iter().filter(|reason| is_news(reason)).collect();
    let mut reported: Vec<&Reason> = if news.is_empty() {
        reasons.iter().collect()
    } else {
        news
    };
    reported.sort_by_key(|reason| rank(reason));

    let mut phrases: Vec<(Vec<String>, String)> = Vec::new();
    for reason in reported {
        let (doing, because) = match reason {
            Reason::Withheld { doing, because } => (vec![doing.to_string()], because.to_string()),
            other => (Vec::new(), other.to_string()),
        };
        match phrases.iter_mut().find(|(_, other)| *other == because) {
            Some((all, _)) => all.extend(doing),
            None => phrases.push((doing, because)),
        }
    }
    phrases
        .into_iter()
        .map(|(doing, because)| phrase(&doing, &because))
        .collect()
}

fn phrase(doing: &[String], because: &str) -> String {
    match doing {
        [] => because.to_owned(),
        [only] => format!("not {only}: {because}"),
        [first @ .., last] => format!("not {} or {last}: {because}", first.join(", ")),
    }
}

fn is_news(reason: &Reason) -> bool {
    let Reason::Withheld { doing, because } = reason else {
        return true;
    };
    let routine = matches!(
        **because,
        Reason::NoCandidate
            | Reason::UpgradesOff
            | Reason::UpToDate { .. }
            | Reason::GoesFirst { .. }
    );
    // A load below the limits is routine too.
    let no_pressure = *doing == Doing::Stopping && matches!(**because, Reason::Measured(_));
    !routine && !no_pressure
}

fn rank(reason: &Reason) -> u8 {
    match reason {
        Reason::Withheld {
            doing: Doing::Adding,
            ..
        } => 1,
        Reason::Withheld {
            doing: Doing::Starting,
            ..
        } => 2,
        Reason::Withheld {
            doing: Doing::Upgrading,
            ..
        } => 3,
        Reason::Withheld { .. } => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::decide::{Figure, Measure, Relation};

    fn not(doing: Doing, because: Reason) -> Reason {
        Reason::Withheld {
            doing,
            because: Box::new(because),
        }
    }

    fn cpu(value: f64, relation: Relation, threshold: f64) -> Reason {
        Reason::Measured(Figure::new(Measure::Cpu, value, relation, threshold))
    }

    #[test]
    fn acts_with_one_reason_share_a_phrase_that_begins_with_adding() {
        let busy = || cpu(92.3, Relation::Above, 70.0);
        let reasons = [
            not(Doing::Stopping, Reason::NoCandidate),
            not(Doing::Upgrading, busy()),
            not(Doing::Starting, busy()),
            not(Doing::Adding, busy()),
        ];
        assert_eq!(
            held_back(&reasons),
            ["not adding, starting or upgrading: cpu 92.3 % > 70 %"]
        );
    }

    #[test]
    fn a_quiet_cycle_only_says_why_no_node_is_added() {
        let reasons = [
            not(Doing::Stopping, cpu(10.0, Relation::AtMost, 70.0)),
            not(Doing::Upgrading, Reason::UpgradesOff),
            not(Doing::Starting, Reason::NoCandidate),
            not(Doing::Adding, Reason::AtCap { nodes: 8, cap: 8 }),
        ];
        assert_eq!(held_back(&reasons), ["not adding: 8 nodes ≥ cap 8"]);
    }

    #[test]
    fn a_routine_reason_appears_if_it_is_the_only_one() {
        let reasons = [not(Doing::Stopping, Reason::NoCandidate)];
        assert_eq!(held_back(&reasons), ["not stopping: no node for it"]);
        assert_eq!(held_back(&[]), [] as [&str; 0]);
    }
}
