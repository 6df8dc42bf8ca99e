//! The command line, made from the table of options.

use std::ffi::OsStr;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use wnm_config::{OptionSpec, OptionTable, ValueKind};

const ABOUT: &str = "wnm, the weave node manager: keeps as many nodes running as this machine can carry.

Without a command it runs one cycle: it looks at the machine and its nodes, decides, acts and records. \
That is what cron calls, once a minute.";

const FIRST_STEPS: &str = "First steps:
  wnm demo                                        watch a simulated colony
  wnm --init --rewards-address 0x… --node-cap 50  make a colony
  wnm plan                                        what would it do now, and why
  wnm                                             do it
  wnm --report node-status                        how are the nodes

These are the options of every day; wnm --help has all of them and where they can be set.";

const AFTER_HELP: &str = "Every option can be given in the environment (upper case, underscores) and in a config file \
(~/.local/share/wnm/config, ~/wnm/config or -c FILE; lines like 'node_cap = 50'). The command line wins over the \
environment, which wins over the file, which wins over what the database holds. Underscores work in place of \
hyphens everywhere.";

/// What `plan` takes of its own.
pub const SNAPSHOT: &str = "snapshot";
/// What `events` takes of its own.
pub const SINCE: &str = "since";
/// What `events` takes of its own.
pub const NODE: &str = "node";
/// What `events` takes of its own.
pub const LIMIT: &str = "limit";
/// How many events are shown unless more are asked for.
pub const DEFAULT_LIMIT: u32 = 100;
/// What `export` takes of its own.
pub const FORMAT: &str = "format";
/// What `export` takes of its own.
pub const OUTPUT: &str = "output";
/// What `doctor` takes of its own.
pub const FIX: &str = "fix";
/// What `completions` takes.
pub const SHELL: &str = "shell";

/// Options that the short help shows, besides those of thresholds, delays and other settings.
const EVERY_DAY: [&str; 18] = [
    "config",
    "dbpath",
    "dry_run",
    "init",
    "import",
    "confirm",
    "version",
    "force_action",
    "service_name",
    "count",
    "report",
    "report_format",
    "json",
    "verbose",
    "quiet",
    "rewards_address",
    "node_cap",
    "process_manager",
];

/// Options that make sense with every command.
const EVERYWHERE: [&str; 7] = [
    "dbpath",
    "config",
    "json",
    "quiet",
    "verbose",
    "loglevel",
    "process_manager",
];

/// How much of the help is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help {
    /// The options of every day, on a screen or two: `-h`.
    EveryDay,
    /// All of them: `--help`.
    All,
}

/// The whole command line. clap's own long help gives every option three lines, so that which options are
/// shown is decided here and the layout stays.
pub fn command(options: &OptionTable, help: Help) -> Command {
    let after = match help {
        Help::EveryDay => FIRST_STEPS,
        Help::All => AFTER_HELP,
    };
    let shown = |spec: &OptionSpec| help == Help::All || EVERY_DAY.contains(&spec.name);
    Command::new("wnm")
        .about(ABOUT)
        .after_help(after)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .args_override_self(true)
        .styles(
            Styles::styled()
                .header(AnsiColor::Yellow.on_default().bold())
                .literal(AnsiColor::Cyan.on_default()),
        )
        .max_term_width(110)
        .args(
            options
                .all()
                .iter()
                .map(|spec| argument(spec).hide(!shown(spec))),
        )
        .subcommand(plan(options))
        .subcommand(events(options))
        .subcommand(doctor(options))
        .subcommand(export(options))
        .subcommand(release(options))
        .subcommand(
            Command::new("completions")
                .about("Prints completions for a shell")
                .arg(
                    Arg::new(SHELL)
                        .required(true)
                        .value_parser(value_parser!(clap_complete::Shell)),
                ),
        )
        .subcommand(Command::new("demo").about(
            "Shows a colony of simulated nodes at work, in half a minute, leaving nothing behind",
        ))
}

fn plan(options: &OptionTable) -> Command {
    Command::new("plan")
        .about("Shows what a cycle would do now, with measured values, thresholds and reasons; changes nothing")
        .args_override_self(true)
        .arg(
            Arg::new(SNAPSHOT)
                .long(SNAPSHOT)
                .value_name("FILE")
                .help("Decides on a snapshot that 'wnm plan --json' printed, edited or not; - reads standard input"),
        )
        .args(options.all().iter().map(|spec| {
            argument(spec).hide(!EVERYWHERE.contains(&spec.name) && spec.name != "enable_upgrade")
        }))
}

fn events(options: &OptionTable) -> Command {
    Command::new("events")
        .about("Shows the journal: what was decided and done in the last 30 days, and why")
        .args_override_self(true)
        .arg(
            Arg::new(SINCE)
                .long(SINCE)
                .value_name("SPAN")
                .help("Only what happened in this last span of time: 90s, 15m, 24h or 7d"),
        )
        .arg(
            Arg::new(NODE)
                .long(NODE)
                .value_name("NODE")
                .help("Only what was about this node"),
        )
        .arg(
            Arg::new(LIMIT)
                .long(LIMIT)
                .value_name("N")
                .help(format!("At most the newest N [default: {DEFAULT_LIMIT}]")),
        )
        .args(everywhere(options))
}

