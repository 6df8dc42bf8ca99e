use std::borrow::Cow;
use std::sync::Arc;

use wnm_core::kind::ManagerKind;
use wnm_core::machine::{Conflict, Machine};
use wnm_core::option::{DefaultValue, Group, OptionSpec, Scope, ValueKind};
use wnm_core::registry::ManagerRegistry;

/// Below this likeness (0 to 1) a name is no spelling mistake of another.
const SUGGEST_FROM: f64 = 0.8;

const FORCE_ACTIONS: ValueKind = ValueKind::Choice(&super::force::ForceAction::WORDS);
const REPORTS: ValueKind = ValueKind::Choice(&wnm_core::reports::ReportKind::WORDS);
const FORMATS: ValueKind = ValueKind::Choice(&wnm_core::reports::ReportFormat::WORDS);
const FIREWALLS: ValueKind = ValueKind::Choice(&wnm_core::machine::FirewallChoice::WORDS);
const NETWORKS: ValueKind = ValueKind::Choice(&wnm_core::container::ContainerNetwork::WORDS);
const LOG_LEVELS: ValueKind = ValueKind::Choice(&super::run::LogLevel::WORDS);

macro_rules! options {
    ($($name:literal $scope:ident $group:ident $kind:expr, $default:expr, $env:ident, $help:expr $(, $short:literal)?;)*) => {
        {
            #[allow(unused_imports)]
            use DefaultValue::{Absent, Computed, Fixed};
            #[allow(unused_imports)]
            use ValueKind::{
                AbsolutePath, Address, Arguments, Bytes, Count, Database, Environment, Flag, Host,
                Image, Load, Manager, Memory, Milliseconds, NodeNames, NodeNumber, Path, Percent, Port,
                Positive, Quota, Rate, Repeated, Rewards, Seconds, Strategy, Text, Timestamp, Version,
            };
            &[$(OptionSpec {
                name: $name,
                scope: Scope::$scope,
                group: Group::$group,
                kind: $kind,
                default: $default,
                env: options!(@$env),
                help: Cow::Borrowed($help),
                short: options!(@short $($short)?),
            },)*]
        }
    };
    (@env) => { true };
    (@noenv) => { false };
    (@short) => { None };
    (@short $short:literal) => { Some($short) };
}

