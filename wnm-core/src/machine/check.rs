//! What must hold between settings.

use std::fmt::Display;

use serde::Serialize;

use crate::id::NodeId;
use crate::machine::{Band, IoBands, Machine};
use crate::ports::{BlockFault, PortError, PortUse};

/// Settings that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Names of the options in question.
    pub options: Vec<&'static str>,
    /// What is right instead.
    pub problem: String,
}

/// Conflicts between settings that mean the same under every manager. Those of ports are for the manager to say,
/// as by [`port_conflicts`].
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

/// Whether each node up to the cap has ports of its own.
pub fn port_conflicts(machine: &Machine) -> Vec<Conflict> {
    // A colony that may have no node still has to have room for the first.
    let highest = NodeId::new(machine.node_cap).unwrap_or(NodeId::FIRST);
    let error = machine.ports.check(highest).err();
    let conflict = error.map(|error| Conflict::of_ports(machine, &error));
    conflict.into_iter().collect()
}

impl Conflict {
    /// That the ports up to the cap are not to be had, for this reason.
    pub fn of_ports(machine: &Machine, error: &PortError) -> Self {
        let mut options = vec!["node_cap"];
        match error {
            PortError::Overlap { what, other, .. } => {
                options.extend([*what, *other].map(option_of));
            }
            PortError::PastTheEnd { base, .. } => options.extend(
                PortUse::ALL
                    .into_iter()
                    .filter(|what| machine.ports.base(*what) == *base)
                    .map(option_of),
            ),
            PortError::NoBlock { what, fault, .. } => {
                options.push(option_of(*what));
                if let BlockFault::Overlap { other, .. } = fault {
                    options.push(option_of(*other));
                }
            }
            PortError::NotANumber(_) | PortError::NotAPort(_) | PortError::BaseOutOfRange(_) => {}
        }
        Self {
            options,
            problem: format!("with node_cap {}, {error}", machine.node_cap),
        }
    }
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
        assert_eq!(port_conflicts(&machine), []);
        machine.node_cap = 10_536;
        assert_eq!(port_conflicts(&machine).len(), 1);
        machine.node_cap = 0;
        machine.ports.metrics = machine.ports.node;
        assert!(port_conflicts(&machine)[0].problem.contains("overlap"));
    }
}
