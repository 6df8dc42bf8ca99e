//! Reports that are lists of named values.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::quote::{config_line, environment_line};
use crate::{ReportError, json};
use wnm_core::machine::ConfigValue;
use wnm_core::reports::{ReportFormat, ReportKind};

/// A value, or a table of named numbers.
pub(super) enum Field {
    Value(ConfigValue),
    Counts(Vec<(String, u64)>),
}

impl Field {
    /// The value as the Python wnm prints it. A table becomes a Python dictionary, `{'0.4.16': 2}`.
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

/// A JSON object that keeps the order of its keys.
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

/// Renders named values in a format.
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
        ReportFormat::Env => lines(&|key, value| environment_line(key, &value) + "\n"),
        ReportFormat::Config => lines(&|key, value| config_line(key, &value) + "\n"),
    }
}

/// The report `machine-config`: the machine's settings, in the order given.
///
/// A shell can source the format `env`, and wnm can read the format `config` as a configuration
/// file. Both give the same settings.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// The settings in `machine-config.json`, in its order.
    fn values() -> Vec<(&'static str, ConfigValue)> {
        fixture::recorded!("machine-config.json")
            .lines()
            .filter_map(|line| line.trim().trim_end_matches(',').split_once(": "))
            .map(|(key, value)| (key.trim_matches('"'), serde_json::from_str(value).unwrap()))
            .collect()
    }

    fn report(format: ReportFormat) -> String {
        machine_config(&values(), format).unwrap()
    }

    #[test]
    fn text_and_json_equal_the_python_reports() {
        assert_eq!(values().len(), 52);
        assert_eq!(
            report(ReportFormat::Json),
            fixture::recorded!("machine-config.json")
        );
        assert_eq!(
            report(ReportFormat::Text),
            fixture::recorded!("machine-config.txt")
        );
    }

    #[test]
    fn env_and_config_equal_the_python_reports_except_for_missing_values() {
        let unset = |recorded: &str| recorded.replace("=None\n", "=\n");
        let env = fixture::recorded!("machine-config.env");
        assert_eq!(report(ReportFormat::Env), unset(env));
        let config = fixture::recorded!("machine-config.config");
        assert_eq!(report(ReportFormat::Config), unset(config));
    }

    #[test]
    fn special_characters_are_quoted_under_any_key() {
        let values = [
            ("antctl_path", "/srv/my ants/antctl".into()),
            ("start_args", "--log \"a b\"".into()),
        ];
        let text = machine_config(&values, ReportFormat::Config).unwrap();
        insta::assert_snapshot!(text, @r#"
        antctl_path="/srv/my ants/antctl"
        start_args="--log \"a b\""
        "#);
    }
}
