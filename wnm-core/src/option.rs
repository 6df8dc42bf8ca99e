//! Options: what a setting or a word of the command line is called, and what its value is.

use std::borrow::Cow;
use std::fmt;

/// One option, wherever it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSpec {
    /// Name with underscores, as config files and the database spell it.
    pub name: &'static str,
    /// Whether and where its value is kept.
    pub scope: Scope,
    /// Under which heading help shows it.
    pub group: Group,
    /// What its value is.
    pub kind: ValueKind,
    /// What holds when it is given nowhere, for help.
    pub default: DefaultValue,
    /// Whether the environment is looked at.
    pub env: bool,
    /// What it is for, one line.
    pub help: Cow<'static, str>,
    /// The letter for it, if it has one.
    pub short: Option<char>,
}

impl OptionSpec {
    /// Name with hyphens, as help shows it: `node-cap`.
    pub fn long(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Name of its environment variable, if it has one: `NODE_CAP`.
    pub fn env_name(&self) -> Option<String> {
        self.env.then(|| self.name.to_uppercase())
    }

    /// Whether a config file may hold it. One that names another file, and questions, make no sense there.
    pub fn in_file(&self) -> bool {
        self.scope != Scope::Query && self.name != "config"
    }

    /// Whether an empty value takes away what was set before. Others need a value.
    pub fn can_be_unset(&self) -> bool {
        matches!(
            self.kind,
            ValueKind::Environment
                | ValueKind::Arguments
                | ValueKind::Version
                | ValueKind::Image
                | ValueKind::NodeNumber
                | ValueKind::Timestamp
                | ValueKind::Memory
                | ValueKind::Quota
        )
    }

    /// Whether it may stand alone, without a value.
    pub fn is_flag(&self) -> bool {
        matches!(self.kind, ValueKind::Flag | ValueKind::Repeated)
    }
}

/// Whether and where a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In the database, from the run that gives it on.
    Stored,
    /// In the database, and fixed once the colony is initialised.
    StoredImmutable,
    /// In the database, where wnm keeps it by itself. Set by hand only with `--force-action update_config`.
    StoredByHand,
    /// Nowhere: this run only.
    Run,
    /// Nowhere: it is a question that is answered without touching a database.
    Query,
}

impl Scope {
    /// Whether the database has it.
    pub const fn is_stored(self) -> bool {
        matches!(
            self,
            Scope::Stored | Scope::StoredImmutable | Scope::StoredByHand
        )
    }
}

/// What a value is, and so how it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// On or off; alone it means on.
    Flag,
    /// A flag that counts how often it was given.
    Repeated,
    /// Words without a form of their own.
    Text,
    /// A path that need not be absolute.
    Path,
    /// An absolute path; `~` expands.
    AbsolutePath,
    /// A database: a path or `sqlite:///…`; `~` and `$VAR` expand.
    Database,
    /// A whole number from 0.
    Count,
    /// A whole number from 1.
    Positive,
    /// A threshold on a share: a whole number of percent. Above 100 it is never reached.
    Percent,
    /// Bytes per second.
    Rate,
    /// Bytes.
    Bytes,
    /// A load average.
    Load,
    /// Whole seconds.
    Seconds,
    /// Whole milliseconds.
    Milliseconds,
    /// Seconds since 1970.
    Timestamp,
    /// Number of a node.
    NodeNumber,
    /// Names of nodes with commas in between.
    NodeNames,
    /// An account on an EVM chain.
    Address,
    /// One recipient or a weighted list of them.
    Rewards,
    /// A process manager.
    Manager,
    /// Start of a port range, in thousands or as a full port.
    Port,
    /// Which node goes first.
    Strategy,
    /// A host name or address.
    Host,
    /// `KEY=value` words.
    Environment,
    /// Arguments, quoted as for a shell.
    Arguments,
    /// A version number.
    Version,
    /// A container image.
    Image,
    /// An amount of memory, with a unit or as a share.
    Memory,
    /// Processor time, in percent of one processor.
    Quota,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl ValueKind {
    /// The word that stands for the value in help.
    pub const fn placeholder(self) -> &'static str {
        match self {
            ValueKind::Flag => "BOOL",
            ValueKind::Repeated | ValueKind::Count | ValueKind::Positive => "N",
            ValueKind::Text => "TEXT",
            ValueKind::Path | ValueKind::AbsolutePath | ValueKind::Database => "PATH",
            ValueKind::Percent => "PERCENT",
            ValueKind::Rate => "BYTES/S",
            ValueKind::Bytes => "BYTES",
            ValueKind::Load => "LOAD",
            ValueKind::Seconds => "SECONDS",
            ValueKind::Milliseconds => "MS",
            ValueKind::Timestamp => "UNIXTIME",
            ValueKind::NodeNumber => "NUMBER",
            ValueKind::NodeNames => "NODES",
            ValueKind::Address => "ADDRESS",
            ValueKind::Rewards => "REWARDS",
            ValueKind::Manager => "MANAGER",
            ValueKind::Port => "PORT",
            ValueKind::Strategy => "STRATEGY",
            ValueKind::Host => "HOST",
            ValueKind::Environment => "KEY=VALUE",
            ValueKind::Arguments => "ARGS",
            ValueKind::Version => "VERSION",
            ValueKind::Image => "IMAGE",
            ValueKind::Memory => "BYTES",
            ValueKind::Quota => "PERCENT",
            ValueKind::Choice(_) => "WORD",
        }
    }
}

/// What holds when an option is given nowhere. For help only; the machine's own defaults are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing.
    Absent,
    /// Always this.
    Fixed(&'static str),
    /// Something of the machine's, in words.
    Computed(&'static str),
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefaultValue::Absent => Ok(()),
            DefaultValue::Fixed(text) | DefaultValue::Computed(text) => f.pad(text),
        }
    }
}

/// The headings of help, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// What this run does.
    Run,
    /// Doing something now instead of deciding.
    Force,
    /// Reports.
    Report,
    /// What is shown on the way.
    Output,
    /// Whose the colony is and how big it may grow.
    Colony,
    /// What load is held against.
    Thresholds,
    /// The same for traffic.
    Traffic,
    /// Delays after changes.
    Delays,
    /// How much happens at once and how fast.
    Pace,
    /// What nodes are started with.
    Nodes,
    /// Port ranges.
    Ports,
    /// Supervisors.
    Manager,
    /// What wnm keeps by itself.
    Counters,
}

impl Group {
    /// Every heading, in its order.
    pub const ALL: [Group; 13] = [
        Group::Run,
        Group::Force,
        Group::Report,
        Group::Output,
        Group::Colony,
        Group::Thresholds,
        Group::Traffic,
        Group::Delays,
        Group::Pace,
        Group::Nodes,
        Group::Ports,
        Group::Manager,
        Group::Counters,
    ];

    /// The heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Group::Run => "This run",
            Group::Force => "Doing something now",
            Group::Report => "Reports",
            Group::Output => "Output",
            Group::Colony => "The colony",
            Group::Thresholds => "Add below, remove above",
            Group::Traffic => "Traffic thresholds (count once set, all four of a family)",
            Group::Delays => "Delays after a change",
            Group::Pace => "Pace",
            Group::Nodes => "What nodes are started with",
            Group::Ports => "Ports (fixed at --init)",
            Group::Manager => "Process manager",
            Group::Counters => "Kept by wnm (set only with --force-action update_config)",
        }
    }
}
