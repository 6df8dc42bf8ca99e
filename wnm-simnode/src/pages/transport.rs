//! The metrics of libp2p: most of the metrics page.

use super::POWERS_OF_TWO;
use crate::exposition::Page;
use crate::readings::Readings;

const DIALER_LABELS: &str = r#"role="Dialer",protocols="/ip4/udp/quic-v1/p2p""#;
const LISTENER_LABELS: &str = r#"role="Listener",protocols="/ip4/udp/quic-v1""#;

/// Adds the libp2p families to the page.
pub(super) fn write(page: &mut Page, r: &Readings) {
    bandwidth(page, r);
    queries(page, r);
    connections(page, r);
}

fn bandwidth(page: &mut Page, r: &Readings) {
    page.family(
        "libp2p_bandwidth_bytes",
        "counter",
        "Bytes by transport and direction.",
    );
    if r.uptime > 0 {
        for (direction, bytes) in [("Outbound", r.bytes_out), ("Inbound", r.bytes_in)] {
            for (transport, factor) in [("/ip4/udp/quic-v1", 1), ("/ip4/udp/quic-v1/p2p", 3)] {
                let labels = format!("protocols=\"{transport}\",direction=\"{direction}\"");
                page.labelled("libp2p_bandwidth_bytes_total", &labels, bytes * factor);
            }
        }
    }
    page.counter(
        "libp2p_identify_errors",
        "Peers that could not be identified.",
        0,
    );
    page.counter(
        "libp2p_identify_pushed",
        "Own identification pushed.",
        r.uptime / 600,
    );
    page.counter(
        "libp2p_identify_received",
        "Identifications received.",
        r.routing_peers,
    );
    page.counter(
        "libp2p_identify_sent",
        "Identifications sent.",
        r.routing_peers,
    );
    let protocols = "libp2p_identify_remote_protocols";
    page.family(protocols, "gauge", "Connected peers by protocol.");
    if r.connected_peers > 0 {
        for protocol in ["/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "unrecognized"] {
            page.labelled(
                protocols,
                &format!("protocol=\"{protocol}\""),
                r.connected_peers,
            );
        }
    }
}

fn queries(page: &mut Page, r: &Readings) {
    page.counter(
        "libp2p_kad_query_result_get_record_ok",
        "Records found.",
        r.uptime / 45,
    );
    let queries = r.uptime / 30;
    for metric in ["get_closest_peers_ok", "get_providers_ok"] {
        let name = format!("libp2p_kad_query_result_{metric}");
        page.family(&name, "histogram", "Answers by query.");
        page.histogram(&name, "", &POWERS_OF_TWO, queries, 19.0);
    }
    for (metric, mean) in [
        ("num_requests", 24.0),
        ("num_success", 22.0),
        ("num_failure", 2.0),
        ("duration_seconds", 1.7),
    ] {
        let name = format!("libp2p_kad_query_result_{metric}");
        page.family(&name, "histogram", "Of the queries, by type.");
        if queries > 0 {
            for kind in ["Bootstrap", "GetClosestPeers", "GetRecord", "PutRecord"] {
                page.histogram(
                    &name,
                    &format!("type=\"{kind}\""),
                    &POWERS_OF_TWO,
                    queries,
                    mean,
                );
            }
        }
    }
    page.family(
        "libp2p_kad_inbound_requests",
        "counter",
        "Requests of others.",
    );
    if r.uptime > 0 {
        for (request, divisor) in [("FindNode", 1), ("GetRecord", 12), ("PutRecord", 40)] {
            let labels = format!("request=\"{request}\"");
            page.labelled(
                "libp2p_kad_inbound_requests_total",
                &labels,
                r.uptime * 3 / divisor,
            );
        }
    }
}

fn connections(page: &mut Page, r: &Readings) {
    page.family(
        "libp2p_swarm_new_listen_addr",
        "counter",
        "Addresses listened on.",
    )
    .labelled(
        "libp2p_swarm_new_listen_addr_total",
        "protocols=\"/ip4/udp/quic-v1\"",
        1,
    );
    page.counter("libp2p_swarm_listener_error", "Failures of listeners.", 0);
    page.counter("libp2p_swarm_dial_attempt", "Dials.", r.routing_peers * 2);
    let established = r.routing_peers + r.uptime / 4;
    page.family(
        "libp2p_swarm_connections_established",
        "counter",
        "Connections made.",
    );
    if established > 0 {
        for labels in [DIALER_LABELS, LISTENER_LABELS] {
            page.labelled(
                "libp2p_swarm_connections_established_total",
                labels,
                established,
            );
        }
    }
    let bounds: Vec<f64> = (0..20).map(|power| 0.01 * f64::powi(1.5, power)).collect();
    let setup = "libp2p_swarm_connections_establishment_duration";
    page.family(setup, "histogram", "Time to connect.");
    let duration = "libp2p_swarm_connections_duration_seconds";
    if established > 0 {
        for labels in [DIALER_LABELS, LISTENER_LABELS] {
            page.histogram(setup, labels, &bounds, established, 0.4);
        }
    }
    page.family(duration, "histogram", "Time connected.");
    if established > 0 {
        for cause in ["Io", "KeepAliveTimeout"] {
            for role in [DIALER_LABELS, LISTENER_LABELS] {
                page.histogram(
                    duration,
                    &format!("cause=\"{cause}\",{role}"),
                    &bounds,
                    established / 2,
                    9.0,
                );
            }
        }
    }
}