/// The options of every wnm, whatever its managers. What the environment may set is what the Python wnm lets it set.
///
/// name · scope · group · kind, default, environment, help, letter
#[rustfmt::skip]
static BASE: &[OptionSpec] = options! {
    "config"                Run  Run Path, Computed("~/.local/share/wnm/config and ~/wnm/config"), noenv, "Read options from this file, over the default ones", 'c';
    "dbpath"                Run  Run Database, Computed("colony.db, by platform and mode"), env, "The database: a path or sqlite:///…; ~ and $VAR expand";
    "dry_run"               Run  Run Flag, Absent, env, "Decide and show, change nothing";
    "init"                  Run  Run Flag, Absent, noenv, "Create the colony; needs --rewards-address";
    "import"                Run  Run Flag, Absent, noenv, "With --init: adopt the nodes that exist on this machine";
    "migrate_anm"           Run  Run Flag, Absent, noenv, "With --init: take over from anm";
    "confirm"               Run  Run Flag, Absent, noenv, "Yes, really: needed by teardown and by a database migration";
    "enable_upgrade"        Run  Run Flag, Absent, env, "Upgrade outdated nodes (nodes upgrade themselves by default)";
    "this_survey_delay"     Run  Run Milliseconds, Absent, env, "survey_delay for this run";
    "this_action_delay"     Run  Run Milliseconds, Absent, env, "action_delay for this run";
    "interval"              Run  Run Milliseconds, Absent, env, "The same as antctl spells it; wins over --this-action-delay";
    "version"               Query Run Flag, Absent, noenv, "Print the version and exit", 'V';
    "remove_lockfile"       Query Run Flag, Absent, noenv, "Remove the lock file that a crashed Python wnm left, and exit";
    "dockerfile"            Query Run Flag, Absent, noenv, "Print the Dockerfile of the image for s6overlay+user and exit";

    "force_action"          Run  Force FORCE_ACTIONS, Absent, env, "Do this instead of deciding, with --service-name or --count";
    "service_name"          Run  Force NodeNames, Absent, env, "With which nodes, as antnode0001,antnode0003; also for reports";
    "count"                 Run  Force Positive, Fixed("1"), env, "With how many nodes, where none are named";

    "report"                Run  Report REPORTS, Absent, env, "Print a report and exit";
    "report_format"         Run  Report FORMATS, Fixed("text"), env, "How: env and config are for the machine reports";
    "json"                  Run  Report Flag, Absent, noenv, "Results and reports as JSON";

    "verbose"               Run  Output Repeated, Absent, noenv, "Say more; twice for still more", 'v';
    "quiet"                 Run  Output Flag, Absent, noenv, "Say nothing but errors", 'q';
    "loglevel"              Run  Output LOG_LEVELS, Fixed("INFO"), env, "How much to say";
    "show_machine_config"   Run  Output Flag, Absent, noenv, "Show the settings on every run";
    "show_machine_metrics"  Run  Output Flag, Absent, noenv, "Show the measured load on every run";
    "show_decisions"        Run  Output Flag, Absent, noenv, "Show what the decision rests on";
    "rust_backtrace"        Run  Output Text, Absent, env, "RUST_BACKTRACE for antctl: 1 or full";

    "rewards_address"       Stored Colony Rewards, Absent, env, "Who is rewarded: 0x…, faucet, donate, or a weighted list 0x…:100,faucet:1";
    "donate_address"        Stored Colony Address, Computed("the community faucet"), env, "What 'donate' stands for";
    "node_cap"              Stored Colony Count, Fixed("20"), env, "Most nodes";
    "node_storage"          Stored Colony AbsolutePath, Computed("by platform and mode"), env, "Directory that holds a directory per node";
    "crisis_bytes"          Stored Colony Bytes, Fixed("2000000000"), env, "What a node may come to store; for a warning only";
    "node_removal_strategy" Stored Colony Strategy, Fixed("youngest"), env, "Which node goes first: youngest, oldest, least-records, most-shunned, highest-memory";

    "cpu_less_than"         Stored Thresholds Percent, Fixed("50"), env, "Add below this processor time; above 100 switches a threshold off";
    "cpu_remove"            Stored Thresholds Percent, Fixed("70"), env, "Remove above it";
    "mem_less_than"         Stored Thresholds Percent, Fixed("60"), env, "Add below this memory use";
    "mem_remove"            Stored Thresholds Percent, Fixed("75"), env, "Remove above it";
    "hd_less_than"          Stored Thresholds Percent, Fixed("75"), env, "Add below this fill of the node storage";
    "hd_remove"             Stored Thresholds Percent, Fixed("90"), env, "Remove above it";
    "desired_load_average"  Stored Thresholds Load, Computed("0.6 × processors"), env, "Add below this load average";
    "max_load_average_allowed" Stored Thresholds Load, Computed("1.0 × processors"), env, "Remove above it";

    "hdio_read_less_than"   Stored Traffic Rate, Fixed("0"), env, "Add below this much read from disk";
    "hdio_read_remove"      Stored Traffic Rate, Fixed("0"), env, "Remove above it";
    "hdio_write_less_than"  Stored Traffic Rate, Fixed("0"), env, "Add below this much written to disk";
    "hdio_write_remove"     Stored Traffic Rate, Fixed("0"), env, "Remove above it";
    "netio_read_less_than"  Stored Traffic Rate, Fixed("0"), env, "Add below this much received";
    "netio_read_remove"     Stored Traffic Rate, Fixed("0"), env, "Remove above it";
    "netio_write_less_than" Stored Traffic Rate, Fixed("0"), env, "Add below this much sent";
    "netio_write_remove"    Stored Traffic Rate, Fixed("0"), env, "Remove above it";

    "delay_start"           Stored Delays Seconds, Fixed("300"), env, "After a node was added or started";
    "delay_restart"         Stored Delays Seconds, Fixed("600"), env, "Before a stopped node is started again";
    "delay_upgrade"         Stored Delays Seconds, Fixed("300"), env, "After a node was upgraded";
    "delay_remove"          Stored Delays Seconds, Fixed("300"), env, "After a node was stopped or removed";

    "max_concurrent_upgrades"   Stored Pace Positive, Fixed("1"), env, "Most upgrades under way";
    "max_concurrent_starts"     Stored Pace Positive, Fixed("1"), env, "Most adds and starts under way";
    "max_concurrent_removals"   Stored Pace Positive, Fixed("1"), env, "Most stops and removals under way";
    "max_concurrent_operations" Stored Pace Positive, Fixed("1"), env, "Most of all of them under way";
    "survey_delay"          Stored Pace Milliseconds, Fixed("0"), env, "Pause between two nodes of a survey";
    "action_delay"          Stored Pace Milliseconds, Fixed("0"), env, "Pause between two operations";

    "antnode_path"          Stored Nodes AbsolutePath, Fixed("~/.local/bin/antnode"), env, "The node program that nodes get a copy of";
    "environment"           Stored Nodes Environment, Absent, env, "KEY=value words for the environment of nodes; empty to unset";
    "start_args"            Stored Nodes Arguments, Absent, env, "Further arguments of nodes, quoted as for a shell; empty to unset";
    "no_upnp"               Stored Nodes Flag, Absent, env, "Nodes leave the router alone; --no-upnp=false to clear";
    "host"                  Stored Nodes Host, Fixed("127.0.0.1"), env, "Where nodes are surveyed";

    "port_start"            StoredImmutable Ports Port, Fixed("55"), env, "Node N has port 55000 + N";
    "metrics_port_start"    StoredImmutable Ports Port, Fixed("13"), env, "and is surveyed at 13000 + N";
    "rpc_port_start"        StoredImmutable Ports Port, Fixed("30"), env, "and antctl controls it at 30000 + N";

    "process_manager"       StoredImmutable Manager Manager, Computed("systemd+user, launchd+user or setsid+user, by what there is"), env, "Who runs the nodes; fixed at --init";
    "antctl_path"           Stored Manager AbsolutePath, Fixed("~/.local/bin/antctl"), env, "antctl: where it is";
    "antctl_debug"          Stored Manager Flag, Absent, env, "antctl: ask for its debug output";
    "antctl_version"        Stored Manager Version, Absent, env, "antctl: ask for this version of antnode; empty for the latest";
    "max_node_per_container" StoredImmutable Manager Positive, Fixed("200"), env, "s6overlay: most nodes in a container; fixed at --init, as ports go by it";
    "min_container_count"   Stored Manager Count, Fixed("1"), env, "s6overlay: containers there are from the start";
    "docker_image"          Stored Manager Image, Fixed("iweave/antnode:latest"), env, "s6overlay: image of new containers";
    "container_network"     Stored Manager NETWORKS, Fixed("host"), env, "s6overlay: how new containers are connected: published (a network of their own, node ports published) or host";

    "firewall"              Stored Manager FIREWALLS, Fixed("auto"), env, "Where ports of nodes are opened; auto: in the active one, with root's rights";
    "fleet_memory_max"      Stored Manager Memory, Absent, env, "systemd: most memory for all nodes together, as 24G or 80%; empty for no limit";
    "fleet_cpu_quota"       Stored Manager Quota, Absent, env, "systemd: most processor time for all nodes together, in percent of one processor, as 350; 0 for no limit";

    "highest_node_id_used"  StoredByHand Counters NodeNumber, Absent, env, "Highest node number ever given (antctl)";
    "last_stopped_at"       StoredByHand Counters Timestamp, Absent, env, "When a node was last stopped for load";
};

