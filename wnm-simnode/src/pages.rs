//! The node's two pages: `/metadata` and `/metrics`. The names of series, the labels, the order and the size
//! (about 40 KB with connected peers) match the real node.

mod transport;

use crate::exposition::Page;
use crate::readings::{RECORD_KINDS, Readings};

/// The protocol on the metadata page of the real node.
pub(crate) const PROTOCOL: &str = "ant/1.0/1";

const POWERS_OF_TWO: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
const FIFTHS: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

/// Renders the page `/metadata`.
pub(crate) fn metadata(version: &str, peer_id: &str) -> String {
    let mut page = Page::default();
    page.info(
        "ant_node",
        "antnode_version",
        "Version of this node.",
        version,
    );
    page.info(
        "ant_node",
        "antnode_branch",
        "Branch it was built from.",
        "simulated",
    );
    page.info(
        "ant_networking",
        "peer_id",
        "Peer id of this node.",
        peer_id,
    );
    page.info(
        "ant_networking",
        "identify_protocol_str",
        "Protocol by which peers of one network know each other.",
        PROTOCOL,
    );
    page.info(
        "ant_networking",
        "min_node_version",
        "Oldest version that is let in.",
        "0.4.15",
    );
    page.finish()
}

/// Renders the page `/metrics`.
pub(crate) fn metrics(r: &Readings) -> String {
    let mut page = Page::default();
    node(&mut page, r);
    transport::write(&mut page, r);
    networking(&mut page, r);
    page.finish()
}

fn node(page: &mut Page, r: &Readings) {
    let puts = "ant_node_put_record_ok";
    page.family(puts, "counter", "Records stored on request.");
    for (kind, &count) in RECORD_KINDS.iter().zip(&r.puts) {
        // The real node omits a labelled series before its first use.
        if count > 0 {
            let labels = format!("record_type=\"{kind}\"");
            page.labelled("ant_node_put_record_ok_total", &labels, count);
        }
    }
    page.counter("ant_node_put_record_err", "Records refused.", r.put_errors);
    page.counter(
        "ant_node_replication_triggered",
        "Replications begun.",
        r.uptime / 90,
    );
    let keys = "ant_node_replication_keys_to_fetch";
    page.family(keys, "histogram", "Keys to fetch, by replication.");
    page.histogram(keys, "", &POWERS_OF_TWO[..4], r.uptime / 90, 3.0);
    let holders = "ant_node_network_wide_replication_holders_v2";
    page.family(
        holders,
        "histogram",
        "Share of the close group that holds a record.",
    );
    page.histogram(holders, "", &FIFTHS, r.records / 10, 0.9);
    page.counter(
        "ant_node_peer_added_to_routing_table",
        "Peers that came into the routing table.",
        r.routing_peers + r.uptime / 60,
    );
    page.counter(
        "ant_node_peer_removed_from_routing_table",
        "Peers that left the routing table.",
        r.uptime / 60,
    );
    page.gauge(
        "ant_node_current_reward_wallet_balance",
        "Rewards in the wallet.",
        r.balance,
    );
    page.gauge("ant_node_total_forwarded_rewards", "Rewards passed on.", 0);
    page.gauge("ant_node_uptime", "Seconds since the start.", r.uptime);
}

