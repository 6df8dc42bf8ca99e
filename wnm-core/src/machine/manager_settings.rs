use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ConfigValue;

/// Settings that only one manager reads, by the names of the options that it declares. What is absent has its
/// default.
///
/// ```
/// use wnm_core::machine::{ConfigValue, ManagerSettings};
///
/// let mut settings = ManagerSettings::default();
/// settings.set("max_node_per_container", ConfigValue::Int(50));
/// assert_eq!(settings.count("max_node_per_container"), Some(50));
/// assert_eq!(settings.text("docker_image"), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ManagerSettings(BTreeMap<String, ConfigValue>);

impl ManagerSettings {
    /// The value of a setting; `None` where it is absent, [`ConfigValue::Null`] where it is unset.
    pub fn get(&self, name: &str) -> Option<&ConfigValue> {
        self.0.get(name)
    }

    /// Sets a value.
    pub fn set(&mut self, name: impl Into<String>, value: ConfigValue) {
        self.0.insert(name.into(), value);
    }

    /// Every setting, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ConfigValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A text, where it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            ConfigValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A path, where it is one.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.text(name).map(Path::new)
    }

    /// A whole number that is not negative, where it is one.
    pub fn count(&self, name: &str) -> Option<u32> {
        match self.get(name)? {
            ConfigValue::Int(number) => u32::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Whether a flag is set.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(ConfigValue::Bool(true)))
    }
}

impl<N: Into<String>> FromIterator<(N, ConfigValue)> for ManagerSettings {
    fn from_iter<I: IntoIterator<Item = (N, ConfigValue)>>(settings: I) -> Self {
        let settings = settings.into_iter();
        Self(settings.map(|(name, value)| (name.into(), value)).collect())
    }
}
