//! Whether a port can be had.

use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use wnm_core::ports::{Port, PortUse};

/// Binds a port for a moment, as a node would for this use of it.
pub fn try_port(what: PortUse, port: Port) -> io::Result<()> {
    match what {
        PortUse::Node => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port.get())).map(drop),
        PortUse::Metrics | PortUse::Rpc => {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port.get())).map(drop)
        }
    }
}
