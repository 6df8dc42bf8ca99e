//! Which rules of ours have to come and to go so that ports are open or closed. Pure: a firewall lists what it
//! has and applies what comes out here.

use wnm_core::firewall::Opening;
use wnm_core::ports::PortRange;

/// What to do with a firewall's rules: first all that is added, then what is deleted. At no moment in between is
/// a port closed that is open before and after, and whatever of it was done before an end, the rules that are
/// there then are a beginning like any other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Rules to add.
    pub add: Vec<Opening>,
    /// Rules to delete afterwards.
    pub delete: Vec<Opening>,
}

/// Opens ports by one rule, unless rules of ours have them open already. Those that it makes superfluous go.
pub(super) fn open(ours: &[Opening], wanted: Opening) -> Change {
    if is_open(ours, wanted.ports()) {
        return Change::default();
    }
    let inside = |rule: &&Opening| wanted.ports().covers(rule.ports());
    Change {
        add: vec![wanted],
        delete: distinct(ours.iter().filter(inside)),
    }
}

/// Closes ports: every rule of ours that has one of them open gives way to rules for the rest of its ports.
/// There may be several for a port, if an earlier change ended in the middle.
pub(super) fn close(ours: &[Opening], unwanted: PortRange) -> Change {
    let has_some = |rule: &&Opening| rule.ports().shared_with(unwanted).is_some();
    let (mut delete, mut held): (Vec<Opening>, Vec<Opening>) =
        distinct(ours.iter()).iter().partition(has_some);
    // The widest first, so that what it leaves makes more of the others superfluous.
    delete.sort_by_key(|rule| std::cmp::Reverse(rule.ports().span()));
    let mut add = Vec::new();
    for rest in delete.iter().flat_map(|rule| rule.without(unwanted)) {
        if !is_open(&held, rest.ports()) {
            held.push(rest);
            add.push(rest);
        }
    }
    Change { add, delete }
}

/// Whether rules together have all of these ports open.
fn is_open(rules: &[Opening], ports: PortRange) -> bool {
    let mut closed = vec![ports];
    for rule in rules {
        let left = closed.into_iter();
        closed = left.flat_map(|part| part.without(rule.ports())).collect();
    }
    closed.is_empty()
}

/// Each rule once: of two that are the same, what deletes one deletes both.
fn distinct<'a>(rules: impl Iterator<Item = &'a Opening>) -> Vec<Opening> {
    let mut distinct: Vec<Opening> = Vec::new();
    for rule in rules {
        if !distinct.contains(rule) {
            distinct.push(*rule);
        }
    }
    distinct
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
