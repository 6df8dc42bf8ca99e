use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of one setting, of the kinds that the database has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigValue {
    /// A whole number.
    Int(i64),
    /// Any number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A text.
    Text(String),
    /// Not set.
    Null,
}

impl fmt::Display for ConfigValue {
    /// For people, in the spelling of the Python wnm: `4.0`, `True`, `None`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigValue::Int(number) => number.fmt(f),
            // Debug is the shortest text that reads back and keeps the fraction of 4.0.
            ConfigValue::Float(number) => write!(f, "{number:?}"),
            ConfigValue::Bool(true) => f.write_str("True"),
            ConfigValue::Bool(false) => f.write_str("False"),
            ConfigValue::Text(text) => f.write_str(text),
            ConfigValue::Null => f.write_str("None"),
        }
    }
}

impl From<&str> for ConfigValue {
    fn from(text: &str) -> Self {
        ConfigValue::Text(text.to_owned())
    }
}

impl From<u64> for ConfigValue {
    /// Numbers beyond the database's integers become its largest.
    fn from(number: u64) -> Self {
        ConfigValue::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
