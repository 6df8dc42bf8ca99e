use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ConfigValue, Source};

/// A setting that was given and differs from what the database holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Name of the option.
    pub name: String,
    /// What the database holds.
    pub from: ConfigValue,
    /// What was given.
    pub to: ConfigValue,
    /// Where it was given.
    pub source: Source,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change {
            name,
            from,
            to,
            source,
        } = self;
        let [from, to] = [from, to].map(as_given);
        write!(f, "{name}: {from} → {to} ({source})")
    }
}

/// A value as it is given for an option.
fn as_given(value: &ConfigValue) -> String {
    match value {
        ConfigValue::Bool(yes) => yes.to_string(),
        ConfigValue::Null => "unset".to_owned(),
        ConfigValue::Text(text) if text.is_empty() => "unset".to_owned(),
        other => other.to_string(),
    }
}
