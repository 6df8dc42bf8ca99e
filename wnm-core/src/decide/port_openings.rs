//! The ports to open again.

use super::{MachineAct, MachineStep, NodeList, Reason};
use crate::machine::FirewallChoice;
use crate::snapshot::Snapshot;

/// Opens the ports of all nodes after a reboot, in one step, which makes few firewall rules of many. Touches no
/// node, so it needs no answer of the supervisor.
pub(super) fn after_reboot(snapshot: &Snapshot) -> Option<MachineStep> {
    let forgets = snapshot.rebooted
        && snapshot.policy.opens_ports
        && snapshot.machine.firewall != FirewallChoice::None;
    let kept = snapshot.nodes.iter().filter(|node| node.is_kept());
    let nodes: NodeList = kept.map(|node| node.id).filter(|_| forgets).collect();
    (!nodes.ids().is_empty()).then_some(MachineStep {
        act: MachineAct::OpenPorts { nodes },
        reason: Reason::PortsForgotten,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{PlanKind, decide};
    use crate::node::DesiredState;
    use crate::snapshot::SupervisorState;
    use crate::testing::{edit, id, node, snapshot_of};

    fn rebooted() -> Snapshot {
        let mut removed = node(2);
        edit(&mut removed, |n| n.desired.state = DesiredState::Absent);
        let mut snapshot = snapshot_of([node(1), removed, node(3)]);
        snapshot.rebooted = true;
        snapshot.policy.opens_ports = true;
        snapshot
    }

    #[test]
    fn after_a_reboot_the_ports_of_all_kept_nodes_are_opened() {
        let mut snapshot = rebooted();
        let plan = decide(&snapshot);
        let nodes = [1, 3].map(id).into_iter().collect();
        let open = MachineStep {
            act: MachineAct::OpenPorts { nodes },
            reason: Reason::PortsForgotten,
        };
        assert_eq!(plan.machine_steps, std::slice::from_ref(&open));
        assert_eq!((plan.kind, plan.steps), (PlanKind::Rebooted, Vec::new()));
        snapshot.supervisor = SupervisorState::Silent("away".to_owned());
        assert_eq!(decide(&snapshot).machine_steps, [open]);
    }

    #[test]
    fn ports_stay_as_they_are_otherwise() {
        let mut same_boot = rebooted();
        same_boot.rebooted = false;
        let mut opens_none = rebooted();
        opens_none.policy.opens_ports = false;
        let mut no_firewall = rebooted();
        no_firewall.machine.firewall = FirewallChoice::None;
        let mut no_nodes = rebooted();
        no_nodes.nodes.clear();
        for snapshot in [same_boot, opens_none, no_firewall, no_nodes] {
            assert_eq!(decide(&snapshot).machine_steps, []);
        }
    }
}