/// All options of a wnm: those of every one, and those of its managers.
#[derive(Debug, Clone)]
pub struct OptionTable {
    specs: Arc<[OptionSpec]>,
    kinds: Arc<[ManagerKind]>,
    managers: ManagerRegistry,
}

impl OptionTable {
    /// The options of a wnm with these managers, in the order of help.
    pub fn new(managers: &ManagerRegistry) -> Self {
        let kinds = managers.kinds();
        let mut specs: Vec<OptionSpec> = BASE.to_vec();
        for spec in &mut specs {
            if spec.kind == ValueKind::Manager && !kinds.is_empty() {
                let listed = list(&kinds);
                spec.help = format!("Who runs the nodes: {listed}; fixed at --init").into();
            }
        }
        Self {
            specs: specs.into(),
            kinds: kinds.into(),
            managers: managers.clone(),
        }
    }

    /// Every option, in the order of help.
    pub fn all(&self) -> &[OptionSpec] {
        &self.specs
    }

    /// The managers that can be named.
    pub fn kinds(&self) -> &[ManagerKind] {
        &self.kinds
    }

    /// Every conflict between the settings of a machine.
    pub fn conflicts(&self, machine: &Machine) -> Vec<Conflict> {
        self.managers.conflicts(machine)
    }

    /// The option of this name: hyphens or underscores, any case, with or without leading hyphens.
    pub fn find(&self, name: &str) -> Option<&OptionSpec> {
        let wanted = normal(name);
        self.specs.iter().find(|spec| spec.name == wanted)
    }

