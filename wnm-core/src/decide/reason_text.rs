//! What people read of a [`Reason`].

use std::fmt;

use super::Figure;
use super::reason::Reason;
use crate::node::Actor;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Asked => f.write_str("asked for"),
            Reason::Measured(figure) => figure.fmt(f),
            Reason::OverCap { nodes, cap } => write!(f, "{nodes} nodes > cap {cap}"),
            Reason::Crashed { failed_starts: 0 } => f.write_str("wanted running, seen stopped"),
            Reason::Crashed { failed_starts } => write!(
                f,
                "wanted running, seen stopped ({} did not last)",
                counted(*failed_starts, "start")
            ),
            Reason::LoadEased {
                stopped_for,
                nearest,
            } => {
                write!(f, "stopped for load {stopped_for} ago")?;
                below(f, nearest)
            }
            Reason::FoundStopped { nearest } => {
                f.write_str("found stopped")?;
                below(f, nearest)
            }
            Reason::Room {
                nodes,
                cap,
                nearest,
            } => {
                write!(f, "{nodes} of at most {}", counted(*cap, "node"))?;
                below(f, nearest)
            }
            Reason::DirectoryGone => f.write_str("its directory is gone"),
            Reason::Outdated { version, binary } => write!(f, "version {version} < {binary}"),
            Reason::Interrupted { doing } => write!(f, "{doing} was interrupted"),
            Reason::RemovalOver { ago } => write!(f, "removed {ago} ago"),
            Reason::RunsUnwanted { by, ago } => {
                write!(f, "stopped by {} {ago} ago, but runs", who(*by))
            }
            Reason::NotGone { ago } => write!(f, "removed {ago} ago, still there"),
            Reason::ContainerRestarted { id } => write!(f, "its container {id} restarted"),
            Reason::ContainerNeeded {
                state,
                nodes,
                adding,
            } => {
                write!(f, "it is {state}")?;
                match (nodes, adding) {
                    (0, 0) => f.write_str(", and should always run"),
                    (0, adding) => write!(f, ", {} to be added", counted(*adding, "node")),
                    (nodes, _) => write!(f, ", {} in it", counted(*nodes, "node")),
                }
            }
            Reason::PortsForgotten => f.write_str("a reboot may have closed them"),
            Reason::ContainerUnknown { id, said } => write!(f, "container {id} {said}"),

            Reason::Withheld { doing, because } => write!(f, "not {doing}: {because}"),
            Reason::SupervisorSilent { said } => {
                write!(f, "the supervisor does not answer: {said}")
            }
            Reason::Rebooted => f.write_str("the machine came up anew, this cycle only looks"),
            Reason::Limit {
                of,
                under_way,
                limit,
            } => write!(f, "{under_way} of at most {limit} {of} under way"),
            Reason::UnderWay { of, count } => write!(f, "{of} under way: {count}"),
            Reason::AtCap { nodes, cap } => write!(f, "{} ≥ cap {cap}", counted(*nodes, "node")),
            Reason::RunningAtCap { running, cap } => write!(f, "{running} running ≥ cap {cap}"),
            Reason::StoppedRecently { ago, delay } => {
                write!(f, "one was stopped {ago} ago, which is given {delay}")
            }
            Reason::BackingOff { nodes, next_in } => match nodes.ids().len() {
                1 => write!(f, "1 node waits, for another {next_in}"),
                n => write!(f, "{n} nodes wait, the first for another {next_in}"),
            },
            Reason::StoppedByPerson { nodes } => {
                let verb = if nodes.ids().len() == 1 {
                    "was"
                } else {
                    "were"
                };
                write!(f, "{nodes} {verb} stopped by a person")
            }
            Reason::Unseen { nodes } => write!(f, "{nodes}: the supervisor did not say"),
            Reason::NoCandidate => f.write_str("no node for it"),
            Reason::GoesFirst { doing } => write!(f, "{doing} goes first"),
            Reason::UpgradesOff => f.write_str("nodes upgrade themselves"),
            Reason::UpToDate { binary } => write!(f, "no running node is older than {binary}"),
            Reason::NoBinary { said } => write!(f, "no node program: {said}"),
            Reason::BinaryOlder {
                binary,
                node,
                version,
            } => write!(
                f,
                "node program {binary} is older than node {node} ({version})"
            ),
            Reason::BlockedId { id, said } => write!(f, "number {id} cannot be given: {said}"),
            Reason::NoPort { said } => f.write_str(said),
            Reason::AlreadySo { nodes } => write!(f, "{nodes}: already so"),
            Reason::NotRunning { nodes } => write!(f, "{nodes}: not running"),
            Reason::Fewer { asked, found } => write!(f, "{asked} asked for, {found} there"),
        }
    }
}

