//! firewalld.

use wnm_core::machine::FirewallChoice;
use wnm_tests::network::{call, in_private_network};

use crate::daemon::Daemon;
use crate::{close, firewall, node, open, opening};

/// The open ports, now and after a reload.
fn open_ports() -> String {
    let now = call("firewall-cmd --list-ports");
    assert_eq!(call("firewall-cmd --permanent --list-ports"), now);
    now.trim().to_owned()
}

#[test]
fn firewalld_opens_a_range_and_splits_it() {
    let programs = ["firewalld", "firewall-cmd", "dbus-daemon", "nft"];
    in_private_network(&programs, || {
        let _daemon = Daemon::start();
        for scope in ["", "--permanent "] {
            call(&format!("firewall-cmd {scope}--add-port=40000/tcp"));
        }
        // The active one.
        let firewalld = firewall(FirewallChoice::Auto);
        for _ in 0..2 {
            open(&firewalld, &opening(55001, 55030, 1));
            open(&firewalld, &node(7));
            assert_eq!(open_ports(), "40000/tcp 55001-55030/udp");
        }
        for _ in 0..2 {
            close(&firewalld, &node(15));
            assert_eq!(open_ports(), "40000/tcp 55001-55014/udp 55016-55030/udp");
        }
        assert!(call("nft list ruleset").contains("udp dport 55016-55030 accept"));
        close(&firewalld, &node(1));
        close(&firewalld, &node(30));
        assert_eq!(open_ports(), "40000/tcp 55002-55014/udp 55016-55029/udp");
        close(&firewalld, &opening(55001, 55030, 1));
        assert_eq!(open_ports(), "40000/tcp");
    });
}
