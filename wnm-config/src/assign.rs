use crate::OptionSpec;
use crate::value;
use crate::value::{Parsed, Reading};
use wnm_core::machine::Machine;

/// Puts a value into the machine's settings. An empty text unsets what can be unset.
pub(super) fn assign(
    m: &mut Machine,
    spec: &OptionSpec,
    text: &str,
    reading: Reading<'_>,
) -> Parsed<()> {
    super::layers::check(spec, text, reading)?;
    let text = text.trim();
    let given = (!text.is_empty()).then_some(text);
    let path = |text: &str| reading.path(text);
    let t = &mut m.thresholds;
    match spec.name {
        "rewards_address" => m.rewards = value::rewards(text)?,
        "donate_address" => m.donate_address = value::address(text)?,
        "node_cap" => m.node_cap = value::count(text)?,
        "node_storage" => m.node_storage = path(text)?,
        "crisis_bytes" => m.crisis_bytes = value::bytes(text)?,
        "node_removal_strategy" => m.removal_strategy = value::strategy(text)?,
        "cpu_less_than" => t.cpu.add_below = value::percent(text)?,
        "cpu_remove" => t.cpu.remove_above = value::percent(text)?,
        "mem_less_than" => t.memory.add_below = value::percent(text)?,
        "mem_remove" => t.memory.remove_above = value::percent(text)?,
        "hd_less_than" => t.disk.add_below = value::percent(text)?,
        "hd_remove" => t.disk.remove_above = value::percent(text)?,
        "desired_load_average" => t.load.add_below = value::load(text)?,
        "max_load_average_allowed" => t.load.remove_above = value::load(text)?,
        "hdio_read_less_than" => t.disk_io.read.add_below = value::rate(text)?,
        "hdio_read_remove" => t.disk_io.read.remove_above = value::rate(text)?,
        "hdio_write_less_than" => t.disk_io.write.add_below = value::rate(text)?,
        "hdio_write_remove" => t.disk_io.write.remove_above = value::rate(text)?,
        "netio_read_less_than" => t.net_io.read.add_below = value::rate(text)?,
        "netio_read_remove" => t.net_io.read.remove_above = value::rate(text)?,
        "netio_write_less_than" => t.net_io.write.add_below = value::rate(text)?,
        "netio_write_remove" => t.net_io.write.remove_above = value::rate(text)?,
        "delay_start" => m.delays.start = value::seconds(text)?,
        "delay_restart" => m.delays.restart = value::seconds(text)?,
        "delay_upgrade" => m.delays.upgrade = value::seconds(text)?,
        "delay_remove" => m.delays.remove = value::seconds(text)?,
        "max_concurrent_upgrades" => m.limits.upgrades = value::positive(text)?,
        "max_concurrent_starts" => m.limits.starts = value::positive(text)?,
        "max_concurrent_removals" => m.limits.removals = value::positive(text)?,
        "max_concurrent_operations" => m.limits.operations = value::positive(text)?,
        "survey_delay" => m.pacing.survey = value::milliseconds(text)?,
        "action_delay" => m.pacing.action = value::milliseconds(text)?,
        "antnode_path" => m.antnode_path = path(text)?,
        "environment" => m.launch.environment = given.map(value::environment).transpose()?,
        "start_args" => m.launch.start_args = given.map(value::arguments).transpose()?,
        "no_upnp" => m.launch.no_upnp = value::flag(text)?,
        "host" => m.host = value::host(text)?,
        "port_start" => m.ports.node = value::port_base(text)?,
        "metrics_port_start" => m.ports.metrics = value::port_base(text)?,
        "rpc_port_start" => m.ports.rpc = value::port_base(text)?,
        "process_manager" => m.manager = reading.manager(text)?,
        "antctl_path" => m.antctl_path = path(text)?,
        "antctl_debug" => m.antctl_debug = value::flag(text)?,
        "antctl_version" => m.antctl_version = given.map(value::version).transpose()?,
        "max_node_per_container" => m.containers.max_nodes = value::positive(text)?,
        "min_container_count" => m.containers.min_count = value::count(text)?,
        "docker_image" => m.containers.image = given.map(value::image).transpose()?,
        "container_network" => m.containers.network = value::container_network(text)?,
        "firewall" => m.firewall = value::firewall(text)?,
        "fleet_memory_max" => m.fleet.memory_max = given.map(value::memory).transpose()?,
        "fleet_cpu_quota" => {
            m.fleet.cpu_quota = given.map(value::quota).transpose()?.flatten();
        }
        "highest_node_id_used" => {
            m.highest_id = given.map(value::node_number).transpose()?.flatten();
        }
        "last_stopped_at" => {
            m.last_stopped_at = given.map(value::timestamp).transpose()?.flatten();
        }
        _ => return Err("is no setting of the machine".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValueKind;
    use crate::samples::sample_machine;
    use crate::samples::{options, read};
    use crate::stored::stored_value;
    use wnm_core::machine::ConfigValue;

    /// A value of each kind that no default is.
    fn another(kind: ValueKind) -> (&'static str, ConfigValue) {
        let text = |text: &str| ConfigValue::Text(text.to_owned());
        match kind {
            ValueKind::Flag => ("true", ConfigValue::Bool(true)),
            ValueKind::Load => ("1.5", ConfigValue::Float(1.5)),
            ValueKind::AbsolutePath => ("/else", text("/else")),
            ValueKind::Address => (
                "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                text("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            ),
            ValueKind::Rewards => ("donate:3,faucet", text("donate:3,faucet")),
            ValueKind::Manager => ("antctl+zen", text("antctl+zen")),
            ValueKind::Port => ("42000", ConfigValue::Int(42)),
            ValueKind::Strategy => ("oldest", text("oldest")),
            ValueKind::Host => ("localhost", text("localhost")),
            ValueKind::Environment => ("A=b", text("A=b")),
            ValueKind::Arguments => ("--a", text("--a")),
            ValueKind::Version => ("0.4.7", text("0.4.7")),
            ValueKind::Image => ("a/b:c", text("a/b:c")),
            ValueKind::Memory => ("24g", text("24G")),
            ValueKind::Choice(words) => (words[1], text(words[1])),
            _ => ("17", ConfigValue::Int(17)),
        }
    }

    /// Catches a row that was put into the wrong field or forgotten.
    #[test]
    fn every_stored_option_changes_its_own_setting_and_no_other() {
        for spec in options().all().iter().filter(|spec| spec.scope.is_stored()) {
            let before = sample_machine();
            let mut after = before.clone();
            let (given, expected) = another(spec.kind);
            read(|reading| assign(&mut after, spec, given, reading)).unwrap();
            assert_eq!(stored_value(&after, spec.name), expected, "{}", spec.name);
            let changed: Vec<_> = crate::stored_values(&before)
                .into_iter()
                .zip(crate::stored_values(&after))
                .filter(|(a, b)| a.1 != b.1)
                .map(|(a, _)| a.0)
                .collect();
            assert_eq!(changed, [spec.name]);
        }
    }

    #[test]
    fn what_can_be_unset_is_and_what_can_not_is_refused() {
        for spec in options().all().iter().filter(|spec| spec.scope.is_stored()) {
            let mut machine = sample_machine();
            let unset = read(|reading| assign(&mut machine, spec, "", reading));
            assert_eq!(unset.is_ok(), spec.can_be_unset(), "{}", spec.name);
        }
    }
}