fn below(f: &mut fmt::Formatter<'_>, nearest: &Option<Figure>) -> fmt::Result {
    match nearest {
        Some(figure) => write!(f, ", {figure}"),
        None => Ok(()),
    }
}

fn counted(count: u32, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

const fn who(actor: Actor) -> &'static str {
    match actor {
        Actor::Wnm => "wnm",
        Actor::Operator => "a person",
        Actor::Found => "nobody",
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use crate::container::ContainerState;
    use crate::decide::{Doing, Figure, Limited, Measure, NodeList, Reason, Relation};
    use crate::id::{ContainerId, NodeId};
    use crate::node::{Actor, TransitionKind};
    use crate::quantity::Seconds;

    fn nodes(numbers: impl IntoIterator<Item = u32>) -> NodeList {
        numbers.into_iter().filter_map(NodeId::new).collect()
    }

    fn memory(relation: Relation) -> Figure {
        Figure::new(Measure::Memory, 63.0, relation, 60.0)
    }

    fn withheld(doing: Doing, because: Reason) -> Reason {
        Reason::Withheld {
            doing,
            because: Box::new(because),
        }
    }

    fn needed(nodes: u32, adding: u32) -> Reason {
        Reason::ContainerNeeded {
            state: ContainerState::Missing,
            nodes,
            adding,
        }
    }

    #[test]
    fn reasons_are_short_lines() {
        let nearest = Some(Figure::new(Measure::Memory, 41.0, Relation::Below, 60.0));
        let reasons = [
            Reason::Measured(memory(Relation::Above)),
            withheld(Doing::Adding, Reason::Measured(memory(Relation::AtLeast))),
            Reason::OverCap { nodes: 21, cap: 20 },
            Reason::Crashed { failed_starts: 0 },
            Reason::Crashed { failed_starts: 1 },
            Reason::LoadEased {
                stopped_for: Seconds(720),
                nearest,
            },
            Reason::Room {
                nodes: 3,
                cap: 20,
                nearest: None,
            },
            Reason::Outdated {
                version: Version::new(0, 4, 6),
                binary: Version::new(0, 4, 7),
            },
            Reason::Interrupted {
                doing: TransitionKind::Adding,
            },
            Reason::RunsUnwanted {
                by: Actor::Operator,
                ago: Seconds(7200),
            },
            withheld(
                Doing::Acting,
                Reason::Limit {
                    of: Limited::Operations,
                    under_way: 1,
                    limit: 1,
                },
            ),
            withheld(Doing::Adding, Reason::AtCap { nodes: 1, cap: 1 }),
            withheld(
                Doing::Adding,
                Reason::BackingOff {
                    nodes: nodes([4, 5]),
                    next_in: Seconds(400),
                },
            ),
            withheld(
                Doing::Starting,
                Reason::StoppedByPerson {
                    nodes: nodes([9, 1, 8, 2, 7, 3, 6]),
                },
            ),
            withheld(Doing::Acting, Reason::Unseen { nodes: nodes([4]) }),
            Reason::ContainerRestarted { id: ContainerId(2) },
            needed(0, 0),
            needed(0, 1),
            needed(12, 1),
            Reason::PortsForgotten,
            withheld(
                Doing::EnsuringContainer,
                Reason::ContainerUnknown {
                    id: ContainerId(1),
                    said: "is paused".to_owned(),
                },
            ),
        ];
        let lines: Vec<String> = reasons.iter().map(Reason::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        memory 63 % > 60 %
        not adding: memory 63 % ≥ 60 %
        21 nodes > cap 20
        wanted running, seen stopped
        wanted running, seen stopped (1 start did not last)
        stopped for load 12 min ago, memory 41 % < 60 %
        3 of at most 20 nodes
        version 0.4.6 < 0.4.7
        adding was interrupted
        stopped by a person 2 h ago, but runs
        not acting: 1 of at most 1 operations under way
        not adding: 1 node ≥ cap 1
        not adding: 2 nodes wait, the first for another 6 min
        not starting: nodes 1, 2, 3, 6, 7 and 2 more were stopped by a person
        not acting: node 4: the supervisor did not say
        its container a2 restarted
        it is missing, and should always run
        it is missing, 1 node to be added
        it is missing, 12 nodes in it
        a reboot may have closed them
        not ensuring a container: container a1 is paused
        ");
    }

    #[test]
    fn a_reason_is_readable_json_and_reads_back() {
        let reason = withheld(Doing::Adding, Reason::Measured(memory(Relation::AtLeast)));
        let json = serde_json::to_string_pretty(&reason).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "why": "withheld",
          "doing": "adding",
          "because": {
            "why": "measured",
            "measure": "memory",
            "value": 63.0,
            "relation": "at-least",
            "threshold": 60.0,
            "unit": "percent"
          }
        }
        "#);
        assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
    }
}
