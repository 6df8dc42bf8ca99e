//! Whether the ports of a container that is to be made are to be had.

use std::io::ErrorKind;

use wnm_core::container::{Block, ContainerNetwork};
use wnm_core::manager::ManagerError;
use wnm_core::ports::{BlockFault, Port, PortBases, PortUse};
use wnm_host::blocking;
use wnm_host::try_port;

/// What of a container's ports is the machine's: with a network of its own, what is published.
const fn on_the_machine(network: ContainerNetwork) -> &'static [PortUse] {
    match network {
        ContainerNetwork::Published => &[PortUse::Node],
        ContainerNetwork::Host => &PortUse::ALL,
    }
}

/// Tries every port of a block. One that something else has refuses it, with the range: a node that is put there
/// later would not start, and the engine, which can publish none of them then, would name the port alone.
pub(crate) async fn check_free(
    block: Block,
    bases: PortBases,
    network: ContainerNetwork,
) -> Result<(), ManagerError> {
    let ports = block.ports(&bases)?;
    blocking(move || {
        for &what in on_the_machine(network) {
            let (first, last) = ports.of(what);
            for port in (first.get()..=last.get()).filter_map(Port::new) {
                match try_port(what, port) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {
                        return Err(block.refused(what, &bases, BlockFault::Taken(port)).into());
                    }
                    Err(error) => {
                        let tried = format!("{what} port {port} of container {}", block.container);
                        return Err(ManagerError::io(tried, error));
                    }
                }
            }
        }
        Ok(())
    })
    .await
}
