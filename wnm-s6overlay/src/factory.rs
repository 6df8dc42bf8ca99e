//! What this crate registers: the names of its managers and what they declare.

use std::num::NonZeroU32;
use std::sync::Arc;

use wnm_core::container::Block;
use wnm_core::id::{ContainerId, NodeId};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{Conflict, Machine};
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::ports::PortError;
use wnm_core::registry::ManagerFactory;

use crate::{FAULT_POINTS, S6Overlay};

/// Services of s6 in containers.
pub const USER: ManagerKind = ManagerKind::from_static("s6overlay+user");

/// Builds the manager of s6 services.
#[derive(Debug, Clone, Copy, Default)]
pub struct S6OverlayFactory;

impl ManagerFactory for S6OverlayFactory {
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![USER]
    }

    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        Ok(Arc::new(S6Overlay::new(kind.clone(), context)?))
    }

    fn check(&self, machine: &Machine) -> Vec<Conflict> {
        let Some(size) = NonZeroU32::new(machine.containers.max_nodes) else {
            return Vec::new();
        };
        let error = check_blocks(machine, size).err();
        let conflict = error.map(|error| {
            let mut conflict = Conflict::of_ports(machine, &error);
            let sizes = ["max_node_per_container", "min_container_count"];
            conflict.options.splice(1..1, sizes);
            conflict
        });
        conflict.into_iter().collect()
    }

    fn fault_points(&self) -> &'static [&'static str] {
        FAULT_POINTS
    }
}

/// Containers have their ports in whole blocks: with the last one open all of it needs room. Returns the first that
/// has none.
fn check_blocks(machine: &Machine, size: NonZeroU32) -> Result<(), PortError> {
    // A colony that may have no node still needs room for the first.
    let highest = NodeId::new(machine.node_cap).unwrap_or(NodeId::FIRST);
    let last = Block::container_of(highest, size).0;
    let last = last.max(machine.containers.min_count);
    (1..=last).try_for_each(|number| match Block::of(ContainerId(number), size) {
        Some(block) => block.ports(&machine.ports).map(drop),
        None => Err(PortError::NotAPort(i64::MAX)),
    })
}

#[cfg(test)]
mod tests {
    use wnm_core::testing;

    use super::*;

    #[test]
    fn the_last_container_has_to_fit_into_the_ports() {
        let mut machine = testing::machine();
        machine.manager = USER;
        machine.containers.max_nodes = 200;
        machine.containers.min_count = 5;
        machine.node_cap = 10_400;
        assert_eq!(S6OverlayFactory.check(&machine), []);
        machine.node_cap = 10_401;
        let found = S6OverlayFactory.check(&machine);
        assert!(
            found[0]
                .problem
                .contains("container a53 would need node ports 65401-65600"),
            "{found:?}"
        );
        machine.node_cap = 1;
        machine.containers.min_count = 53;
        assert!(found[0].options.contains(&"min_container_count"));
        assert_eq!(S6OverlayFactory.check(&machine).len(), 1);
    }
}
