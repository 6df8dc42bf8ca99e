//! A node's metrics, as a pure function of its identity and the time. The node keeps no state between two
//! requests, and a test gets the same values for the same moment.

use crate::identity::mix;

/// All values change every so many seconds, as the uptime of the real node does.
const STEP: u64 = 10;

/// How many records a node can store.
const MAX_RECORDS: u64 = 16_384;

/// The labels of the record types.
pub(crate) const RECORD_KINDS: [&str; 3] = ["Chunk", "Pointer", "Scratchpad"];

/// The values at one moment, in the units of the metrics page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Readings {
    /// Seconds since the process started.
    pub uptime: u64,
    pub records: u64,
    pub relevant_records: u64,
    pub max_records: u64,
    /// Successful puts since the start, for each of [`RECORD_KINDS`].
    pub puts: [u64; RECORD_KINDS.len()],
    pub put_errors: u64,
    pub connected_peers: u64,
    pub open_connections: u64,
    pub routing_peers: u64,
    pub network_size: u64,
    pub shunned: u64,
    pub bad_peers: u64,
    pub payments: u64,
    /// In attos, so it soon exceeds 64 bits.
    pub balance: u128,
    /// Whole hours since the first start.
    pub live_time: u64,
    pub memory_mb: f64,
    pub cpu_percent: f64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// The values of the node with this `seed`, `uptime` seconds after its start and `age` seconds after its first
/// start. Values that survive a restart depend on the age, all others on the uptime.
pub(crate) fn readings(seed: u64, uptime: u64, age: u64) -> Readings {
    let per_node = |metric: u64, below: u64| mix(seed ^ mix(metric)) % below;
    let step = uptime / STEP;
    let uptime = step * STEP;
    let jitter = |metric: u64, below: u64| mix(seed ^ mix(metric) ^ mix(step)) % below;

    let records = (age / (5 + per_node(1, 15))).min(MAX_RECORDS * 3 / 4);
    let put_interval = 8 + per_node(2, 40);
    let puts = [1, 7, 23].map(|factor| uptime / (put_interval * factor));
    let target_peers = 180 + per_node(3, 60);
    // The routing table fills up in the first minutes.
    let routing_peers = (uptime * 2).min(target_peers + jitter(4, 20));
    let connected_peers = routing_peers / 6 + jitter(5, 1 + routing_peers / 10);
    let payments = age / (600 + per_node(6, 1800));
    let payment = 12_345_678_901_234_567 + u128::from(per_node(7, 1_000_000_000_000_000));
    Readings {
        uptime,
        records,
        relevant_records: records * (50 + per_node(8, 30)) / 100,
        max_records: MAX_RECORDS,
        puts,
        put_errors: uptime / 9_000,
        connected_peers,
        open_connections: connected_peers + jitter(9, 12),
        routing_peers,
        network_size: if routing_peers == 0 {
            1
        } else {
            90_000 + jitter(10, 20_000)
        },
        shunned: uptime / (40_000 + per_node(11, 80_000)),
        bad_peers: uptime / (20_000 + per_node(12, 50_000)),
        payments,
        balance: u128::from(payments) * payment,
        live_time: age / 3600,
        memory_mb: 30.0 + per_node(13, 1500) as f64 / 100.0 + jitter(14, 1000) as f64 / 100.0,
        cpu_percent: (per_node(15, 300) + jitter(16, 200)) as f64 / 1000.0,
        bytes_in: uptime * (900 + per_node(17, 4000)),
        bytes_out: uptime * (700 + per_node(18, 3000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fresh_node_reports_zeros() {
        let fresh = readings(1, 0, 0);
        assert_eq!((fresh.uptime, fresh.records, fresh.puts), (0, 0, [0; 3]));
        assert_eq!((fresh.routing_peers, fresh.balance), (0, 0));
        assert_eq!(readings(1, 9, 9).uptime, 0);
        assert_eq!(readings(1, 31, 31).uptime, 30);
    }

    #[test]
    fn balance_exceeds_64_bits() {
        let year = 365 * 24 * 3600;
        assert!(readings(5, year, year).balance > u128::from(u64::MAX));
    }

    proptest! {
        #[test]
        fn counters_never_decrease(seed: u64, uptime in 0..10_000_000u64, more in 0..100_000u64, before in 0..10_000_000u64) {
            let first = readings(seed, uptime, before + uptime);
            let later = readings(seed, uptime + more, before + uptime + more);
            prop_assert!(first.uptime <= later.uptime);
            prop_assert!(first.records <= later.records);
            prop_assert!(first.puts.iter().zip(later.puts).all(|(a, b)| *a <= b));
            prop_assert!(first.payments <= later.payments && first.balance <= later.balance);
            prop_assert!(first.shunned <= later.shunned && first.bad_peers <= later.bad_peers);
            prop_assert!(first.bytes_in <= later.bytes_in && first.live_time <= later.live_time);
            prop_assert!(later.records <= later.max_records);
            prop_assert!(later.relevant_records <= later.records);
            prop_assert!(later.connected_peers <= later.routing_peers);
            prop_assert!(later.memory_mb > 0.0 && later.cpu_percent >= 0.0);
        }

        #[test]
        fn values_differ_by_node_and_time(seed: u64) {
            let hour = readings(seed, 3600, 3600);
            prop_assert_ne!(&hour, &readings(seed.wrapping_add(1), 3600, 3600));
            prop_assert_ne!(&hour, &readings(seed, 3610, 3610));
            prop_assert!(hour.records > 0 && hour.puts[0] > 0 && hour.connected_peers > 0);
        }
    }
}
