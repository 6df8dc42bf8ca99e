//! Reports that are a list of named values.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::quote::assigned;
use super::{ConfigValue, ReportError, ReportFormat, ReportKind, json};

/// A value, or a table of numbers under names.
pub(super) enum Field {
    Value(ConfigValue),
    Counts(Vec<(String, u64)>),
}

impl Field {
    /// As the Python wnm prints it: a table is a dictionary in its spelling, `{'0.4.16': 2}`.
    fn flat(&self) -> ConfigValue {
        match self {
            Field::Value(value) => value.clone(),
            Field::Counts(counts) => {
                let entries: Vec<String> = counts
                    .iter()
                    .map(|(name, count)| format!("'{name}': {count}"))
                    .collect();
                ConfigValue::Text(format!("{{{}}}", entries.join(", ")))
            }
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Field::Value(value) => value.serialize(serializer),
            Field::Counts(counts) => InOrder(counts).serialize(serializer),
        }
    }
}

/// A JSON object whose keys stay in the order given.
struct InOrder<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for InOrder<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

pub(super) fn render(
    fields: &[(&str, Field)],
    format: ReportFormat,
) -> Result<String, ReportError> {
    let lines = |line: &dyn Fn(&str, ConfigValue) -> String| {
        let lines = fields.iter().map(|(key, field)| line(key, field.flat()));
        Ok(lines.collect())
    };
    match format {
        ReportFormat::Json => json(&InOrder(fields)),
        ReportFormat::Text => lines(&|key, value| format!("{key}: {value}\n")),
        ReportFormat::Env => {
            lines(&|key, value| format!("{}={}\n", key.to_ascii_uppercase(), assigned(key, &value)))
        }
        ReportFormat::Config => lines(&|key, value| format!("{key}={}\n", assigned(key, &value))),
    }
}

/// The machine's settings, in the order given. `env` can be sourced by a shell and `config` used as a
/// configuration file: both read back as the same settings.
pub fn machine_config(
    values: &[(&str, ConfigValue)],
    format: ReportFormat,
) -> Result<String, ReportError> {
    ReportKind::MachineConfig.check(format)?;
    let fields: Vec<(&str, Field)> = values
        .iter()
        .map(|(key, value)| (*key, Field::Value(value.clone())))
        .collect();
    render(&fields, format)
}
