use wnm_core::decide::{Doing, Reason};

/// Why no more was done, for a line that is written every minute: what people wait for first (adding, then
/// starting), one phrase for all that one reason holds back, and nothing that is so in every quiet cycle. When
/// there is nothing else, what there is.
pub fn held_back(reasons: &[Reason]) -> Vec<String> {
    let news: Vec<&Reason> = reasons.iter().filter(|reason| is_news(reason)).collect();
    let mut told: Vec<&Reason> = if news.is_empty() {
        reasons.iter().collect()
    } else {
        news
    };
    told.sort_by_key(|reason| rank(reason));

    let mut phrases: Vec<(Vec<String>, String)> = Vec::new();
    for reason in told {
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
    let as_ever = matches!(
        **because,
        Reason::NoCandidate
            | Reason::UpgradesOff
            | Reason::UpToDate { .. }
            | Reason::GoesFirst { .. }
    );
    // That the load gives no cause to stop a node is no news either.
    let no_pressure = *doing == Doing::Stopping && matches!(**because, Reason::Measured(_));
    !as_ever && !no_pressure
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
    fn what_one_reason_holds_back_is_told_at_once_and_adding_first() {
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
    fn a_quiet_cycle_says_why_no_node_is_added_and_nothing_else() {
        let reasons = [
            not(Doing::Stopping, cpu(10.0, Relation::AtMost, 70.0)),
            not(Doing::Upgrading, Reason::UpgradesOff),
            not(Doing::Starting, Reason::NoCandidate),
            not(Doing::Adding, Reason::AtCap { nodes: 8, cap: 8 }),
        ];
        assert_eq!(held_back(&reasons), ["not adding: 8 nodes ≥ cap 8"]);
    }

    #[test]
    fn what_is_told_alone_is_told() {
        let reasons = [not(Doing::Stopping, Reason::NoCandidate)];
        assert_eq!(held_back(&reasons), ["not stopping: no node for it"]);
        assert_eq!(held_back(&[]), [] as [&str; 0]);
    }
}
