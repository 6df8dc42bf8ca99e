//! Rules as nodes come and go through the program.

use wnm_tests::binaries;
use wnm_tests::colony::{Colony, EAGER};
use wnm_tests::network::{call, in_private_network};

use crate::ufw::{UFW, ufw_rules};

#[test]
fn a_port_is_open_for_as_long_as_its_node_exists() {
    rules_come_and_go_with_nodes("--firewall=auto");
}

#[test]
fn a_named_firewall_opens_ports_too() {
    rules_come_and_go_with_nodes("--firewall=ufw");
}

fn rules_come_and_go_with_nodes(option: &str) {
    // Built out here: a build may need the network, which is missing in there.
    binaries::wnm();
    binaries::simulated_node();
    in_private_network(&UFW, || {
        call("ufw --force enable");
        let colony = Colony::new();
        let program = colony.program("0.4.16");
        let own = ["--node-cap=8", option];
        let options = EAGER.iter().chain(&own);
        colony.init("setsid+user", &program, options);
        let rule = |first: u16, last: u16| {
            let port = |id| colony.ports.node_port(id);
            if first == last {
                format!("{}/udp antnode{first:04}", port(first))
            } else {
                let ports = format!("{}:{}/udp", port(first), port(last));
                format!("{ports} antnode{first:04}-antnode{last:04}")
            }
        };
        let force = |act: &str, more: &str| {
            let call = colony.wnm([format!("--force-action={act}")]);
            call.args(more.split_whitespace()).run().succeeded();
        };

        force("add", "--count=5");
        assert_eq!(ufw_rules(), [rule(1, 5)]);
        force("stop", "--service-name=antnode0002");
        assert_eq!(ufw_rules(), [rule(1, 5)]);
        // Rules that were lost, as those of nftables are with a reload, come back with the node.
        let ports = rule(1, 5);
        call(&format!(
            "ufw delete allow {}",
            ports.split_once(' ').unwrap().0
        ));
        force("start", "--service-name=antnode0002");
        assert_eq!(ufw_rules(), [rule(2, 2)]);
        force("teardown", "--confirm");
        assert_eq!(ufw_rules(), [""; 0]);

        force("add", "--count=5");
        assert_eq!(ufw_rules(), [rule(1, 5)]);
        force("remove", "--service-name=antnode0003");
        assert_eq!(ufw_rules(), [rule(1, 2), rule(4, 5)]);
        force("remove", "--service-name=antnode0005");
        assert_eq!(ufw_rules(), [rule(1, 2), rule(4, 4)]);
        force("teardown", "--confirm");
        assert_eq!(ufw_rules(), [""; 0]);
        colony.assert_nothing_left();
    });
}
