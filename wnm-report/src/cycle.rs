use wnm_core::decide::Act;
use wnm_core::event::Outcome;
use wnm_core::id::NodeId;

/// Most nodes that are named in one phrase of a line that is written every minute.
const MOST_NAMES: usize = 5;

/// Most reasons that are given in it.
const MOST_REASONS: usize = 2;

/// What a cycle came to.
#[derive(Debug, Clone, Copy)]
pub struct CycleSummary<'a> {
    /// The status word, as `idle`.
    pub status: &'a str,
    /// Nodes that run after it.
    pub running: u32,
    /// Nodes there are.
    pub total: u32,
    /// Nodes that are on their way somewhere: started but not yet seen running, being stopped, …
    pub under_way: u32,
    /// Nodes there may be.
    pub cap: u32,
    /// What was done, in order.
    pub steps: &'a [(Act, NodeId, Outcome)],
    /// Why no more was done.
    pub held_back: &'a [String],
}

/// One line without a newline: `idle: 8 of 8 nodes running (cap 20); not adding: …` or
/// `started antnode0003 (8 of 9 nodes running, cap 20)`.
pub fn cycle_summary(summary: &CycleSummary<'_>) -> String {
    let CycleSummary {
        status,
        running,
        total,
        under_way,
        cap,
        ..
    } = summary;
    let under_way = match under_way {
        0 => String::new(),
        n => format!(", {n} under way"),
    };
    let count = format!("{running} of {total} nodes running{under_way}");
    if !summary.steps.is_empty() {
        let done = phrases(summary.steps).join("; ");
        return format!("{done} ({count}, cap {cap})");
    }
    let mut line = format!("{status}: {count} (cap {cap})");
    for reason in summary.held_back.iter().take(MOST_REASONS) {
        line.push_str("; ");
        line.push_str(reason);
    }
    line
}

/// A phrase for every kind of act and outcome, in the order they first came; its nodes by number, since
/// several at once end in any order.
fn phrases(steps: &[(Act, NodeId, Outcome)]) -> Vec<String> {
    let mut groups: Vec<((&str, Outcome), Vec<NodeId>)> = Vec::new();
    for (act, id, outcome) in steps {
        let kind = (act.word(), *outcome);
        match groups.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, ids)) => ids.push(*id),
            None => groups.push((kind, vec![*id])),
        }
    }
    groups
        .iter_mut()
        .map(|((word, outcome), ids)| {
            ids.sort_unstable();
            phrase(word, *outcome, ids)
        })
        .collect()
}

fn phrase(word: &str, outcome: Outcome, ids: &[NodeId]) -> String {
    let names = names(ids);
    match outcome {
        Outcome::Done | Outcome::Seen => format!("{} {names}", past(word)),
        Outcome::Failed => format!("failed to {word} {names}"),
        Outcome::Open => format!("{word} of {names} still open"),
    }
}

/// A line for each thing that went wrong, which can be the same with many nodes: `add antnode0003: no space left`.
pub fn cycle_failures(failures: &[(Act, NodeId, &str)]) -> Vec<String> {
    let mut groups: Vec<((&str, &str), Vec<NodeId>)> = Vec::new();
    for (act, id, error) in failures {
        let kind = (act.word(), *error);
        match groups.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, ids)) => ids.push(*id),
            None => groups.push((kind, vec![*id])),
        }
    }
    groups
        .into_iter()
        .map(|((word, error), mut ids)| {
            ids.sort_unstable();
            format!("{word} {}: {error}", names(&ids))
        })
        .collect()
}

fn names(ids: &[NodeId]) -> String {
    let named = ids.iter().take(MOST_NAMES);
    let mut names: Vec<String> = named.map(|id| id.directory_name()).collect();
    if let Some(more @ 1..) = ids.len().checked_sub(MOST_NAMES) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// What was done, from the word for doing it.
fn past(word: &str) -> String {
    match word {
        "stop" => "stopped".to_owned(),
        "forget" => "forgot".to_owned(),
        _ if word.ends_with('e') => format!("{word}d"),
        _ => format!("{word}ed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(steps: &[(Act, u32, Outcome)], held_back: &[&str]) -> String {
        let steps: Vec<_> = steps
            .iter()
            .map(|&(act, id, outcome)| (act, NodeId::new(id).unwrap(), outcome))
            .collect();
        let held_back: Vec<String> = held_back.iter().map(|&text| text.to_owned()).collect();
        cycle_summary(&CycleSummary {
            status: "idle",
            running: 8,
            total: 9,
            under_way: u32::from(!steps.is_empty()),
            cap: 20,
            steps: &steps,
            held_back: &held_back,
        })
    }

    #[test]
    fn an_idle_cycle_says_how_it_stands_and_why_no_more_is_done() {
        assert_eq!(summary(&[], &[]), "idle: 8 of 9 nodes running (cap 20)");
        assert_eq!(
            summary(&[], &["not adding: memory 63 % ≥ 60 %", "b", "c"]),
            "idle: 8 of 9 nodes running (cap 20); not adding: memory 63 % ≥ 60 %; b"
        );
    }

    #[test]
    fn what_went_wrong_with_many_nodes_is_said_once() {
        let failed = |act, id, error| (act, NodeId::new(id).unwrap(), error);
        let lone = failed(Act::Stop, 9, "it still runs");
        let many = (1..=7).map(|id| failed(Act::Add, id, "no space left"));
        let lines = cycle_failures(&[vec![lone], many.rev().collect()].concat());
        insta::assert_snapshot!(lines.join("\n"), @r"
        stop antnode0009: it still runs
        add antnode0001, antnode0002, antnode0003, antnode0004, antnode0005, 2 more: no space left
        ");
    }

    #[test]
    fn a_cycle_with_steps_says_what_came_of_them() {
        let start = Act::Start {
            upgrade_first: false,
        };
        let steps = [
            (Act::Remove, 7, Outcome::Done),
            (start, 5, Outcome::Done),
            (start, 4, Outcome::Failed),
            (start, 3, Outcome::Done),
            (Act::Stop, 6, Outcome::Open),
        ];
        insta::assert_snapshot!(summary(&steps, &["not adding"]), @"removed antnode0007; started antnode0003, antnode0005; failed to start antnode0004; stop of antnode0006 still open (8 of 9 nodes running, 1 under way, cap 20)");
        let many: Vec<_> = (1..=8).map(|id| (Act::Add, id, Outcome::Done)).collect();
        insta::assert_snapshot!(summary(&many, &[]), @"added antnode0001, antnode0002, antnode0003, antnode0004, antnode0005, 3 more (8 of 9 nodes running, 1 under way, cap 20)");
    }

    #[test]
    fn every_act_has_a_past() {
        let words = [
            "add", "start", "stop", "disable", "upgrade", "remove", "resume", "forget",
        ];
        assert_eq!(
            words.map(past).join(" "),
            "added started stopped disabled upgraded removed resumed forgot"
        );
    }
}
