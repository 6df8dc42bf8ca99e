use std::fmt::Display;

use crate::table::{Column, render};
use wnm_core::container::ContainerState;
use wnm_core::decide::{MachineAct, MachineStep, Plan, PlanKind, Reason, Step};
use wnm_core::machine::{Band, IoBands, IoRates};
use wnm_core::snapshot::Snapshot;

/// A plan as people read it: what would be done, what is held back, and the measures it was decided from.
pub fn plan(snapshot: &Snapshot, plan: &Plan) -> String {
    let step = |step: &Step| {
        let node = step.node.directory_name();
        [step.act.word().to_owned(), node, step.reason.to_string()]
    };
    let words = |reasons: &[Reason]| reasons.iter().map(ToString::to_string).collect();
    PlanWords {
        kind: plan.kind,
        machine_steps: plan.machine_steps.iter().map(machine_step).collect(),
        steps: plan.steps.iter().map(step).collect(),
        held_back: words(&plan.held_back),
        warnings: words(&plan.warnings),
    }
    .layout(snapshot)
}

/// Act, what it acts on, and reason.
fn machine_step(step: &MachineStep) -> [String; 3] {
    let act = match (&step.act, &step.reason) {
        (MachineAct::OpenPorts { .. }, _) => "open",
        (MachineAct::EnsureContainer { .. }, Reason::ContainerNeeded { state, .. })
            if *state == ContainerState::Missing =>
        {
            "create"
        }
        (MachineAct::EnsureContainer { .. }, _) => "start",
    };
    [
        act.to_owned(),
        step.act.to_string(),
        step.reason.to_string(),
    ]
}

/// A plan with everything in words, before it is laid out.
struct PlanWords {
    kind: PlanKind,
    /// Act, what it acts on, reason.
    machine_steps: Vec<[String; 3]>,
    /// Act, node, reason.
    steps: Vec<[String; 3]>,
    held_back: Vec<String>,
    warnings: Vec<String>,
}

impl PlanWords {
    fn layout(self, snapshot: &Snapshot) -> String {
        let mut text = self.headline();
        text.push('\n');
        let steps = self.machine_steps.into_iter().chain(self.steps);
        let steps: Vec<Vec<String>> = steps.map(Vec::from).collect();
        text.push_str(&render("  ", 3, &[Column::LEFT; 3], &steps));
        section(&mut text, "held back", self.held_back);
        section(&mut text, "warnings", self.warnings);
        text.push_str(&render("", 3, &[Column::LEFT; 4], &measures(snapshot)));
        text
    }

    /// `would create 1 container, start 1 node and add 1`, in the order of the steps.
    fn headline(&self) -> String {
        let counts = counts(&self.steps);
        let noun = |place: usize, count: usize| match (place, count) {
            (0, 1) => " node",
            (0, _) => " nodes",
            _ => "",
        };
        let machine = counts_of_machine(&self.machine_steps);
        let nodes = counts.iter().enumerate();
        let nodes =
            nodes.map(|(place, &(act, count))| format!("{act} {count}{}", noun(place, count)));
        let mut phrases: Vec<String> = machine.chain(nodes).collect();
        match (phrases.pop(), self.kind) {
            (Some(last), _) if phrases.is_empty() => format!("would {last}"),
            (Some(last), _) => format!("would {} and {last}", phrases.join(", ")),
            (None, PlanKind::NoNodes) => "nothing to do: there are no nodes".to_owned(),
            (None, PlanKind::Rebooted) => {
                "nothing to do yet: the machine came up anew, the nodes were looked at again"
                    .to_owned()
            }
            (None, PlanKind::Idle | PlanKind::Act) => "nothing to do".to_owned(),
        }
    }
}

/// How often each act comes, in the order they first come.
fn counts(steps: &[[String; 3]]) -> Vec<(&str, usize)> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for [act, ..] in steps {
        match counts.iter_mut().find(|(other, _)| other == act) {
            Some((_, count)) => *count += 1,
            None => counts.push((act, 1)),
        }
    }
    counts
}

fn counts_of_machine(steps: &[[String; 3]]) -> impl Iterator<Item = String> {
    counts(steps)
        .into_iter()
        .map(|(act, count)| match (act, count) {
            ("open", _) => "open ports".to_owned(),
            (act, 1) => format!("{act} 1 container"),
            (act, count) => format!("{act} {count} containers"),
        })
}

