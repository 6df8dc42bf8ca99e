//! Names the launchd jobs of nodes.

use std::fmt;

use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

/// The label prefix of nodes that wnm or the Python wnm created.
const PREFIX: &str = "com.autonomi.antnode-";

/// The label of a job, safe in a path and on a command line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Label(String);

impl Label {
    /// Returns the label that wnm assigns.
    pub fn for_id(id: NodeId) -> Self {
        Self(format!("{PREFIX}{id}"))
    }

    /// Returns the label of a recorded node. Records of an interrupted add and of the Python wnm
    /// hold the name of the node directory or of the job file instead.
    pub fn for_node(node: &Node) -> Result<Self, ManagerError> {
        let name = &node.service;
        let directory = node.id.directory_name();
        if *name == directory || name.strip_suffix(".service") == Some(&directory) {
            return Ok(Self::for_id(node.id));
        }
        let name = name.strip_suffix(".plist").unwrap_or(name);
        Self::parse(name).ok_or_else(|| ManagerError::Rejected {
            what: format!("node {}", node.id),
            words: format!("'{name}' is not a valid launchd label"),
        })
    }

    /// Parses a label from launchd or a file name.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let starts_plain = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let short = name.len() <= MAX_LEN;
        (starts_plain && short && name.chars().all(plain)).then(|| Self(name.to_owned()))
    }

    /// Whether the label is that of a node: of wnm, the Python wnm or antctl (`antnode7`).
    pub fn is_node(&self) -> bool {
        self.0.starts_with(PREFIX) || self.0.starts_with("antnode")
    }

    /// Returns the node id in the label.
    pub fn id(&self) -> Option<NodeId> {
        match self.0.strip_prefix(PREFIX) {
            Some(digits) => {
                let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
                let number = all_digits.then(|| digits.parse().ok()).flatten()?;
                NodeId::new(number)
            }
            None => layout::id_of(&self.0),
        }
    }

    /// Returns the name of the job file.
    pub fn file_name(&self) -> String {
        format!("{self}.plist")
    }
}

/// Maximum length in bytes, so that the label plus `.plist` is a valid file name.
const MAX_LEN: usize = 200;

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use wnm_core::node::ObservedState;
    use wnm_core::testing;

    use super::*;

    fn of(service: &str) -> Option<String> {
        let mut node = testing::seen(7, ObservedState::Stopped);
        node.service = service.to_owned();
        Label::for_node(&node).ok().map(|label| label.to_string())
    }

    #[test]
    fn every_recorded_spelling_maps_to_a_label() {
        let own = "com.autonomi.antnode-7";
        for service in [
            own,
            "com.autonomi.antnode-7.plist",
            "antnode0007",
            "antnode0007.service",
        ] {
            assert_eq!(of(service).unwrap(), own, "{service}");
        }
        assert_eq!(of("antnode7").unwrap(), "antnode7");
        for foreign in ["", "../x", "a b", "-k", "a/b", "system/x", &"a".repeat(201)] {
            assert_eq!(of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn parses_the_node_id() {
        let id = |name| Label::parse(name).unwrap().id().map(NodeId::get);
        assert_eq!(id("com.autonomi.antnode-12"), Some(12));
        assert_eq!(id("antnode12"), Some(12));
        assert_eq!(id("com.autonomi.antnode-0"), None);
        assert_eq!(id("com.autonomi.antnode-1a"), None);
        assert_eq!(id("com.autonomi.antnode-"), None);
        assert_eq!(id("antnode-by-hand"), None);
        let node = NodeId::new(12).unwrap();
        assert_eq!(Label::for_id(node).id(), Some(node));
        assert!(!Label::parse("com.apple.antnode").unwrap().is_node());
    }
}
