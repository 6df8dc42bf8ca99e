//! Which numbers cannot be given to a new node although no node has them.

use std::io;
use std::path::Path;

use super::deadline::{FILE_SYSTEM_DEADLINE, within};
use wnm_core::id::NodeId;
use wnm_core::manager::{DataLocation, ManagerPolicy, PortHolder};
use wnm_core::numbering::IdPolicy;
use wnm_core::ports::{NodePorts, PortBases, PortUse};
use wnm_core::snapshot::BlockedId;
use wnm_core::snapshot::TakenPort;
use wnm_host::try_port;

/// What is checked of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdChecks {
    /// Whether its ports are free.
    pub ports: bool,
    /// Whether nothing lies where its directory would be.
    pub directory: bool,
}

impl IdChecks {
    /// Everything.
    pub const ALL: Self = Self {
        ports: true,
        directory: true,
    };

    /// What this machine can check for a manager: neither ports that an engine holds nor directories elsewhere.
    pub fn for_policy(policy: &ManagerPolicy) -> Self {
        Self {
            ports: policy.ports == PortHolder::Node,
            directory: policy.data == DataLocation::Local,
        }
    }
}

/// Tries whether these numbers can be given: that their ports are not taken by something foreign and that
/// nothing lies where their directory would be.
///
/// A port is tried by binding it for a moment, as a node would; one that only waits in TIME_WAIT is free. A
/// directory that holds anything blocks its number, since it may be the only copy of a node's key.
pub async fn blocked_ids(
    candidates: &[NodeId],
    checks: IdChecks,
    policy: IdPolicy,
    bases: &PortBases,
    storage: &Path,
) -> Vec<BlockedId> {
    let (ids, bases, place) = (candidates.to_vec(), *bases, storage.to_owned());
    let found = within(FILE_SYSTEM_DEADLINE, move || {
        ids.iter()
            .filter_map(|&id| {
                let port = || port_in_the_way(id, policy, &bases);
                let entry = || entry_in_the_way(id, &place);
                let port = checks.ports.then(port).flatten();
                let reason = port.or_else(|| checks.directory.then(entry).flatten())?;
                Some(BlockedId { id, reason })
            })
            .collect()
    })
    .await;
    found.unwrap_or_else(|error| {
        let reason = format!("{} cannot be looked at: {error}", storage.display());
        let block = |&id| BlockedId {
            id,
            reason: reason.clone(),
        };
        candidates.iter().map(block).collect()
    })
}

/// Tries the ports of nodes that do not run, by binding each for a moment.
pub async fn taken_ports(wanted: Vec<(NodeId, NodePorts)>) -> Vec<TakenPort> {
    let tried = within(FILE_SYSTEM_DEADLINE, move || {
        let in_use = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
        let mut taken = Vec::new();
        for (id, ports) in wanted {
            let mut push = |range, port| taken.push(TakenPort { id, range, port });
            if try_port(PortUse::Node, ports.node).is_err_and(in_use) {
                push(PortUse::Node, ports.node);
            }
            if let Some(metrics) = ports.metrics
                && try_port(PortUse::Metrics, metrics).is_err_and(in_use)
            {
                push(PortUse::Metrics, metrics);
            }
        }
        taken
    })
    .await;
    tried.unwrap_or_default()
}

fn port_in_the_way(id: NodeId, policy: IdPolicy, bases: &PortBases) -> Option<String> {
    let ports = match bases.of(id) {
        Ok(ports) => ports,
        Err(error) => return Some(error.to_string()),
    };
    let used = [
        (PortUse::Node, Some(ports.node)),
        (PortUse::Metrics, ports.metrics),
    ];
    used.into_iter().find_map(|(what, port)| {
        let port = port?;
        let error = try_port(what, port).err()?;
        let whose = range_around(id, what, policy, bases).unwrap_or_default();
        Some(match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("{what} port {port}{whose} is taken by another program")
            }
            _ => format!("{what} port {port}{whose} cannot be used: {error}"),
        })
    })
}

/// Whose range the port of a node is in, where containers have ranges.
fn range_around(id: NodeId, what: PortUse, policy: IdPolicy, bases: &PortBases) -> Option<String> {
    let block = policy.block_of(id)?;
    let (first, last) = block.ports(bases).ok()?.of(what);
    Some(format!(
        " of container {} ({first}-{last})",
        block.container
    ))
}