    /// The option whose name is most like this one, if any is.
    pub fn nearest(&self, name: &str) -> Option<&OptionSpec> {
        let wanted = normal(name);
        self.specs
            .iter()
            .map(|spec| (strsim::jaro_winkler(spec.name, &wanted), spec))
            .filter(|(likeness, _)| *likeness >= SUGGEST_FROM)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, spec)| spec)
    }
}

/// Names of managers, with commas in between.
pub(crate) fn list(kinds: &[ManagerKind]) -> String {
    let names: Vec<&str> = kinds.iter().map(ManagerKind::as_str).collect();
    names.join(", ")
}

fn normal(name: &str) -> String {
    let name = name.trim();
    let bare = name.strip_prefix("--").unwrap_or(name);
    bare.replace('-', "_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::samples::options;

    #[test]
    fn names_and_letters_are_unique_and_grouped() {
        let names: BTreeSet<_> = options().all().iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), options().all().len());
        let letters: Vec<_> = options()
            .all()
            .iter()
            .filter_map(|spec| spec.short)
            .collect();
        assert_eq!(letters, ['c', 'V', 'v', 'q']);
        assert!(
            options().all().is_sorted_by_key(|spec| spec.group),
            "help shows a heading once"
        );
        for spec in options().all() {
            assert!(
                spec.name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_')
            );
        }
    }

    #[test]
    fn what_no_environment_sets_is_what_the_python_keeps_from_it() {
        let without: Vec<_> = options()
            .all()
            .iter()
            .filter(|spec| spec.env_name().is_none())
            .map(|spec| spec.name)
            .collect();
        insta::assert_snapshot!(without.join(" "), @"config init import migrate_anm confirm version remove_lockfile dockerfile json verbose quiet show_machine_config show_machine_metrics show_decisions");
    }

    #[test]
    fn every_spelling_finds_the_option() {
        for name in [
            "node_cap",
            "node-cap",
            "--node-cap",
            "--node_cap",
            "NODE_CAP",
        ] {
            assert_eq!(options().find(name).unwrap().name, "node_cap", "{name}");
        }
        assert!(options().find("node").is_none());
    }

    #[test]
    fn a_slip_finds_its_neighbour_and_nonsense_nothing() {
        for (slip, meant) in [
            ("nodecap", "node_cap"),
            ("--rewards-adress", "rewards_address"),
            ("cpu_remov", "cpu_remove"),
        ] {
            assert_eq!(options().nearest(slip).unwrap().name, meant);
        }
        assert!(options().nearest("xyzzy").is_none());
    }
}
