//! Identifiers of nodes and containers.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Number of a node, from 1. Unique within a colony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(NonZeroU32);

impl NodeId {
    /// The lowest number.
    pub const FIRST: NodeId = NodeId(NonZeroU32::MIN);

    /// A node number, or `None` for 0.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The next higher number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Name of the node's directory and, where the manager may choose, of its service: `antnode0007`.
    pub fn directory_name(self) -> String {
        format!("antnode{}", NodeName(self))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A node's name: its number with at least four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(pub NodeId);

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0.get())
    }
}

/// A text that names no node.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' names no node: give antnode0001, 0001 or 1")]
pub struct ParseNodeNameError(String);

impl FromStr for NodeName {
    type Err = ParseNodeNameError;

    /// Takes what people type: `antnode0001`, `antnode0001.service`, `0001`, `1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.trim();
        let bare = bare.strip_suffix(".service").unwrap_or(bare);
        let digits = bare.strip_prefix("antnode").unwrap_or(bare);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseNodeNameError(text.to_owned()));
        }
        digits
            .parse()
            .ok()
            .and_then(NodeId::new)
            .map(NodeName)
            .ok_or_else(|| ParseNodeNameError(text.to_owned()))
    }
}

/// Row number of a container; the k-th container of a machine is named `a<k>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerId(pub u32);

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_four_digits_and_grow_beyond() {
        assert_eq!(NodeId::FIRST.directory_name(), "antnode0001");
        assert_eq!(NodeId::new(12345).unwrap().directory_name(), "antnode12345");
    }

    #[test]
    fn what_people_type_is_understood() {
        for text in ["antnode0007", "antnode0007.service", "0007", "7", " 7 "] {
            assert_eq!(text.parse::<NodeName>().unwrap().0.get(), 7, "{text}");
        }
        for text in ["", "antnode", "0", "-1", "node7", "7x", "99999999999"] {
            assert!(text.parse::<NodeName>().is_err(), "{text}");
        }
    }
}
