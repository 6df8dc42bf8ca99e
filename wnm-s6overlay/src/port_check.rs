//! Checks that the ports of a new container are free.

use std::io::ErrorKind;

use wnm_core::container::{Block, ContainerNetwork};
use wnm_core::manager::ManagerError;
use wnm_core::ports::{BlockFault, Port, PortBases, PortUse};
use wnm_host::blocking;
use wnm_host::try_port;

/// The uses of ports that a container takes on the machine. A container with its own network takes only the
/// published ones.
const fn machine_port_uses(network: ContainerNetwork) -> &'static [PortUse] {
    match network {
        ContainerNetwork::Published => &[PortUse::Node],
        ContainerNetwork::Host => &PortUse::ALL,
    }
}

/// Tries to bind every port of a block. A port in use rejects the whole block, and the error names the range: a
/// node on that port could never start, and the engine, which then publishes none of the ports, names only the one.
pub(crate) async fn check_free(
    block: Block,
    bases: PortBases,
    network: ContainerNetwork,
) -> Result<(), ManagerError> {
    let ports = block.ports(&bases)?;
    blocking(move || {
        for &port_use in machine_port_uses(network) {
            let (first, last) = ports.of(port_use);
            for port in (first.get()..=last.get()).filter_map(Port::new) {
                match try_port(port_use, port) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {
                        return Err(block
                            .refused(port_use, &bases, BlockFault::Taken(port))
                            .into());
                    }
                    Err(error) => {
                        let what =
                            format!("{port_use} port {port} of container {}", block.container);
                        return Err(ManagerError::io(what, error));
                    }
                }
            }
        }
        Ok(())
    })
    .await
}