fn doctor(options: &OptionTable) -> Command {
    Command::new("doctor")
        .about(
            "Looks for what does not fit together between database, process manager, directories and ports, and says \
             what mends it",
        )
        .args_override_self(true)
        .arg(
            Arg::new(FIX)
                .long(FIX)
                .action(ArgAction::SetTrue)
                .help("Mends what can be mended without touching a node or its data"),
        )
        .args(everywhere(options))
}

fn export(options: &OptionTable) -> Command {
    Command::new("export")
        .about("Writes the colony for another program; changes nothing")
        .args_override_self(true)
        .arg(
            Arg::new(FORMAT)
                .long(FORMAT)
                .value_name("WORD")
                .required(true)
                .value_parser(["python", "config", "env", "json"])
                .help(
                    "python: a database as the Python wnm has it; config: a config file; env: for a shell; json: \
                     settings and nodes",
                ),
        )
        .arg(
            Arg::new(OUTPUT)
                .long(OUTPUT)
                .short('o')
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help("Writes to this file instead of standard output; python needs one, which must not be there"),
        )
        .args(everywhere(options))
}

fn release(options: &OptionTable) -> Command {
    Command::new("release")
        .about(
            "Stops managing: every node stays as it is, the database is kept under another name, and what only wnm \
             needs is taken away",
        )
        .args_override_self(true)
        .args(options.all().iter().map(|spec| {
            argument(spec).hide(!EVERYWHERE.contains(&spec.name) && spec.name != "dry_run")
        }))
}

fn everywhere(options: &OptionTable) -> impl Iterator<Item = Arg> {
    options
        .all()
        .iter()
        .filter(|spec| EVERYWHERE.contains(&spec.name))
        .map(argument)
}

/// One option. Every value is taken as text: what it means is for the settings to say, the same for all
/// places it can come from.
fn argument(spec: &OptionSpec) -> Arg {
    let mut arg = Arg::new(spec.name)
        .help(help(spec))
        .help_heading(spec.group.heading());
    arg = match (spec.short, spec.name.len()) {
        (Some(short), 1) => arg.short(short),
        (Some(short), _) => arg.short(short).long(spec.long()),
        (None, _) => arg.long(spec.long()),
    };
    if spec.name.contains('_') {
        arg = arg.alias(spec.name);
    }
    match spec.kind {
        ValueKind::Repeated => arg.action(ArgAction::Count),
        ValueKind::Flag => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL")
            .value_parser(value_parser!(String)),
        ValueKind::Choice(words) => arg.value_name("WORD").value_parser(Words(words)),
        kind => arg
            .value_hint(hint(kind))
            .value_name(kind.placeholder())
            .allow_hyphen_values(matches!(kind, ValueKind::Arguments))
            .allow_negative_numbers(true)
            .value_parser(value_parser!(String)),
    }
}

/// Lets the shell complete paths.
fn hint(kind: ValueKind) -> ValueHint {
    match kind {
        ValueKind::Path | ValueKind::Database => ValueHint::FilePath,
        ValueKind::AbsolutePath => ValueHint::AnyPath,
        _ => ValueHint::Other,
    }
}

/// Any text, with the words that are meant: help and completions list them, and what another text means is
/// for the settings to say, as they take a word in more than one spelling.
#[derive(Clone)]
struct Words(&'static [&'static str]);

impl TypedValueParser for Words {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

fn help(spec: &OptionSpec) -> String {
    match spec.default.to_string() {
        default if default.is_empty() => spec.help.to_string(),
        default => format!("{} [default: {default}]", spec.help),
    }
}

/// What was given on the command line: names and texts. A command's own options stand behind the program's,
/// so that the later one counts.
pub fn given(options: &OptionTable, matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let mut given = Vec::new();
    let levels = [
        Some(matches),
        matches.subcommand().map(|(_, matches)| matches),
    ];
    for level in levels.into_iter().flatten() {
        for spec in options.all() {
            if !level.try_contains_id(spec.name).unwrap_or(false) {
                continue;
            }
            if level.value_source(spec.name) != Some(clap::parser::ValueSource::CommandLine) {
                continue;
            }
            if spec.kind == ValueKind::Repeated {
                given.push((spec.name, level.get_count(spec.name).to_string()));
            } else if let Some(value) = level.get_one::<String>(spec.name) {
                given.push((spec.name, value.clone()));
            }
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> OptionTable {
        OptionTable::new(&crate::managers::registry(None))
    }

    #[test]
    fn the_command_line_is_sound() {
        command(&options(), Help::All).debug_assert();
    }

    #[test]
    fn both_spellings_and_all_forms_of_a_flag_are_taken() {
        let words = [
            "wnm",
            "--node_cap",
            "8",
            "--cpu-less-than=40",
            "--no-upnp=false",
            "--dry_run",
        ];
        let matches = command(&options(), Help::All)
            .try_get_matches_from(words)
            .unwrap();
        let given = given(&options(), &matches);
        let value = |name| {
            given
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.as_str())
        };
        assert_eq!(value("node_cap"), Some("8"));
        assert_eq!(value("cpu_less_than"), Some("40"));
        assert_eq!(value("no_upnp"), Some("false"));
        assert_eq!(value("dry_run"), Some("true"));
    }

    #[test]
    fn an_unknown_option_is_an_error_that_names_the_nearest() {
        let error = command(&options(), Help::All)
            .try_get_matches_from(["wnm", "--nod-cap", "8"])
            .unwrap_err();
        assert!(error.to_string().contains("--node-cap"), "{error}");
    }
}
