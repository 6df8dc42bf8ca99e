//! The settings that only this crate reads.

use std::path::PathBuf;

use wnm_core::machine::ManagerSettings;
use wnm_core::option::{DefaultValue, OptionSpec, ValueKind};

const PATH: &str = "antctl_path";
const DEBUG: &str = "antctl_debug";
const VERSION: &str = "antctl_version";

/// Where antctl is by default, below the home directory.
const DEFAULT_PATH: &str = "~/.local/bin/antctl";

pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::of_manager(
        PATH,
        ValueKind::AbsolutePath,
        DefaultValue::Fixed(DEFAULT_PATH),
        "antctl: where it is",
    ),
    OptionSpec::of_manager(
        DEBUG,
        ValueKind::Flag,
        DefaultValue::Absent,
        "antctl: ask for its debug output",
    ),
    OptionSpec::of_manager(
        VERSION,
        ValueKind::Version,
        DefaultValue::Absent,
        "antctl: ask for this version of antnode; empty for the latest",
    ),
];

/// Their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AntctlSettings {
    /// antctl itself.
    pub path: PathBuf,
    /// Whether antctl is asked for its debug output.
    pub debug: bool,
    /// Version of antnode that antctl is asked for.
    pub version: Option<String>,
}

impl AntctlSettings {
    /// Reads the settings; what is absent has its default.
    pub fn new(settings: &ManagerSettings) -> Self {
        let path = settings.text(PATH).unwrap_or(DEFAULT_PATH);
        let path = match (path.strip_prefix("~/"), std::env::home_dir()) {
            (Some(below), Some(home)) => home.join(below),
            _ => PathBuf::from(path),
        };
        Self {
            path,
            debug: settings.flag(DEBUG),
            version: settings.text(VERSION).map(str::to_owned),
        }
    }
}
