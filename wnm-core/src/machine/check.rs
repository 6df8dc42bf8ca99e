//! What must hold between settings.

use std::fmt::Display;
use std::num::NonZeroU32;

use crate::container::Block;
use crate::id::ContainerId;
use crate::id::NodeId;
use crate::kind::Supervisor;
use crate::machine::{Band, IoBands, Machine};
use crate::ports::{BlockFault, PortError, PortUse};

/// Settings that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Names of the options in question.
    pub options: Vec<&'static str>,
    /// What is right instead.
    pub problem: String,
}

/// Every conflict between the settings of a machine.
pub fn conflicts(machine: &Machine) -> Vec<Conflict> {
    let t = &machine.thresholds;
    let mut found: Vec<Conflict> = [
        band("cpu_less_than", "cpu_remove", &t.cpu),
        band("mem_less_than", "mem_remove", &t.memory),
        band("hd_less_than", "hd_remove", &t.disk),
        band("desired_load_average", "max_load_average_allowed", &t.load),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.extend(traffic(
        &t.disk_io,
        ("hdio_read_less_than", "hdio_read_remove"),
        ("hdio_write_less_than", "hdio_write_remove"),
    ));
    found.extend(traffic(
        &t.net_io,
        ("netio_read_less_than", "netio_read_remove"),
        ("netio_write_less_than", "netio_write_remove"),
    ));
    found.extend(ports(machine));
    found
}

/// The gap between the two is what keeps a colony from adding and removing in turn.
fn band<T: PartialOrd + Display>(
    add: &'static str,
    remove: &'static str,
    band: &Band<T>,
) -> Option<Conflict> {
    if band.add_below < band.remove_above {
        return None;
    }
    let (below, above) = (&band.add_below, &band.remove_above);
    Some(Conflict {
        options: vec![add, remove],
        problem: format!("{add} ({below}) must be below {remove} ({above})"),
    })
}

fn traffic(
    bands: &IoBands,
    read: (&'static str, &'static str),
    write: (&'static str, &'static str),
) -> Vec<Conflict> {
    if !bands.is_on() {
        return Vec::new();
    }
    [
        band(read.0, read.1, &bands.read),
        band(write.0, write.1, &bands.write),
    ]
    .into_iter()
    .flatten()
    .map(|mut conflict| {
        // Setting one of the four turns all on, so each of them may be to blame.
        conflict.options = vec![read.0, read.1, write.0, write.1];
        conflict
            .problem
            .push_str("; all four count once one is set, and none when all are 0");
        conflict
    })
    .collect()
}

fn ports(machine: &Machine) -> Option<Conflict> {
    // A colony that may have no node still has to have room for the first.
    let highest = NodeId::new(machine.node_cap).unwrap_or(NodeId::FIRST);
    let size = NonZeroU32::new(machine.containers.max_nodes);
    let fits = match size.filter(|_| machine.manager.supervisor() == Supervisor::S6overlay) {
        Some(size) => blocks(machine, size, highest),
        None => machine.ports.check(highest),
    };
    let error = fits.err()?;
    let mut options = vec!["node_cap"];
    match &error {
        PortError::Overlap { what, other, .. } => options.extend([*what, *other].map(option_of)),
        PortError::PastTheEnd { base, .. } => options.extend(
            PortUse::ALL
                .into_iter()
                .filter(|what| machine.ports.base(*what) == *base)
                .map(option_of),
        ),
        PortError::NoBlock { what, fault, .. } => {
            options.extend(["max_node_per_container", "min_container_count"]);
            options.push(option_of(*what));
            if let BlockFault::Overlap { other, .. } = fault {
                options.push(option_of(*other));
            }
        }
        PortError::NotANumber(_) | PortError::NotAPort(_) | PortError::BaseOutOfRange(_) => {}
    }
    Some(Conflict {
        options,
        problem: format!("with node_cap {}, {error}", machine.node_cap),
    })
}

/// Containers have their ports in whole blocks: with the last one open all of it has to have room. The first that
/// has none is the one to tell of.
fn blocks(machine: &Machine, size: NonZeroU32, highest: NodeId) -> Result<(), PortError> {
    let last = Block::container_of(highest, size).0;
    let last = last.max(machine.containers.min_count);
    (1..=last).try_for_each(|number| match Block::of(ContainerId(number), size) {
        Some(block) => block.ports(&machine.ports).map(drop),
        None => Err(PortError::NotAPort(i64::MAX)),
    })
}

const fn option_of(range: PortUse) -> &'static str {
    match range {
        PortUse::Node => "port_start",
        PortUse::Metrics => "metrics_port_start",
        PortUse::Rpc => "rpc_port_start",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{ByteRate, Percent};
    use crate::testing::machine as sample_machine;

    #[test]
    fn a_pair_needs_a_gap() {
        let mut machine = sample_machine();
        assert_eq!(conflicts(&machine), []);
        machine.thresholds.cpu.add_below = Percent::whole(70);
        let found = conflicts(&machine);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].options, ["cpu_less_than", "cpu_remove"]);
    }

    #[test]
    fn traffic_counts_once_it_is_set() {
        let mut machine = sample_machine();
        machine.thresholds.net_io.read.remove_above = ByteRate(1);
        assert_eq!(conflicts(&machine), [], "a sum of 1 is off");
        machine.thresholds.net_io.read.remove_above = ByteRate(1000);
        let found = conflicts(&machine);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .problem
                .starts_with("netio_write_less_than (0 B/s)")
        );
    }

    #[test]
    fn the_cap_has_to_fit_into_the_ports() {
        let mut machine = sample_machine();
        machine.node_cap = 10_535;
        assert_eq!(conflicts(&machine), []);
        machine.node_cap = 10_536;
        assert_eq!(conflicts(&machine).len(), 1);
        machine.node_cap = 0;
        machine.ports.metrics = machine.ports.node;
        assert!(conflicts(&machine)[0].problem.contains("overlap"));
    }

    #[test]
    fn the_last_container_has_to_fit_into_the_ports() {
        let mut machine = sample_machine();
        machine.manager = "s6overlay+user".parse().unwrap();
        machine.containers.max_nodes = 200;
        machine.containers.min_count = 5;
        machine.node_cap = 10_400;
        assert_eq!(conflicts(&machine), []);
        machine.node_cap = 10_401;
        let found = conflicts(&machine);
        assert!(
            found[0]
                .problem
                .contains("container a53 would need node ports 65401-65600"),
            "{found:?}"
        );
        machine.node_cap = 1;
        machine.containers.min_count = 53;
        assert!(found[0].options.contains(&"min_container_count"));
        assert_eq!(conflicts(&machine).len(), 1);
    }
}
