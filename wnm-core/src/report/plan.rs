use std::fmt::Display;

use super::table::{Column, render};
use crate::decide::{Plan, PlanKind, Reason};
use crate::machine::{Band, IoBands, IoRates};
use crate::observe::Snapshot;

/// A plan as people read it: what would be done, what is held back, and the measures it was decided from.
pub fn plan(snapshot: &Snapshot, plan: &Plan) -> String {
    let mut text = headline(plan);
    text.push('\n');
    let steps: Vec<Vec<String>> = plan
        .steps
        .iter()
        .map(|step| {
            vec![
                step.act.word().to_owned(),
                step.node.directory_name(),
                step.reason.to_string(),
            ]
        })
        .collect();
    text.push_str(&render("  ", 3, &[Column::LEFT; 3], &steps));
    reasons(&mut text, "held back", &plan.held_back);
    reasons(&mut text, "warnings", &plan.warnings);
    text.push_str(&render("", 3, &[Column::LEFT; 4], &measures(snapshot)));
    text
}

/// `would start 1 node and add 1`, in the order of the steps.
fn headline(plan: &Plan) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for step in &plan.steps {
        let word = step.act.word();
        match counts.iter_mut().find(|(other, _)| *other == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let mut phrases: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    if let (Some(first), Some((_, count))) = (phrases.first_mut(), counts.first()) {
        first.push_str(if *count == 1 { " node" } else { " nodes" });
    }
    match (phrases.pop(), plan.kind) {
        (Some(last), _) if phrases.is_empty() => format!("would {last}"),
        (Some(last), _) => format!("would {} and {last}", phrases.join(", ")),
        (None, PlanKind::NoNodes) => "nothing to do: there are no nodes".to_owned(),
        (None, PlanKind::Rebooted) => {
            "nothing to do yet: the machine came up anew, the nodes were looked at again".to_owned()
        }
        (None, PlanKind::Idle | PlanKind::Act) => "nothing to do".to_owned(),
    }
}

fn reasons(text: &mut String, title: &str, reasons: &[Reason]) {
    if reasons.is_empty() {
        return;
    }
    text.push_str(title);
    text.push('\n');
    let rows: Vec<Vec<String>> = reasons.iter().map(|r| vec![r.to_string()]).collect();
    text.push_str(&render("  ", 0, &[Column::LEFT], &rows));
}

/// What was measured and what it is held against. Traffic is listed only where somebody set a threshold.
fn measures(snapshot: &Snapshot) -> Vec<Vec<String>> {
    let limits = &snapshot.machine.thresholds;
    let load = &snapshot.load;
    let header = ["measured", "now", "add below", "remove above"];
    let mut rows = vec![
        header.map(str::to_owned).to_vec(),
        row("cpu", load.cpu, limits.cpu),
        row("memory", load.memory, limits.memory),
        row("disk", load.disk, limits.disk),
        row("load 1 min", load.load.one, limits.load),
        row("load 5 min", load.load.five, limits.load),
        row("load 15 min", load.load.fifteen, limits.load),
    ];
    traffic(
        &mut rows,
        ["disk read", "disk write"],
        load.disk_io,
        limits.disk_io,
    );
    traffic(
        &mut rows,
        ["net read", "net write"],
        load.net_io,
        limits.net_io,
    );
    let kept = snapshot.nodes.iter().filter(|node| node.is_kept()).count();
    let cap = Band {
        add_below: snapshot.machine.node_cap as usize,
        remove_above: snapshot.machine.node_cap as usize,
    };
    rows.push(row("nodes", kept, cap));
    rows
}

fn traffic(rows: &mut Vec<Vec<String>>, names: [&str; 2], rates: IoRates, bands: IoBands) {
    if bands.is_on() {
        rows.push(row(names[0], rates.read, bands.read));
        rows.push(row(names[1], rates.write, bands.write));
    }
}

fn row<T: Display>(name: &str, now: T, band: Band<T>) -> Vec<String> {
    vec![
        name.to_owned(),
        now.to_string(),
        band.add_below.to_string(),
        band.remove_above.to_string(),
    ]
}
