//! Whether the ports of a container that is to publish them are to be had.

use std::net::{Ipv4Addr, UdpSocket};

use wnm_core::manager::{ManagerError, blocking};
use wnm_core::ports::Port;

/// Tries every port of a range, as the engine is about to do, so that a refusal names the range and the port. The
/// engine would name only the port, after having published half of them.
pub(crate) async fn check_free((first, last): (Port, Port)) -> Result<(), ManagerError> {
    blocking(move || {
        for port in first.get()..=last.get() {
            if let Err(error) = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)) {
                return Err(ManagerError::Rejected {
                    what: format!("publishing node ports {first}-{last}"),
                    words: format!("{port} is taken by another program: {error}"),
                });
            }
        }
        Ok(())
    })
    .await
}
