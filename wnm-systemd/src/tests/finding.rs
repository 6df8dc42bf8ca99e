//! Units of others, as they are really written.

use wnm_core::manager::{FoundNode, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::Ground;

async fn found(ground: &Ground) -> Vec<FoundNode> {
    ground.manager.discover().await.unwrap()
}

#[tokio::test]
async fn a_unit_of_the_python_wnm_is_taken_over_as_it_is() {
    let ground = Ground::new();
    let unit = "[Unit]\nDescription=antnode0003\n[Service]\nEnvironment=\"A=1\"\nUser=ant\n\
        ExecStart=/var/antctl/services/antnode0003/antnode --bootstrap-cache-dir /c --root-dir \
        /var/antctl/services/antnode0003 --port 55003 --enable-metrics-server \
        --metrics-server-port 13003 --log-output-dest /var/log/antnode/antnode0003 \
        --max-log-files 1 --no-upnp --rewards-address \
        0x00455d78f850b0358E8cea5be24d415E01E107CF evm-arbitrum-one\n\
        Restart=always\n#RestartSec=300\n";
    ground.write_unit("antnode0003.service", unit);
    let nodes = found(&ground).await;
    assert_eq!(nodes.len(), 1);
    let node = &nodes[0];
    assert_eq!(node.id.unwrap().get(), 3);
    assert_eq!(node.service, "antnode0003.service");
    assert_eq!(node.user, "ant");
    assert_eq!(
        node.root_dir.to_str(),
        Some("/var/antctl/services/antnode0003")
    );
    assert_eq!(
        (node.ports.node.get(), node.ports.metrics.unwrap().get()),
        (55003, 13003)
    );
    assert_eq!(node.network.as_deref(), Some("evm-arbitrum-one"));
    assert_eq!(node.wallet, Some(wnm_core::wallet::Address::FAUCET));
    assert_eq!(
        node.log_dir.as_ref().unwrap().to_str(),
        Some("/var/log/antnode/antnode0003")
    );
    assert_eq!(node.state, ProcessState::Stopped);
}

#[tokio::test]
async fn antctl_and_hand_written_units_are_read_as_systemd_reads_them() {
    let ground = Ground::new();
    ground.write_unit(
        "antnode12.service",
        "[Unit]\nDescription=antnode12\n[Service]\nExecStart=/s/antnode12/antnode --rpc \
         127.0.0.1:34567 --root-dir /s/antnode12 --port 41234 evm-arbitrum-one\n\
         Restart=on-success\n[Install]\nWantedBy=default.target\n",
    );
    ground.write_unit(
        "antnode-by-hand.service",
        "[Service]\nExecStart=/bin/false\nEnvironment=BASE=/srv/my.nodes-1\n",
    );
    ground.write_unit(
        "antnode-by-hand.service.d/10-run.conf",
        "[Service]\nExecStart=\nExecStart=\"/srv/my nodes/antnode\" \\\n  # its data\n  \
         \"--root-dir=${BASE}/50%% a\" \\\n  --port 7777 '--log-output-dest' '/var/log/x y' \\\n  \
         evm-arbitrum-one\n",
    );
    let nodes = found(&ground).await;
    assert_eq!(nodes.len(), 2);
    let [by_hand, antctl] = &nodes[..] else {
        panic!("two")
    };
    assert_eq!(by_hand.id, None);
    assert_eq!(by_hand.binary.to_str(), Some("/srv/my nodes/antnode"));
    assert_eq!(by_hand.root_dir.to_str(), Some("/srv/my.nodes-1/50% a"));
    assert_eq!(
        by_hand.log_dir.as_ref().unwrap().to_str(),
        Some("/var/log/x y")
    );
    assert_eq!(
        (by_hand.ports.node.get(), by_hand.ports.metrics),
        (7777, None)
    );
    assert_eq!(antctl.id.unwrap().get(), 12);
    assert_eq!(antctl.ports.rpc.unwrap().get(), 34567);
    assert_eq!(antctl.service, "antnode12.service");
}

#[tokio::test]
async fn what_is_no_node_is_left_alone() {
    let ground = Ground::new();
    let exec = |line: &str| format!("[Service]\nExecStart={line}\n");
    ground.write_unit("antnode1.service", &exec("/bin/sleep 1"));
    ground.write_unit("antnode2.service", &exec("/n/antnode --port 1"));
    ground.write_unit("antnode3.service", &exec("/n/antnode \"open"));
    ground.write_unit("antnodes.service", &exec("/n/antnode --root-dir /n"));
    ground.write_unit(
        "antnode@.service",
        &exec("/n/antnode --root-dir /n/%i --port 1"),
    );
    ground.write_unit("other.service", &exec("/n/antnode --root-dir /n --port 1"));
    ground.write_unit("antnode5.service", &"x".repeat(300_000));
    let relative = exec("antnode --root-dir /n --port 1");
    ground.write_unit("antnode6.service", &relative);
    let upwards = exec("/n/antnode --root-dir /n/../etc --port 1");
    ground.write_unit("antnode7.service", &upwards);
    std::os::unix::fs::symlink("/dev/null", ground.units().join("antnode4.service")).unwrap();
    assert_eq!(found(&ground).await, []);
}

#[tokio::test]
async fn what_wnm_made_is_found_again() {
    let ground = Ground::new();
    let node = ground.added(7).await;
    ground.manager.start(&node).await.unwrap();
    let nodes = found(&ground).await;
    assert_eq!(nodes.len(), 1);
    let found = &nodes[0];
    assert_eq!((found.id, &found.root_dir), (Some(node.id), &node.root_dir));
    assert_eq!((&found.binary, found.ports), (&node.binary, node.ports));
    assert_eq!((&found.log_dir, found.wallet), (&node.log_dir, node.wallet));
    assert_eq!(found.state, ProcessState::Running { pid: None });
}

#[tokio::test]
async fn units_are_looked_for_where_systemd_does_and_not_hidden_by_ours() {
    let ground = Ground::new();
    let vendor = ground.vendor_units();
    std::fs::create_dir_all(vendor.join("antnode0002.service.d")).unwrap();
    let exec =
        |id: u32| format!("[Service]\nExecStart=/n/antnode --root-dir /n/{id} --port {id}\n");
    for (unit, id) in [("antnode0001.service", 1001), ("antnode0002.service", 1002)] {
        std::fs::write(vendor.join(unit), exec(id)).unwrap();
    }
    ground.write_unit("antnode0001.service", &exec(2001));
    let port = |port: u32| {
        format!("[Service]\nExecStart=\nExecStart=/n/antnode --root-dir /n/2 --port {port}\n")
    };
    std::fs::write(
        vendor.join("antnode0002.service.d/50-port.conf"),
        port(3002),
    )
    .unwrap();
    ground.write_unit("antnode0002.service.d/50-port.conf", &port(4002));
    let nodes = found(&ground).await;
    let ports: Vec<u16> = nodes.iter().map(|node| node.ports.node.get()).collect();
    assert_eq!(ports, [2001, 4002]);
    let error = ground
        .manager
        .add(&ground.node(2), &ground.binary("first"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("vendor/antnode0002.service is there"),
        "{error}"
    );
    assert!(!ground.units().join("antnode0002.service").exists());
    // One that is masked in the first directory is not there, whatever is behind it.
    std::os::unix::fs::symlink("/dev/null", ground.units().join("antnode0002.service")).unwrap();
    assert_eq!(found(&ground).await.len(), 1);
}
