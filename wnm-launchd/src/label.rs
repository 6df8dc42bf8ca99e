//! What launchd calls the job of a node.

use std::fmt;

use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

/// What the labels of wnm's own nodes begin with, as those of the Python wnm do.
const OWN: &str = "com.autonomi.antnode-";

/// The name of a job. It can stand in a path and in a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Label(String);

impl Label {
    /// The one that wnm gives.
    pub fn given_to(id: NodeId) -> Self {
        Self(format!("{OWN}{id}"))
    }

    /// The one of a node on record. Records of an add that ended in the middle, and those of the Python wnm, do
    /// not have it as it is: they name the node's directory, or the file of the job.
    pub fn of(node: &Node) -> Result<Self, ManagerError> {
        let name = &node.service;
        let directory = node.id.directory_name();
        if *name == directory || name.strip_suffix(".service") == Some(&directory) {
            return Ok(Self::given_to(node.id));
        }
        let name = name.strip_suffix(".plist").unwrap_or(name);
        Self::read(name).ok_or_else(|| ManagerError::Rejected {
            what: format!("node {}", node.id),
            words: format!("'{name}' is no label of a launchd job"),
        })
    }

    /// Reads one that launchd or a file told.
    pub fn read(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let short = name.len() <= LONGEST;
        (begins && short && name.chars().all(plain)).then(|| Self(name.to_owned()))
    }

    /// Whether it is that of a node: the Python wnm's and ours, or antctl's `antnode7`.
    pub fn is_of_a_node(&self) -> bool {
        self.0.starts_with(OWN) || self.0.starts_with("antnode")
    }

    /// The number in it.
    pub fn id(&self) -> Option<NodeId> {
        match self.0.strip_prefix(OWN) {
            Some(digits) => {
                let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
                let number = all_digits.then(|| digits.parse().ok()).flatten()?;
                NodeId::new(number)
            }
            None => layout::id_of(&self.0),
        }
    }

    /// Name of the file that describes the job.
    pub fn file_name(&self) -> String {
        format!("{self}.plist")
    }
}

/// With `.plist` behind it still the name of a file.
const LONGEST: usize = 200;

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
        Label::of(&node).ok().map(|label| label.to_string())
    }

    #[test]
    fn every_spelling_on_record_leads_to_a_label() {
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
    fn the_number_is_read_back() {
        let id = |name| Label::read(name).unwrap().id().map(NodeId::get);
        assert_eq!(id("com.autonomi.antnode-12"), Some(12));
        assert_eq!(id("antnode12"), Some(12));
        assert_eq!(id("com.autonomi.antnode-0"), None);
        assert_eq!(id("com.autonomi.antnode-1a"), None);
        assert_eq!(id("com.autonomi.antnode-"), None);
        assert_eq!(id("antnode-by-hand"), None);
        let node = NodeId::new(12).unwrap();
        assert_eq!(Label::given_to(node).id(), Some(node));
        assert!(!Label::read("com.apple.antnode").unwrap().is_of_a_node());
    }
}
