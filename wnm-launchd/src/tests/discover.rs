//! Discovers real jobs written by others.

use plist::{Dictionary, Value};
use wnm_core::manager::{FoundNode, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;

async fn discover(backend: &TestBackend) -> Vec<FoundNode> {
    backend.manager.discover().await.unwrap()
}

/// Returns a job with these arguments and additional keys.
fn job(label: &str, words: &[&str], more: &[(&str, Value)]) -> Value {
    let mut job = Dictionary::new();
    job.insert("Label".to_owned(), label.into());
    let words: Vec<Value> = words.iter().map(|word| (*word).into()).collect();
    job.insert("ProgramArguments".to_owned(), Value::Array(words));
    for (key, value) in more {
        job.insert((*key).to_owned(), value.clone());
    }
    Value::Dictionary(job)
}

fn xml(job: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    job.to_writer_xml(&mut text).unwrap();
    text
}

fn binary(job: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    job.to_writer_binary(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn reads_a_job_of_the_python_wnm() {
    let backend = TestBackend::new();
    let home = "/Users/ann/Library";
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>com.autonomi.antnode-3</string>

    <key>ProgramArguments</key>
    <array>
        <string>{home}/Application Support/autonomi/node/antnode0003/antnode</string>
        <string>--no-upnp</string>
        <string>--root-dir</string>
        <string>{home}/Application Support/autonomi/node/antnode0003</string>
        <string>--port</string>
        <string>55003</string>
        <string>--metrics-server-port</string>
        <string>13003</string>
        <string>--log-output-dest</string>
        <string>{home}/Logs/autonomi</string>
        <string>--rewards-address</string>
        <string>0x00455d78f850b0358E8cea5be24d415E01E107CF</string>
        <string>evm-arbitrum-one</string>
    </array>
    <key>RunAtLoad</key>
    <true/>
    <key>KeepAlive</key>
    <true/>
</dict>
</plist>
"#
    );
    backend.write_job("com.autonomi.antnode-3", text);
    let nodes = discover(&backend).await;
    let [node] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert_eq!(node.id.unwrap().get(), 3);
    assert_eq!(node.service, "com.autonomi.antnode-3");
    assert!(
        node.root_dir
            .ends_with("Application Support/autonomi/node/antnode0003")
    );
    assert_eq!(
        (node.ports.node.get(), node.ports.metrics.unwrap().get()),
        (55003, 13003)
    );
    assert_eq!(node.network.as_deref(), Some("evm-arbitrum-one"));
    assert_eq!(node.wallet, Some(wnm_core::wallet::Address::FAUCET));
    // The Python wnm's nodes share a log directory, so it belongs to no single node.
    assert_eq!(node.log_dir, None);
    assert_eq!(node.state, ProcessState::Stopped);
}

#[tokio::test]
async fn reads_and_manages_a_binary_job_of_antctl() {
    let backend = TestBackend::new();
    let home = backend.dir.path().join("antctl/antnode12");
    std::fs::create_dir_all(&home).unwrap();
    let program = home.join("antnode");
    std::fs::copy(backend.binary("first").path, &program).unwrap();
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let (program, home) = (program.to_str().unwrap(), home.to_str().unwrap());
    let words = [
        program,
        "--rpc",
        "127.0.0.1:34567",
        "--root-dir",
        home,
        "--log-output-dest",
        "/l/antnode12",
        "--port",
        "41234",
        "evm-arbitrum-one",
    ];
    // antctl disables its jobs until it starts them.
    let more = [
        ("Disabled", true.into()),
        ("UserName", "ann".into()),
        (
            "KeepAlive",
            Value::Dictionary(
                [("SuccessfulExit".to_owned(), Value::Boolean(false))]
                    .into_iter()
                    .collect(),
            ),
        ),
    ];
    let antctl = binary(&job("antnode12", &words, &more));
    backend.write_job("antnode12", &antctl);
    let nodes = discover(&backend).await;
    let [node] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert_eq!((node.id.unwrap().get(), node.user.as_str()), (12, "ann"));
    assert_eq!(node.ports.rpc.unwrap().get(), 34567);
    assert_eq!(
        node.log_dir.as_ref().unwrap().to_str(),
        Some("/l/antnode12")
    );
    let mut record = backend.node(12);
    record.service.clone_from(&node.service);
    record.root_dir.clone_from(&node.root_dir);
    record.binary.clone_from(&node.binary);
    // Without the account, because only root's launchd can switch to it.
    let plain = binary(&job(
        "antnode12",
        &words,
        &[more[0].clone(), more[2].clone()],
    ));
    backend.write_job("antnode12", &plain);
    backend.manager.start_one(&record).await.unwrap();
    backend.pid(&record).await;
    backend.manager.stop_one(&record).await.unwrap();
    assert_eq!(backend.state(&record).await, ProcessState::Stopped);
    assert_eq!(std::fs::read(backend.job_file("antnode12")).unwrap(), plain);
}

#[tokio::test]
async fn ignores_jobs_that_are_not_nodes() {
    let backend = TestBackend::new();
    let node = ["/n/antnode", "--root-dir", "/n", "--port", "1"];
    let write = |label: &str, content: Vec<u8>| backend.write_job(label, content);
    write("antnode1", xml(&job("antnode1", &["/bin/sleep", "1"], &[])));
    write(
        "antnode2",
        xml(&job("antnode2", &["/n/antnode", "--port", "1"], &[])),
    );
    write("antnode3", xml(&job("antnode4", &node, &[])));
    write("antnodes", xml(&job("antnodes", &node[..3], &[])));
    write("antnode5", xml(&job("antnode5", &[], &[])));
    write("com.apple.x", xml(&job("com.apple.x", &node, &[])));
    write("antnode6", vec![b'x'; 300_000]);
    write("antnode7", Vec::new());
    write(
        "antnode8",
        b"<plist><dict><key>Label</key><string>a & b</string>".to_vec(),
    );
    let mut cut = binary(&job("antnode9", &node, &[]));
    cut.truncate(cut.len() / 2);
    write("antnode9", cut);
    write(
        "antnode10",
        b"bplist00\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
    );
    write("antnode11", xml(&Value::Array(vec![1.into()])));
    let numbers = Value::Array(vec![1.into(), 2.into()]);
    write(
        "antnode12",
        xml(&job("antnode12", &[], &[("ProgramArguments", numbers)])),
    );
    std::fs::create_dir(backend.job_file("antnode13")).unwrap();
    let relative = ["antnode", "--root-dir", "/n", "--port", "1"];
    write("antnode15", xml(&job("antnode15", &relative, &[])));
    let upwards = ["/n/antnode", "--root-dir", "/n/../etc", "--port", "1"];
    write("antnode16", xml(&job("antnode16", &upwards, &[])));
    write(
        "antnode17",
        ["(".repeat(90_000), ")".repeat(90_000)].concat().into(),
    );
    write("antnode14", xml(&job("antnode14", &node, &[])));
    let nodes = discover(&backend).await;
    let [one] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert_eq!(one.service, "antnode14");
}

#[tokio::test]
async fn discovers_jobs_written_by_wnm() {
    let backend = TestBackend::new();
    let node = backend.start_node(7).await;
    let nodes = discover(&backend).await;
    let [found] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert_eq!((found.id, &found.root_dir), (Some(node.id), &node.root_dir));
    assert_eq!((&found.binary, found.ports), (&node.binary, node.ports));
    assert_eq!((&found.log_dir, found.wallet), (&node.log_dir, node.wallet));
    assert!(matches!(found.state, ProcessState::Running { .. }));
}
