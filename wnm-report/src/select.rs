//! Selects the nodes of a report by name.

use crate::{ReportError, UnknownNode};
use wnm_core::id::NodeName;
use wnm_core::node::Node;

/// The nodes with these names, in the order of the names and with repetitions. All nodes if there
/// are no names.
///
/// A name is a stored service name, with or without `.service`, or a form that [`NodeName`] parses:
/// `antnode0003`, `0003`, `3`.
///
/// Fails with all names that match no node.
pub fn select_nodes<'a>(nodes: &'a [Node], names: &[String]) -> Result<Vec<&'a Node>, ReportError> {
    if names.is_empty() {
        return Ok(nodes.iter().collect());
    }
    let mut selected = Vec::with_capacity(names.len());
    let mut unknown = Vec::new();
    for name in names {
        match find(nodes, name.trim()) {
            Some(node) => selected.push(node),
            None => unknown.push(UnknownNode {
                name: name.trim().to_owned(),
                nearest: nearest(nodes, name.trim()),
            }),
        }
    }
    if unknown.is_empty() {
        Ok(selected)
    } else {
        Err(ReportError::UnknownNodes(unknown))
    }
}

fn find<'a>(nodes: &'a [Node], name: &str) -> Option<&'a Node> {
    let by_service = nodes.iter().find(|node| bare(&node.service) == bare(name));
    by_service.or_else(|| {
        let NodeName(id) = name.parse().ok()?;
        nodes.iter().find(|node| node.id == id)
    })
}

/// The service with the nearest number, or else the one with the most similar name. The first of
/// equals, so the result is stable.
fn nearest(nodes: &[Node], name: &str) -> Option<String> {
    let node = match name.parse() {
        Ok(NodeName(id)) => nodes
            .iter()
            .min_by_key(|node| node.id.get().abs_diff(id.get())),
        Err(_) => nodes
            .iter()
            .min_by_key(|node| strsim::damerau_levenshtein(bare(&node.service), bare(name))),
    }?;
    Some(bare(&node.service).to_owned())
}

fn bare(service: &str) -> &str {
    service.strip_suffix(".service").unwrap_or(service)
}

pub(super) fn describe(unknown: &[UnknownNode]) -> String {
    let each: Vec<String> = unknown
        .iter()
        .map(|UnknownNode { name, nearest }| match nearest {
            Some(nearest) => format!("there is no node '{name}', the nearest is {nearest}"),
            None => format!("there is no node '{name}'; the colony has no nodes"),
        })
        .collect();
    each.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn select(names: &[&str]) -> Result<Vec<u32>, String> {
        let nodes = fixture::nodes();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        select_nodes(&nodes, &names)
            .map(|nodes| nodes.iter().map(|node| node.id.get()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_spelling_finds_its_node_in_the_order_given() {
        let names = ["antnode0004.service", "2", "0001", "antnode0004", " 2 "];
        assert_eq!(select(&names), Ok(vec![4, 2, 1, 4, 2]));
        assert_eq!(select(&[]), Ok(vec![1, 2, 4]));
    }

    #[test]
    fn a_service_of_another_supervisor_is_found_by_its_name() {
        let mut nodes = fixture::nodes();
        nodes[0].service = "com.autonomi.antnode-1".to_owned();
        nodes[1].service = "4".to_owned();
        nodes[2].service = "my ants.service".to_owned();
        let found = |name: &str| {
            select_nodes(&nodes, &[name.to_owned()]).unwrap()[0]
                .id
                .get()
        };
        assert_eq!(found("com.autonomi.antnode-1"), 1);
        assert_eq!(found("1"), 1);
        assert_eq!(found("my ants.service"), 4);
        assert_eq!(found("my ants"), 4);
        assert_eq!(found("4"), 2, "the service name takes precedence");
    }

    #[test]
    fn the_error_lists_all_unknown_names_with_the_nearest() {
        let error = select(&["1", "antnode0003", "antnoed0002", "44"]).unwrap_err();
        insta::assert_snapshot!(error, @"there is no node 'antnode0003', the nearest is antnode0002; there is no node 'antnoed0002', the nearest is antnode0002; there is no node '44', the nearest is antnode0004");
        let none = select_nodes(&[], &["1".to_owned()]).unwrap_err();
        insta::assert_snapshot!(none, @"there is no node '1'; the colony has no nodes");
    }
}