fn entry_in_the_way(id: NodeId, storage: &Path) -> Option<String> {
    let path = storage.join(id.directory_name());
    let shown = path.display();
    let unreadable = |error: io::Error| Some(format!("{shown} cannot be looked at: {error}"));
    let entry = match std::fs::symlink_metadata(&path) {
        Ok(entry) => entry,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return unreadable(error),
    };
    if !entry.is_dir() {
        return Some(format!("{shown} is in the way and not a directory"));
    }
    match std::fs::read_dir(&path).map(|mut entries| entries.next()) {
        Ok(None) => None,
        Ok(Some(_)) => Some(format!(
            "{shown} holds data of a node that wnm does not know"
        )),
        Err(error) => unreadable(error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, UdpSocket};

    use super::*;
    use wnm_core::ports::PortBase;

    /// A listener on a port that belongs to some node, the bases by which it does, and that node.
    fn somewhere<S>(bind: impl Fn(u16) -> io::Result<S>) -> (S, u16, PortBase, NodeId) {
        for port in (20_001..32_000).step_by(7) {
            let Some(id) = NodeId::new(u32::from(port % 1000)) else {
                continue;
            };
            if let Ok(socket) = bind(port) {
                return (
                    socket,
                    port,
                    PortBase::from_number(port.into()).unwrap(),
                    id,
                );
            }
        }
        panic!("no port is free");
    }

    fn bases(node: PortBase, metrics: PortBase) -> PortBases {
        PortBases {
            node,
            metrics,
            ..PortBases::default()
        }
    }

    async fn reason(id: NodeId, bases: PortBases, storage: &Path) -> Option<String> {
        let checks = IdChecks::ALL;
        let mut blocked = blocked_ids(&[id], checks, IdPolicy::FillHoles, &bases, storage).await;
        assert!(blocked.len() <= 1);
        blocked.pop().map(|blocked| {
            assert_eq!(blocked.id, id);
            blocked.reason
        })
    }

    #[tokio::test]
    async fn a_foreign_listener_blocks_a_number_until_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (socket, port, base, id) = somewhere(|port| {
            // Both kinds, so that it is the UDP socket alone that is found later.
            TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            UdpSocket::bind((Ipv4Addr::LOCALHOST, port))
        });
        let expected = format!("node port {port} is taken by another program");
        assert_eq!(
            reason(id, bases(base, base), dir.path()).await,
            Some(expected)
        );
        drop(socket);
        assert_eq!(reason(id, bases(base, base), dir.path()).await, None);

        let (listener, port, base, id) = somewhere(|port| {
            UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
            TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        });
        let expected = format!("metrics port {port} is taken by another program");
        assert_eq!(
            reason(id, bases(base, base), dir.path()).await,
            Some(expected)
        );

        // The listener's side closes first and is left in TIME_WAIT.
        let client = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        drop(accepted);
        io::copy(&mut &client, &mut io::sink()).unwrap();
        drop((client, listener));
        assert_eq!(reason(id, bases(base, base), dir.path()).await, None);
    }

    #[tokio::test]
    async fn a_number_past_the_last_port_is_blocked() {
        let id = NodeId::new(60_000).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let reason = reason(id, PortBases::default(), dir.path()).await.unwrap();
        assert!(reason.contains("past 65535"), "{reason}");
    }

    #[test]
    fn what_lies_where_the_directory_would_be_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let id = NodeId::FIRST;
        let path = dir.path().join("antnode0001");
        let missing = dir.path().join("no storage yet");
        assert_eq!(entry_in_the_way(id, dir.path()), None);
        assert_eq!(entry_in_the_way(id, &missing), None);
        std::fs::create_dir(&path).unwrap();
        assert_eq!(entry_in_the_way(id, dir.path()), None, "an empty directory");
        std::fs::write(path.join("secret-key"), "key").unwrap();
        let reason = entry_in_the_way(id, dir.path()).unwrap();
        assert_eq!(
            reason,
            format!(
                "{} holds data of a node that wnm does not know",
                path.display()
            )
        );
        std::fs::remove_dir_all(&path).unwrap();
        for in_the_way in ["file", "link"] {
            match in_the_way {
                "file" => std::fs::write(&path, "").unwrap(),
                _ => std::os::unix::fs::symlink("nowhere", &path).unwrap(),
            }
            let reason = entry_in_the_way(id, dir.path()).unwrap();
            assert_eq!(
                reason,
                format!("{} is in the way and not a directory", path.display())
            );
            std::fs::remove_file(&path).unwrap();
        }
    }
}