fn networking(page: &mut Page, r: &Readings) {
    let mut gauge = |name: &str, help: &str, value: u64| {
        page.gauge(&format!("ant_networking_{name}"), help, value);
    };
    gauge("records_stored", "Records stored here.", r.records);
    gauge("connected_peers", "Peers connected to.", r.connected_peers);
    gauge("connected_relay_clients", "Relay clients connected.", 0);
    gauge(
        "estimated_network_size",
        "Nodes in the network, estimated.",
        r.network_size,
    );
    gauge("open_connections", "Connections open.", r.open_connections);
    gauge(
        "peers_in_routing_table",
        "Peers in the routing table.",
        r.routing_peers,
    );
    gauge(
        "relay_peers_in_routing_table",
        "Relay peers among them.",
        r.routing_peers / 9,
    );
    gauge(
        "relevant_records",
        "Records this node answers for.",
        r.relevant_records,
    );
    gauge("max_records", "Records there is room for.", r.max_records);
    gauge("received_payment_count", "Payments received.", r.payments);
    gauge("live_time", "How long this node has lived.", r.live_time);
    gauge(
        "shunned_by_close_group",
        "Close peers that shun this node.",
        r.shunned,
    );
    gauge(
        "shunned_by_old_close_group",
        "Former close peers that do.",
        r.shunned / 2,
    );
    // With 0 of 0 peers, the real node prints NaN.
    let relays = match r.routing_peers {
        0 => f64::NAN,
        peers => (peers / 9) as f64 * 100.0 / peers as f64,
    };
    page.gauge(
        "ant_networking_relay_peers_percentage",
        "Relays among the peers.",
        relays,
    );
    page.counter(
        "ant_networking_shunned_count",
        "Times shunned.",
        r.shunned * 3,
    );
    page.counter(
        "ant_networking_bad_peers_count",
        "Peers put on the block list.",
        r.bad_peers,
    );
    page.gauge(
        "ant_networking_process_memory_used_mb",
        "Memory of the process in MB.",
        r.memory_mb,
    );
    page.gauge(
        "ant_networking_process_cpu_usage_percentage",
        "Share of a CPU that the process takes.",
        r.cpu_percent,
    );
    page.family("ant_networking_node_versions", "gauge", "Peers by version.");
    if r.connected_peers > 0 {
        for version in ["0.4.16", "0.4.17"] {
            let labels = format!("version=\"{version}\"");
            page.labelled(
                "ant_networking_node_versions",
                &labels,
                r.connected_peers / 2,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readings::readings;

    #[test]
    fn metadata_page() {
        insta::assert_snapshot!(metadata("0.4.16", "12D3KooWexample"), @r#"
        # HELP ant_node_antnode_version Version of this node.
        # TYPE ant_node_antnode_version info
        ant_node_antnode_version_info{antnode_version="0.4.16"} 1
        # HELP ant_node_antnode_branch Branch it was built from.
        # TYPE ant_node_antnode_branch info
        ant_node_antnode_branch_info{antnode_branch="simulated"} 1
        # HELP ant_networking_peer_id Peer id of this node.
        # TYPE ant_networking_peer_id info
        ant_networking_peer_id_info{peer_id="12D3KooWexample"} 1
        # HELP ant_networking_identify_protocol_str Protocol by which peers of one network know each other.
        # TYPE ant_networking_identify_protocol_str info
        ant_networking_identify_protocol_str_info{identify_protocol_str="ant/1.0/1"} 1
        # HELP ant_networking_min_node_version Oldest version that is let in.
        # TYPE ant_networking_min_node_version info
        ant_networking_min_node_version_info{min_node_version="0.4.15"} 1
        # EOF
        "#);
    }

    #[test]
    fn metrics_page_has_one_sample_per_line_and_ends_with_eof() {
        for uptime in [0, 60, 100_000] {
            let page = metrics(&readings(7, uptime, uptime));
            assert!(page.ends_with("\n# EOF\n"));
            for line in page.lines().filter(|line| !line.starts_with('#')) {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert!(
                    series.starts_with("ant_") || series.starts_with("libp2p_"),
                    "{line}"
                );
                assert_eq!(series.contains('{'), series.ends_with('}'), "{line}");
            }
        }
    }

    #[test]
    fn every_series_belongs_to_the_family_above_it() {
        let page = metrics(&readings(7, 100_000, 100_000));
        let mut family = "";
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap();
            } else if !line.starts_with('#') {
                assert!(line.starts_with(family), "{line} below {family}");
            }
        }
    }

    #[test]
    fn metrics_page_has_every_series_a_survey_reads() {
        let page = metrics(&readings(7, 100_000, 100_000));
        for series in [
            "ant_node_uptime ",
            "ant_networking_records_stored ",
            "ant_networking_shunned_by_close_group ",
            "ant_networking_connected_peers ",
            "ant_node_put_record_ok_total{",
            "ant_node_current_reward_wallet_balance ",
            "ant_networking_process_memory_used_mb ",
            "ant_networking_process_cpu_usage_percentage ",
            "ant_networking_open_connections ",
            "ant_networking_peers_in_routing_table ",
            "ant_networking_bad_peers_count_total ",
            "ant_networking_relevant_records ",
            "ant_networking_max_records ",
            "ant_networking_received_payment_count ",
            "ant_networking_live_time ",
            "ant_networking_estimated_network_size ",
        ] {
            let lines = page.lines().filter(|line| line.starts_with(series)).count();
            assert!(lines > 0, "{series}");
        }
    }

    #[test]
    fn metrics_page_is_as_large_as_a_real_one() {
        let length = metrics(&readings(7, 100_000, 100_000)).len();
        assert!((30_000..60_000).contains(&length), "{length}");
    }
}
