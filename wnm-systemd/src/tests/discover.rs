//! Discovers real units written by others.

use wnm_core::manager::{FoundNode, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;

async fn discover(backend: &TestBackend) -> Vec<FoundNode> {
    backend.manager.discover().await.unwrap()
}

#[tokio::test]
async fn reads_a_unit_of_the_python_wnm() {
    let backend = TestBackend::new();
    let unit = "[Unit]\nDescription=antnode0003\n[Service]\nEnvironment=\"A=1\"\nUser=ant\n\
        ExecStart=/var/antctl/services/antnode0003/antnode --bootstrap-cache-dir /c --root-dir \
        /var/antctl/services/antnode0003 --port 55003 --enable-metrics-server \
        --metrics-server-port 13003 --log-output-dest /var/log/antnode/antnode0003 \
        --max-log-files 1 --no-upnp --rewards-address \
        0x00455d78f850b0358E8cea5be24d415E01E107CF evm-arbitrum-one\n\
        Restart=always\n#RestartSec=300\n";
    backend.write_unit("antnode0003.service", unit);
    let nodes = discover(&backend).await;
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
async fn reads_antctl_and_hand_written_units_as_systemd_does() {
    let backend = TestBackend::new();
    backend.write_unit(
        "antnode12.service",
        "[Unit]\nDescription=antnode12\n[Service]\nExecStart=/s/antnode12/antnode --rpc \
         127.0.0.1:34567 --root-dir /s/antnode12 --port 41234 evm-arbitrum-one\n\
         Restart=on-success\n[Install]\nWantedBy=default.target\n",
    );
    backend.write_unit(
        "antnode-by-hand.service",
        "[Service]\nExecStart=/bin/false\nEnvironment=BASE=/srv/my.nodes-1\n",
    );
    backend.write_unit(
        "antnode-by-hand.service.d/10-run.conf",
        "[Service]\nExecStart=\nExecStart=\"/srv/my nodes/antnode\" \\\n  # its data\n  \
         \"--root-dir=${BASE}/50%% a\" \\\n  --port 7777 '--log-output-dest' '/var/log/x y' \\\n  \
         evm-arbitrum-one\n",
    );
    let nodes = discover(&backend).await;
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
async fn ignores_units_that_are_not_nodes() {
    let backend = TestBackend::new();
    let exec = |line: &str| format!("[Service]\nExecStart={line}\n");
    backend.write_unit("antnode1.service", &exec("/bin/sleep 1"));
    backend.write_unit("antnode2.service", &exec("/n/antnode --port 1"));
    backend.write_unit("antnode3.service", &exec("/n/antnode \"open"));
    backend.write_unit("antnodes.service", &exec("/n/antnode --root-dir /n"));
    backend.write_unit(
        "antnode@.service",
        &exec("/n/antnode --root-dir /n/%i --port 1"),
    );
    backend.write_unit("other.service", &exec("/n/antnode --root-dir /n --port 1"));
    backend.write_unit("antnode5.service", &"x".repeat(300_000));
    let relative = exec("antnode --root-dir /n --port 1");
    backend.write_unit("antnode6.service", &relative);
    let upwards = exec("/n/antnode --root-dir /n/../etc --port 1");
    backend.write_unit("antnode7.service", &upwards);
    std::os::unix::fs::symlink("/dev/null", backend.units().join("antnode4.service")).unwrap();
    assert_eq!(discover(&backend).await, []);
}

#[tokio::test]
async fn discovers_units_written_by_wnm() {
    let backend = TestBackend::new();
    let node = backend.add_node(7).await;
    backend.manager.start_one(&node).await.unwrap();
    let nodes = discover(&backend).await;
    assert_eq!(nodes.len(), 1);
    let found = &nodes[0];
    assert_eq!((found.id, &found.root_dir), (Some(node.id), &node.root_dir));
    assert_eq!((&found.binary, found.ports), (&node.binary, node.ports));
    assert_eq!((&found.log_dir, found.wallet), (&node.log_dir, node.wallet));
    assert_eq!(found.state, ProcessState::Running { pid: None });
}

#[tokio::test]
async fn searches_all_unit_directories_and_does_not_shadow_foreign_units() {
    let backend = TestBackend::new();
    let vendor = backend.vendor_units();
    std::fs::create_dir_all(vendor.join("antnode0002.service.d")).unwrap();
    let exec =
        |id: u32| format!("[Service]\nExecStart=/n/antnode --root-dir /n/{id} --port {id}\n");
    for (unit, id) in [("antnode0001.service", 1001), ("antnode0002.service", 1002)] {
        std::fs::write(vendor.join(unit), exec(id)).unwrap();
    }
    backend.write_unit("antnode0001.service", &exec(2001));
    let port = |port: u32| {
        format!("[Service]\nExecStart=\nExecStart=/n/antnode --root-dir /n/2 --port {port}\n")
    };
    std::fs::write(
        vendor.join("antnode0002.service.d/50-port.conf"),
        port(3002),
    )
    .unwrap();
    backend.write_unit("antnode0002.service.d/50-port.conf", &port(4002));
    let nodes = discover(&backend).await;
    let ports: Vec<u16> = nodes.iter().map(|node| node.ports.node.get()).collect();
    assert_eq!(ports, [2001, 4002]);
    let error = backend
        .manager
        .add_one(&backend.node(2), &backend.binary("first"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("vendor/antnode0002.service exists"),
        "{error}"
    );
    assert!(!backend.units().join("antnode0002.service").exists());
    // A unit that is masked in the first directory does not exist, whatever a later directory has.
    std::os::unix::fs::symlink("/dev/null", backend.units().join("antnode0002.service")).unwrap();
    assert_eq!(discover(&backend).await.len(), 1);
}
