use std::path::PathBuf;

use crate::fault::SettingsError;
use crate::value;
use crate::{ForceAction, Layers};
use wnm_core::id::NodeId;
use wnm_core::machine::{Machine, Pacing, Source};
use wnm_core::quantity::Milliseconds;
use wnm_core::reports::{ReportFormat, ReportKind};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every word, in the order of help.
            pub const WORDS: [&'static str; [$($word),*].len()] = [$($word),*];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// How much is said, by the names the Python wnm has for it.
    LogLevel {
        /// Everything.
        Debug = "DEBUG",
        /// What happens.
        Info = "INFO",
        /// What should be looked at.
        Warning = "WARNING",
        /// What failed.
        Error = "ERROR",
        /// What ended the run.
        Critical = "CRITICAL",
    }
}

/// A node by the name someone typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedNode {
    /// As it was typed; results name it so.
    pub typed: String,
    /// Which node that is.
    pub id: NodeId,
}

/// What this run is to do. None of it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSettings {
    /// The database, where one was named. A relative path is relative to the working directory.
    pub dbpath: Option<PathBuf>,
    /// Decide and show, change nothing.
    pub dry_run: bool,
    /// Create the colony.
    pub init: bool,
    /// Adopt nodes that exist, with `init`.
    pub import: bool,
    /// Take over from anm, with `init`.
    pub migrate_anm: bool,
    /// Someone is sure.
    pub confirm: bool,
    /// Upgrade outdated nodes.
    pub enable_upgrade: bool,
    /// Pause between two nodes of a survey, in this run.
    pub this_survey_delay: Option<Milliseconds>,
    /// Pause between two operations, in this run: `interval`, or else `this_action_delay`.
    pub this_action_delay: Option<Milliseconds>,
    /// What to do instead of deciding.
    pub force_action: Option<ForceAction>,
    /// With which nodes, in the order given. Empty where none were named.
    pub service_names: Vec<NamedNode>,
    /// With how many nodes, where none are named.
    pub count: u32,
    /// Which report to print.
    pub report: Option<ReportKind>,
    /// How to print it.
    pub report_format: ReportFormat,
    /// Whether results are JSON too, which follows from the format.
    pub json: bool,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// Say nothing but errors.
    pub quiet: bool,
    /// How much to say.
    pub loglevel: LogLevel,
    /// Show the machine's settings.
    pub show_machine_config: bool,
    /// Show the machine's load.
    pub show_machine_metrics: bool,
    /// Show what the decision rests on.
    pub show_decisions: bool,
    /// `RUST_BACKTRACE` for antctl.
    pub rust_backtrace: Option<String>,
    /// Print the version and exit.
    pub version: bool,
    /// Remove the Python wnm's lock file and exit.
    pub remove_lockfile: bool,
    /// Print the Dockerfile and exit.
    pub dockerfile: bool,
}

impl RunSettings {
    /// The pauses that hold in this run.
    pub fn pacing(&self, machine: &Machine) -> Pacing {
        Pacing {
            survey: self.this_survey_delay.unwrap_or(machine.pacing.survey),
            action: self.this_action_delay.unwrap_or(machine.pacing.action),
        }
    }

    /// Whether the run answers a question without touching a database.
    pub fn is_query(&self) -> bool {
        self.version || self.remove_lockfile || self.dockerfile
    }
}

impl Layers {
    /// What this run is to do. Every value that is malformed is a fault, settings of the machine included, so that
    /// all of them are told at once.
    pub fn run_settings(&self) -> Result<RunSettings, SettingsError> {
        let mut faults = self.faults.clone();
        faults.extend(self.malformed(|_| true));
        SettingsError::unless(faults, ())?;
        // Every value reads from here on, so what does not read was not given.
        let text = |name: &str| self.get(name).map(|(text, _)| text);
        let flag = |name: &str| text(name).is_some_and(|text| value::flag(text) == Ok(true));
        let pause = |name: &str| text(name).and_then(|text| value::milliseconds(text).ok());
        let report_format = self.report_format();
        Ok(RunSettings {
            dbpath: text("dbpath").and_then(|text| self.expansion.database(text).ok()),
            dry_run: flag("dry_run"),
            init: flag("init"),
            import: flag("import"),
            migrate_anm: flag("migrate_anm"),
            confirm: flag("confirm"),
            enable_upgrade: flag("enable_upgrade"),
            this_survey_delay: pause("this_survey_delay"),
            this_action_delay: pause("interval").or_else(|| pause("this_action_delay")),
            force_action: self.force_action(),
            service_names: text("service_name")
                .and_then(|text| value::node_names(text).ok())
                .unwrap_or_default()
                .into_iter()
                .map(|(typed, id)| NamedNode { typed, id })
                .collect(),
            count: text("count")
                .and_then(|text| value::positive(text).ok())
                .unwrap_or(1),
            report: self
                .chosen("report", &ReportKind::WORDS)
                .and_then(|word| word.parse().ok()),
            report_format,
            json: report_format == ReportFormat::Json,
            verbosity: text("verbose")
                .and_then(|text| value::repeated(text).ok())
                .unwrap_or(0),
            quiet: flag("quiet"),
            loglevel: self
                .chosen("loglevel", &LogLevel::WORDS)
                .and_then(LogLevel::from_word)
                .unwrap_or(LogLevel::Info),
            show_machine_config: flag("show_machine_config"),
            show_machine_metrics: flag("show_machine_metrics"),
            show_decisions: flag("show_decisions"),
            rust_backtrace: text("rust_backtrace").map(str::to_owned),
            version: flag("version"),
            remove_lockfile: flag("remove_lockfile"),
            dockerfile: flag("dockerfile"),
        })
    }

    fn chosen(&self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        value::choice(self.get(name)?.0, words).ok()
    }

    /// `json` is short for a format, so the stronger source of the two wins.
    fn report_format(&self) -> ReportFormat {
        let json = self
            .get("json")
            .filter(|(text, _)| value::flag(text) == Ok(true));
        let format = self.get("report_format");
        let shorter_wins = match (json, format) {
            (Some((_, json)), Some((_, format))) => rank(json) >= rank(format),
            (json, _) => json.is_some(),
        };
        if shorter_wins {
            return ReportFormat::Json;
        }
        self.chosen("report_format", &ReportFormat::WORDS)
            .and_then(|word| word.parse().ok())
            .unwrap_or(ReportFormat::Text)
    }
}

/// Lines of files do not override each other by where they are.
fn rank(source: &Source) -> u8 {
    match source {
        Source::Default | Source::Nodes => 0,
        Source::Database => 1,
        Source::File { .. } => 2,
        Source::Environment => 3,
        Source::CommandLine => 4,
    }
}

#[cfg(test)]
mod tests;
