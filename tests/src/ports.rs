//! Three port ranges for each test, although tests run side by side.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::time::Duration;

use crate::wait;

/// Ranges where a developer may have nodes, running or stopped: the defaults of the program.
const DEFAULTS: [u16; 3] = [13, 30, 55];

/// Other services have their ports below this thousand.
const FIRST: u16 = 10;

/// The last thousand with ports for more than five hundred nodes is 64.
const LAST: u16 = 64;

/// With so many thousands, four tests can run side by side.
const ENOUGH: usize = 12;

/// How long a test waits for others to return their ranges.
const DEADLINE: Duration = Duration::from_secs(300);

/// The starts of a test's three ranges, in thousands. Dropping it returns them.
#[derive(Debug)]
pub struct PortBlock {
    /// Node ports (UDP).
    pub node: u16,
    /// Metrics ports (TCP).
    pub metrics: u16,
    /// RPC ports (TCP).
    pub rpc: u16,
    /// Kernel locks. They end with the process, however it ends.
    _claims: Vec<File>,
}

impl PortBlock {
    /// Claims ranges in which nodes 1 to `highest` can have their ports.
    pub fn claim(highest: u16) -> Self {
        wait::until_some(DEADLINE, "three free port ranges", || try_claim(highest))
    }

    /// The node port of node `id`.
    pub fn node_port(&self, id: u16) -> u16 {
        self.node * 1000 + id
    }

    /// The metrics port of node `id`.
    pub fn metrics_port(&self, id: u16) -> u16 {
        self.metrics * 1000 + id
    }
}

fn try_claim(highest: u16) -> Option<PortBlock> {
    let mut free = Vec::new();
    let mut claims = Vec::new();
    let mut taken = BTreeSet::new();
    for base in candidates(ephemeral_range()) {
        let thousands = base..=base + highest / 1000;
        if thousands.clone().any(|thousand| taken.contains(&thousand)) {
            continue;
        }
        if let Some(locks) = thousands.clone().map(lock).collect::<Option<Vec<File>>>()
            && all_free(base, highest)
        {
            free.push(base);
            claims.extend(locks);
            taken.extend(thousands);
        }
        if let [node, metrics, rpc] = free[..] {
            return Some(PortBlock {
                node,
                metrics,
                rpc,
                _claims: claims,
            });
        }
    }
    None
}

/// Thousands in the order in which they are tried, from a place that differs by process so that tests rarely meet.
/// Where there are enough, only those that the kernel does not use for outgoing connections: any connection could
/// otherwise take the port of a future node, which then gets another number. It is better to wait for a test to end.
fn candidates(ephemeral: (u16, u16)) -> Vec<u16> {
    let usable = (FIRST..=LAST).filter(|thousand| !DEFAULTS.contains(thousand));
    let (mut safe, shared): (Vec<u16>, Vec<u16>) = usable
        .partition(|thousand| thousand * 1000 + 999 < ephemeral.0 || thousand * 1000 > ephemeral.1);
    if !safe.is_empty() {
        let start = std::process::id() as usize % safe.len();
        safe.rotate_left(start);
    }
    if safe.len() < ENOUGH {
        safe.extend(shared);
    }
    safe
}

/// The first and the last port that the kernel uses for outgoing connections. The default of Linux where it cannot be
/// read; other systems begin later.
fn ephemeral_range() -> (u16, u16) {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let numbers: Vec<u16> = text
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers[..] {
        [first, last] => (first, last),
        _ => (32768, 65535),
    }
}

/// Claims a thousand among all test processes of this machine.
fn lock(thousand: u16) -> Option<File> {
    let dir = std::env::temp_dir().join("wnm-test-ports");
    std::fs::create_dir_all(&dir).expect("no directory for port claims");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(format!("{thousand}.lock")))
        // Another user's file: that thousand is theirs.
        .ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Whether all ports of the range are free, for both kinds of port.
fn all_free(base: u16, highest: u16) -> bool {
    (1..=highest).all(|id| {
        let Some(port) = base
            .checked_mul(1000)
            .and_then(|start| start.checked_add(id))
        else {
            return false;
        };
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
            && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_never_overlap() {
        let first = PortBlock::claim(5);
        let second = PortBlock::claim(1001);
        let mut taken = BTreeSet::new();
        for base in [first.node, first.metrics, first.rpc] {
            assert!(taken.insert(base), "{first:?}");
        }
        for base in [second.node, second.metrics, second.rpc] {
            assert!(taken.insert(base) && taken.insert(base + 1), "{second:?}");
        }
    }

    #[test]
    fn a_range_in_use_is_skipped() {
        let block = PortBlock::claim(3);
        assert!(all_free(block.metrics, 3));
        let _node = TcpListener::bind((Ipv4Addr::LOCALHOST, block.metrics_port(2))).unwrap();
        assert!(!all_free(block.metrics, 3));
        assert!(all_free(block.metrics, 1));
    }

    #[test]
    fn ports_of_outgoing_connections_are_avoided() {
        let order = candidates((32768, 60999));
        let shared = |thousand: &u16| (32..=60).contains(thousand);
        assert!(!order.iter().any(shared), "{order:?}");
        assert_eq!(order.len(), 24, "10 to 31 without two, and 61 to 64");
        assert!(!order.iter().any(|thousand| DEFAULTS.contains(thousand)));
    }

    #[test]
    fn ports_of_outgoing_connections_come_last_where_they_are_nearly_everywhere() {
        let order = candidates((15_000, 65_535));
        assert!(
            order[..4].iter().all(|thousand| *thousand < 15),
            "{order:?}"
        );
        assert_eq!(order.len(), usize::from(LAST - FIRST) + 1 - DEFAULTS.len());
    }
}