/// A title and a line per reason, or nothing.
fn section(text: &mut String, title: &str, reasons: Vec<String>) {
    if reasons.is_empty() {
        return;
    }
    text.push_str(title);
    text.push('\n');
    let rows: Vec<Vec<String>> = reasons.into_iter().map(|reason| vec![reason]).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use wnm_core::id::{ContainerId, NodeId};
    use wnm_core::quantity::ByteRate;

    fn step(act: &str, node: &str, reason: &str) -> [String; 3] {
        [act, node, reason].map(str::to_owned)
    }

    fn idle(kind: PlanKind) -> PlanWords {
        PlanWords {
            kind,
            machine_steps: vec![],
            steps: vec![],
            held_back: vec![],
            warnings: vec![],
        }
    }

    #[test]
    fn a_plan_reads_from_what_to_why_to_what_was_measured() {
        let words = PlanWords {
            kind: PlanKind::Act,
            machine_steps: vec![],
            steps: vec![
                step("start", "antnode0003", "it stopped by itself"),
                step(
                    "add",
                    "antnode0009",
                    "all measures are below their add thresholds",
                ),
            ],
            held_back: vec!["not upgrading antnode0004: upgrades are off".to_owned()],
            warnings: vec!["nodes may come to need 120 % of the disk".to_owned()],
        };
        let text = words.layout(&fixture::snapshot());
        insta::assert_snapshot!(text, @"
        would start 1 node and add 1
          start   antnode0003   it stopped by itself
          add     antnode0009   all measures are below their add thresholds
        held back
          not upgrading antnode0004: upgrades are off
        warnings
          nodes may come to need 120 % of the disk
        measured      now      add below   remove above
        cpu           74.2 %   50 %        70 %
        memory        4.2 %    60 %        75 %
        disk          15.5 %   75 %        90 %
        load 1 min    2.35     2.4         4
        load 5 min    1.52     2.4         4
        load 15 min   0.68     2.4         4
        nodes         3        20          20
        ");
    }

    #[test]
    fn the_headline_counts_what_is_done() {
        let mut words = idle(PlanKind::Act);
        for act in ["remove", "remove", "start", "add", "start"] {
            words.steps.push(step(act, "antnode0001", ""));
        }
        assert_eq!(words.headline(), "would remove 2 nodes, start 2 and add 1");
        words.steps.truncate(1);
        assert_eq!(words.headline(), "would remove 1 node");
        assert_eq!(idle(PlanKind::Idle).headline(), "nothing to do");
        assert_eq!(
            idle(PlanKind::NoNodes).headline(),
            "nothing to do: there are no nodes"
        );
    }

    #[test]
    fn what_is_done_with_the_machine_comes_first() {
        let needed = |state| MachineStep {
            act: MachineAct::EnsureContainer {
                container: ContainerId(2),
            },
            reason: Reason::ContainerNeeded {
                state,
                nodes: 3,
                adding: 0,
            },
        };
        let open = MachineStep {
            act: MachineAct::OpenPorts {
                nodes: [1, 2].into_iter().filter_map(NodeId::new).collect(),
            },
            reason: Reason::PortsForgotten,
        };
        let steps = [
            open,
            needed(ContainerState::Missing),
            needed(ContainerState::Stopped),
        ];
        let mut words = idle(PlanKind::Act);
        words.machine_steps = steps.iter().map(machine_step).collect();
        words.steps = vec![step("start", "antnode0001", "its container a2 restarted")];
        let text = words.layout(&fixture::snapshot());
        let (steps, _) = text.split_once("measured").unwrap();
        insta::assert_snapshot!(steps.trim_end(), @"
        would open ports, create 1 container, start 1 container and start 1 node
          open     ports of nodes 1, 2   a reboot may have closed them
          create   container a2          it is missing, 3 nodes in it
          start    container a2          it is stopped, 3 nodes in it
          start    antnode0001           its container a2 restarted
        ");
    }

    #[test]
    fn traffic_is_listed_once_it_has_a_threshold() {
        let mut snapshot = fixture::snapshot();
        snapshot.machine.thresholds.net_io.read.remove_above = ByteRate(5_000_000);
        let text = idle(PlanKind::Idle).layout(&snapshot);
        assert!(
            text.contains("\nnet read      0 B/s    0 B/s       5000000 B/s\n"),
            "{text}"
        );
        assert!(!text.contains("disk read"), "{text}");
    }
}
