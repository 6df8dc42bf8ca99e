//! The real antnode, isolated from the network.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;
use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;
use wnm_core::ports::Port;
use wnm_core::program::{NodeBinary, NodeProgram};
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;

/// A valid address that nobody listens on: the node runs and talks to no one.
const UNREACHABLE_PEER: &str =
    "--peer /ip4/127.0.0.1/udp/1/quic-v1/p2p/12D3KooWRi6wF7yxWLuPSNskXc6kQ5cJ6eaymeMbCRdTnMesPgFx";

/// The real programs, oldest first. Empty, with a note, if they have not been built.
fn programs() -> Vec<NodeBinary> {
    let cache = std::env::var_os("WNM_ANTNODE_CACHE").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = cache
        .or(home.map(|home| home.join(".cache/wnm-antnode")))
        .unwrap();
    let found: Vec<NodeBinary> = ["0.4.16", "0.4.17"]
        .into_iter()
        .map(|version| NodeBinary {
            path: cache.join(version).join("bin/antnode"),
            version: Version::parse(version).unwrap(),
        })
        .filter(|binary| binary.path.is_file())
        .collect();
    if found.len() == 2 {
        return found;
    }
    let required = std::env::var("WNM_REQUIRE_REAL").is_ok_and(|value| value == "1");
    assert!(!required, "no antnode in {}", cache.display());
    eprintln!(
        "skipped: no antnode in {}; build it with .ci/real-programs",
        cache.display()
    );
    Vec::new()
}

#[tokio::test]
async fn the_real_node_survives_every_operation() {
    let [old, new] = &programs()[..] else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let program = Arc::new(Antnode::new(Arc::new(SystemRunner)));
    let mut backend = TestBackend::at(dir.path(), crate::USER, program.clone());
    backend.context.launch.no_upnp = true;
    backend.context.launch.start_args = Some(UNREACHABLE_PEER.to_owned());
    backend.manager = crate::Setsid::new(backend.manager.kind.clone(), backend.context.clone());
    let mut node = backend.node(1);
    let udp = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    node.ports.node = Port::new(udp.port()).unwrap();
    node.ports.metrics = Port::new(tcp.port());
    let manager = &backend.manager;
    manager.add_one(&node, old).await.unwrap();
    manager.start_one(&node).await.unwrap();
    let first = backend.pid(&node).await;
    let found = manager.discover().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].ports.node, node.ports.node);
    assert_eq!(found[0].ports.metrics, node.ports.metrics);
    assert_eq!(found[0].wallet, node.wallet);
    assert_eq!(found[0].network.as_deref(), Some("evm-arbitrum-one"));
    assert_eq!(found[0].log_dir, node.log_dir);
    manager.upgrade_one(&node, new).await.unwrap();
    assert_ne!(backend.pid(&node).await, first);
    assert_eq!(program.version(&node.binary).await.unwrap(), new.version);
    manager.stop_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    // The error quotes a program that exits at once.
    node.wallet = Some(wnm_core::wallet::Address::FAUCET);
    node.network = "no-such-network".to_owned();
    let error = manager.start_one(&node).await.unwrap_err().to_string();
    assert!(error.contains("no-such-network"), "{error}");
    manager.remove_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Missing);
}
