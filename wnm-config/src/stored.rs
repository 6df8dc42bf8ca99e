//! The machine's settings as plain values, under the names that the database and reports have for them.

use std::fmt;
use std::path::Path;

use wnm_core::machine::ConfigValue;
use wnm_core::machine::Machine;
use wnm_core::quantity::ByteRate;

/// Every setting of the machine, in the order of the Python wnm's machine-config report. What that report has
/// behind them, `dbpath`, is not the machine's.
pub fn stored_values(machine: &Machine) -> Vec<(&'static str, ConfigValue)> {
    let m = machine;
    let (t, io) = (&m.thresholds, |rate: ByteRate| int(rate.0));
    vec![
        ("id", ConfigValue::Int(1)),
        ("cpu_count", int(m.cpu_count)),
        ("node_cap", int(m.node_cap)),
        ("cpu_less_than", number(t.cpu.add_below.get())),
        ("cpu_remove", number(t.cpu.remove_above.get())),
        ("mem_less_than", number(t.memory.add_below.get())),
        ("mem_remove", number(t.memory.remove_above.get())),
        ("hd_less_than", number(t.disk.add_below.get())),
        ("hd_remove", number(t.disk.remove_above.get())),
        ("delay_start", int(m.delays.start.0)),
        ("delay_restart", int(m.delays.restart.0)),
        ("delay_upgrade", int(m.delays.upgrade.0)),
        ("delay_remove", int(m.delays.remove.0)),
        ("survey_delay", int(m.pacing.survey.0)),
        ("action_delay", int(m.pacing.action.0)),
        ("node_storage", path(&m.node_storage)),
        ("rewards_address", text(m.rewards.as_str())),
        ("donate_address", text(m.donate_address)),
        (
            "max_load_average_allowed",
            ConfigValue::Float(t.load.remove_above.get()),
        ),
        (
            "desired_load_average",
            ConfigValue::Float(t.load.add_below.get()),
        ),
        ("port_start", int(m.ports.node.thousands())),
        ("hdio_read_less_than", io(t.disk_io.read.add_below)),
        ("hdio_read_remove", io(t.disk_io.read.remove_above)),
        ("hdio_write_less_than", io(t.disk_io.write.add_below)),
        ("hdio_write_remove", io(t.disk_io.write.remove_above)),
        ("netio_read_less_than", io(t.net_io.read.add_below)),
        ("netio_read_remove", io(t.net_io.read.remove_above)),
        ("netio_write_less_than", io(t.net_io.write.add_below)),
        ("netio_write_remove", io(t.net_io.write.remove_above)),
        (
            "last_stopped_at",
            ConfigValue::Int(m.last_stopped_at.unwrap_or_default().0),
        ),
        ("host", text(&m.host)),
        ("crisis_bytes", int(m.crisis_bytes)),
        ("metrics_port_start", int(m.ports.metrics.thousands())),
        ("rpc_port_start", int(m.ports.rpc.thousands())),
        ("environment", words(m.launch.environment.as_deref())),
        ("start_args", words(m.launch.start_args.as_deref())),
        ("max_concurrent_upgrades", int(m.limits.upgrades)),
        ("max_concurrent_starts", int(m.limits.starts)),
        ("max_concurrent_removals", int(m.limits.removals)),
        ("max_concurrent_operations", int(m.limits.operations)),
        ("node_removal_strategy", text(m.removal_strategy)),
        ("process_manager", text(&m.manager)),
        ("max_node_per_container", int(m.containers.max_nodes)),
        ("min_container_count", int(m.containers.min_count)),
        ("docker_image", optional(m.containers.image.as_deref())),
        ("no_upnp", ConfigValue::Bool(m.launch.no_upnp)),
        ("antnode_path", path(&m.antnode_path)),
        ("antctl_path", path(&m.antctl_path)),
        ("antctl_debug", ConfigValue::Bool(m.antctl_debug)),
        ("antctl_version", optional(m.antctl_version.as_deref())),
        (
            "highest_node_id_used",
            m.highest_id.map_or(ConfigValue::Null, |id| int(id.get())),
        ),
        // Last, since that program has no such settings.
        ("container_network", text(m.containers.network)),
        ("firewall", text(m.firewall)),
        (
            "fleet_memory_max",
            m.fleet.memory_max.map_or(ConfigValue::Null, text),
        ),
        (
            "fleet_cpu_quota",
            m.fleet
                .cpu_quota
                .map_or(ConfigValue::Null, |quota| int(quota.get())),
        ),
    ]
}

/// One setting of the machine.
pub(super) fn stored_value(machine: &Machine, name: &str) -> ConfigValue {
    stored_values(machine)
        .into_iter()
        .find(|(key, _)| *key == name)
        .map_or(ConfigValue::Null, |(_, value)| value)
}

fn int(number: impl Into<u64>) -> ConfigValue {
    ConfigValue::Int(i64::try_from(number.into()).unwrap_or(i64::MAX))
}

/// Percentages are whole in the database; one that is not, because someone else wrote it, is told as it is.
fn number(number: f64) -> ConfigValue {
    if number.fract() == 0.0 && number < 1e15 {
        ConfigValue::Int(number as i64)
    } else {
        ConfigValue::Float(number)
    }
}

fn text(text: impl fmt::Display) -> ConfigValue {
    ConfigValue::Text(text.to_string())
}

fn path(path: &Path) -> ConfigValue {
    text(path.display())
}

fn optional(value: Option<&str>) -> ConfigValue {
    value.map_or(ConfigValue::Null, text)
}

/// The Python wnm stores no words as the empty text.
fn words(value: Option<&str>) -> ConfigValue {
    text(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::sample_machine;
    use wnm_report::config_line;

    #[test]
    fn the_order_and_the_words_are_those_of_the_python() {
        let path = wnm_fixtures::fixture("python/report-0.6.3/machine-config.config");
        // What is not set, ours leaves empty, where the Python wnm writes a word that it takes for a value.
        let fixture = std::fs::read_to_string(path)
            .unwrap()
            .replace("=None\n", "=\n");
        let machine = sample_machine();
        let ours: Vec<String> = stored_values(&machine)
            .iter()
            .map(|(name, value)| config_line(name, value))
            .collect();
        let theirs: Vec<&str> = fixture.lines().collect();
        let (shared, own) = ours.split_at(theirs.len() - 1);
        assert_eq!(shared, &theirs[..theirs.len() - 1]);
        assert_eq!(
            own,
            [
                "container_network=host",
                "firewall=auto",
                "fleet_memory_max=",
                "fleet_cpu_quota="
            ]
        );
    }
}
