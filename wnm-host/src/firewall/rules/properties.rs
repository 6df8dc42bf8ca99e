//! What must hold for whatever is opened and closed, and wherever a change ends.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::testing::{opening, ports};
use super::*;
use wnm_core::ports::Port;

/// The ports that the properties are about.
const PORTS: std::ops::RangeInclusive<u16> = 1..=25;

/// Opening or closing some ports, and after how many moves it is cut off, if it is.
#[derive(Debug, Clone)]
struct Act {
    opens: bool,
    ports: PortRange,
    cut_after: Option<usize>,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (
        any::<bool>(),
        PORTS,
        prop_oneof![Just(0), 0..12_u16],
        proptest::option::weighted(0.3, 0..4_usize),
    );
    let act = act.prop_map(|(opens, first, more, cut_after)| Act {
        opens,
        ports: ports(first, (first + more).min(*PORTS.end())),
        cut_after,
    });
    proptest::collection::vec(act, 1..25)
}

/// The ports that rules have open.
fn open_ports(rules: &[Opening]) -> BTreeSet<u16> {
    let is_open = |number: &u16| rules.iter().any(|rule| has(rule.ports(), *number));
    PORTS.filter(is_open).collect()
}

fn has(ports: PortRange, number: u16) -> bool {
    ports.contains(Port::new(number).unwrap())
}

/// The rules after each move of a change, as far as it gets. Like ufw, it has no rule twice.
fn moves(rules: &[Opening], change: &Change, cut_after: Option<usize>) -> Vec<Vec<Opening>> {
    let mut rules = rules.to_vec();
    let mut after = vec![rules.clone()];
    for added in &change.add {
        if !rules.contains(added) {
            rules.push(*added);
        }
        after.push(rules.clone());
    }
    for deleted in &change.delete {
        rules.retain(|rule| rule != deleted);
        after.push(rules.clone());
    }
    after.truncate(cut_after.map_or(usize::MAX, |moves| moves + 1));
    after
}

fn change(rules: &[Opening], act: &Act) -> Change {
    if act.opens {
        let (first, last) = (act.ports.first().get(), act.ports.last().get());
        open(rules, opening(first, last, u32::from(first)))
    } else {
        close(rules, act.ports)
    }
}

proptest! {
    #[test]
    fn exactly_what_was_opened_and_not_closed_is_open(acts in acts()) {
        let (mut rules, mut expected) = (Vec::new(), BTreeSet::new());
        for act in acts {
            let before = expected.clone();
            let affected = PORTS.filter(|port| has(act.ports, *port));
            if act.opens {
                expected.extend(affected);
            } else {
                for port in affected {
                    expected.remove(&port);
                }
            }
            let change = change(&rules, &act);
            prop_assert!(change.add.len() <= 1 + rules.len());
            let moves = moves(&rules, &change, None);
            for moment in &moves {
                let open = open_ports(moment);
                prop_assert!(before.intersection(&expected).all(|port| open.contains(port)));
                prop_assert!(open.iter().all(|port| before.contains(port) || expected.contains(port)));
            }
            rules = moves.last().unwrap().clone();
            prop_assert_eq!(&open_ports(&rules), &expected);
            // A second time there is nothing to do.
            prop_assert_eq!(self::change(&rules, &act), Change::default());
        }
        let all = Act { opens: false, ports: ports(*PORTS.start(), *PORTS.end()), cut_after: None };
        prop_assert_eq!(moves(&rules, &change(&rules, &all), None).pop(), Some(Vec::new()));
    }

    /// A change that ends in the middle leaves its own ports open or closed, and all others as they are. Taken
    /// again it comes out as if nothing had happened.
    #[test]
    fn an_end_in_the_middle_harms_no_other_port(acts in acts()) {
        let mut rules = Vec::new();
        let (mut wanted, mut unsure) = (BTreeSet::new(), BTreeSet::new());
        for act in acts {
            let change = change(&rules, &act);
            let moves = moves(&rules, &change, act.cut_after);
            let is_cut = moves.len() <= change.add.len() + change.delete.len();
            for port in PORTS.filter(|port| has(act.ports, *port)) {
                if is_cut && wanted.contains(&port) != act.opens {
                    unsure.insert(port);
                } else if !is_cut {
                    unsure.remove(&port);
                }
                if act.opens { wanted.insert(port) } else { wanted.remove(&port) };
            }
            for moment in &moves {
                let open = open_ports(moment);
                let sure: BTreeSet<u16> = open.difference(&unsure).copied().collect();
                let expected: BTreeSet<u16> = wanted.difference(&unsure).copied().collect();
                let settled = |port: &&u16| !has(act.ports, **port);
                prop_assert_eq!(
                    sure.iter().filter(settled).collect::<Vec<_>>(),
                    expected.iter().filter(settled).collect::<Vec<_>>()
                );
            }
            rules = moves.last().unwrap().clone();
            let open = open_ports(&rules);
            prop_assert!(open.difference(&unsure).eq(wanted.difference(&unsure)));
        }
    }
}
