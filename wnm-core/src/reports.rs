//! The reports there are, and the forms they come in.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// A line per node.
    NodeStatus,
    /// A block per node.
    NodeStatusDetails,
    /// InfluxDB line protocol.
    InfluxResources,
    /// The machine's settings.
    MachineConfig,
    /// The machine's load and how many nodes of which kind there are.
    MachineMetrics,
}

impl ReportKind {
    /// Every report.
    pub const ALL: [ReportKind; 5] = [
        ReportKind::NodeStatus,
        ReportKind::NodeStatusDetails,
        ReportKind::InfluxResources,
        ReportKind::MachineConfig,
        ReportKind::MachineMetrics,
    ];

    /// The word that `--report` takes.
    pub const fn word(self) -> &'static str {
        match self {
            ReportKind::NodeStatus => "node-status",
            ReportKind::NodeStatusDetails => "node-status-details",
            ReportKind::InfluxResources => "influx-resources",
            ReportKind::MachineConfig => "machine-config",
            ReportKind::MachineMetrics => "machine-metrics",
        }
    }

    /// The word of each, in the same order.
    pub const WORDS: [&'static str; 5] = {
        let [a, b, c, d, e] = Self::ALL;
        [a.word(), b.word(), c.word(), d.word(), e.word()]
    };

    /// The formats it comes in.
    pub const fn formats(self) -> &'static [ReportFormat] {
        use ReportFormat::{Config, Env, Json, Text};
        match self {
            ReportKind::NodeStatus | ReportKind::NodeStatusDetails => &[Text, Json],
            // It has one form. The Python wnm takes --json with it and prints that form all the same.
            ReportKind::InfluxResources => &[Text, Json],
            ReportKind::MachineConfig => &[Text, Json, Env, Config],
            ReportKind::MachineMetrics => &[Text, Json, Env],
        }
    }

    /// Refuses a format that it does not come in. The Python wnm printed text instead and said nothing.
    pub fn check(self, format: ReportFormat) -> Result<(), UnknownReport> {
        if self.formats().contains(&format) {
            Ok(())
        } else {
            Err(UnknownReport::Format { kind: self, format })
        }
    }
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for ReportKind {
    type Err = UnknownReport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase().replace('_', "-");
        ReportKind::ALL
            .into_iter()
            .find(|kind| kind.word() == wanted)
            .ok_or_else(|| UnknownReport::UnknownKind(text.trim().to_owned()))
    }
}

/// In which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ReportFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// `KEY=value` lines for a shell.
    Env,
    /// `key=value` lines, which are a configuration file.
    Config,
}

impl ReportFormat {
    /// Every format.
    pub const ALL: [ReportFormat; 4] = [
        ReportFormat::Text,
        ReportFormat::Json,
        ReportFormat::Env,
        ReportFormat::Config,
    ];

    /// The word of each, in the same order.
    pub const WORDS: [&'static str; 4] = {
        let [a, b, c, d] = Self::ALL;
        [a.word(), b.word(), c.word(), d.word()]
    };

    /// The word that `--report_format` takes.
    pub const fn word(self) -> &'static str {
        match self {
            ReportFormat::Text => "text",
            ReportFormat::Json => "json",
            ReportFormat::Env => "env",
            ReportFormat::Config => "config",
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for ReportFormat {
    type Err = UnknownReport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase();
        ReportFormat::ALL
            .into_iter()
            .find(|format| format.word() == wanted)
            .ok_or_else(|| UnknownReport::UnknownFormat(text.trim().to_owned()))
    }
}

/// A report, a format, or a pair of them that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnknownReport {
    /// A report that does not exist.
    #[error("'{0}' is no report; there are {all}", all = ReportKind::WORDS.join(", "))]
    UnknownKind(String),
    /// A format that does not exist.
    #[error("'{0}' is no report format; there are {all}", all = ReportFormat::WORDS.join(", "))]
    UnknownFormat(String),
    /// A format that this report does not come in.
    #[error("{kind} does not come as {format}")]
    Format {
        /// The report.
        kind: ReportKind,
        /// The format that was asked for.
        format: ReportFormat,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in ReportKind::ALL {
            assert_eq!(kind.word().parse::<ReportKind>().unwrap(), kind);
        }
        for format in ReportFormat::ALL {
            assert_eq!(format.word().parse::<ReportFormat>().unwrap(), format);
        }
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_does() {
        let wrong = "status".parse::<ReportKind>().unwrap_err();
        insta::assert_snapshot!(wrong, @"'status' is no report; there are node-status, node-status-details, influx-resources, machine-config, machine-metrics");
        let wrong = "yaml".parse::<ReportFormat>().unwrap_err();
        insta::assert_snapshot!(wrong, @"'yaml' is no report format; there are text, json, env, config");
        let wrong = ReportKind::NodeStatus.check(ReportFormat::Env).unwrap_err();
        insta::assert_snapshot!(wrong, @"node-status does not come as env");
        let wrong = ReportKind::MachineMetrics.check(ReportFormat::Config);
        insta::assert_snapshot!(wrong.unwrap_err(), @"machine-metrics does not come as config");
    }
}
