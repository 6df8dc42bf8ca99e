//! Nodes under another account. These tests need root; without it they skip and say so.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_host::command::SystemRunner;
use wnm_host::files;
use wnm_host::files::write_whole;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, TestBackend, is_root, is_running, rejection_text};
use crate::process_ops::Sudo;
use crate::table::Table;

/// The account `nobody`, which exists on every system these tests run on.
fn nobody() -> nix::unistd::User {
    nix::unistd::User::from_name("nobody").unwrap().unwrap()
}

async fn full_lifecycle(backend: &TestBackend) -> Node {
    let node = backend.running(1).await;
    let pid = backend.pid(&node).await;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let (uid, gid) = (nobody().uid, nobody().gid);
    assert!(
        status.contains(&format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}")),
        "{status}"
    );
    assert!(
        status.contains(&format!("Gid:\t{gid}\t{gid}\t{gid}\t{gid}")),
        "{status}"
    );
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:"));
    assert_eq!(groups.unwrap().trim(), "");
    for path in [&node.root_dir, &node.binary, node.log_dir.as_ref().unwrap()] {
        assert_eq!(
            std::fs::metadata(path).unwrap().uid(),
            uid.as_raw(),
            "{path:?}"
        );
    }
    assert_eq!(
        std::fs::metadata(&backend.context.paths.node_storage)
            .unwrap()
            .uid(),
        0
    );
    let process = Table::system().process(pid).unwrap().id;
    assert_eq!(process.session, pid);
    backend.manager.start_one(&node).await.unwrap();
    assert_eq!(backend.pid(&node).await, pid);
    backend
        .manager
        .upgrade_one(&node, &backend.binary())
        .await
        .unwrap();
    let pid = backend.pid(&node).await;
    backend.manager.stop_one(&node).await.unwrap();
    assert!(!is_running(pid));
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    backend.manager.start_one(&node).await.unwrap();
    backend.manager.remove_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Missing);
    node
}

#[tokio::test]
async fn root_runs_nodes_under_the_owner() {
    if !is_root() {
        return;
    }
    let backend = TestBackend::with_kind(crate::SUDO, RUNS_FOREVER);
    full_lifecycle(&backend).await;
}

#[tokio::test]
async fn a_missing_owner_account_is_named() {
    if !is_root() {
        return;
    }
    let mut backend = TestBackend::with_kind(crate::SUDO, RUNS_FOREVER);
    backend.context.owner = "no-such-account".to_owned();
    backend.set_script(RUNS_FOREVER);
    let added = backend
        .manager
        .add_one(&backend.node(1), &backend.binary())
        .await;
    insta::assert_snapshot!(rejection_text(added.map(|_| ())), @"the account 'no-such-account' that nodes run under: does not exist; make it with: useradd --system no-such-account");
}

/// A stand-in for sudo, which tests cannot use: it accepts sudo's options and really changes the account.
fn fake_sudo(dir: &Path) -> std::path::PathBuf {
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = -n ] || exit 9\nshift\necho \"$*\" >> {}\n\
         if [ \"$1\" = -u ]; then u=$2; shift 3; g=$(id -g \"$u\")\n\
         exec setpriv --reuid \"$u\" --regid \"$g\" --clear-groups -- \"$@\"\nfi\nexec \"$@\"\n",
        dir.join("commands").display()
    );
    let path = dir.join("sudo");
    write_whole(&path, script.as_bytes(), 0o755).unwrap();
    path
}

/// Runs the commands meant for sudo through this program.
struct FakeSudoRunner(OsString);

#[async_trait]
impl CommandRunner for FakeSudoRunner {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        assert_eq!(spec.program, "sudo");
        let mut spec = spec.clone();
        spec.program = self.0.clone();
        SystemRunner.run(&spec).await
    }
}

/// Makes the manager act as for a caller who is not root.
fn use_fake_sudo(backend: &mut TestBackend) {
    let sudo = fake_sudo(&backend.dir);
    let runner = Arc::new(FakeSudoRunner(sudo.clone().into()));
    backend.manager.files = Arc::new(files::Sudo::new("nobody", runner.clone()));
    backend.manager.process_ops = Box::new(Sudo::new("nobody", runner).with_program(&sudo));
}

#[tokio::test]
async fn the_sudo_commands_cover_a_full_lifecycle() {
    if !is_root() {
        return;
    }
    let mut backend = TestBackend::with_kind(crate::SUDO, RUNS_FOREVER);
    use_fake_sudo(&mut backend);
    let node = full_lifecycle(&backend).await;
    let commands = std::fs::read_to_string(backend.dir.join("commands")).unwrap();
    let commands = commands
        .replace(backend.dir.to_str().unwrap(), "[dir]")
        .replace(&nobody().uid.to_string(), "[uid]");
    let kill = commands
        .lines()
        .find(|line| line.starts_with("kill"))
        .unwrap();
    assert!(kill.starts_with("kill -s TERM "), "{kill}");
    let commands: Vec<&str> = commands.lines().take(8).collect();
    insta::assert_snapshot!(commands.join("\n"), @r"
    install -m 0755 -o [uid] -g [uid] -d -- [dir]/state/nodes/antnode0001
    install -m 0755 -o [uid] -g [uid] -d -- [dir]/state/logs/antnode0001
    install -m 0755 -o [uid] -g [uid] -d -- [dir]/state/cache
    install -m 0755 -o [uid] -g [uid] -T -- /bin/sh [dir]/state/nodes/antnode0001/antnode.new
    mv -f -T -- [dir]/state/nodes/antnode0001/antnode.new [dir]/state/nodes/antnode0001/antnode
    install -m 0755 -o [uid] -g [uid] -d -- [dir]/state/logs/antnode0001
    install -m 0755 -o [uid] -g [uid] -d -- [dir]/state/cache
    -u nobody -- env NODE_NUMBER=1 setsid --fork [dir]/state/nodes/antnode0001/antnode -c echo up; sleep 600 & wait antnode --root-dir [dir]/state/nodes/antnode0001 --port 55001
    ");
    assert!(!node.root_dir.exists());
}

#[tokio::test]
async fn a_program_that_sudo_cannot_start_is_reported() {
    if !is_root() {
        return;
    }
    let mut backend = TestBackend::with_kind(crate::SUDO, "echo no wallet; exit 101");
    use_fake_sudo(&mut backend);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let message = rejection_text(backend.manager.start_one(&node).await);
    assert!(message.ends_with("no wallet"), "{message}");
    let denied = backend.dir.join("sudo");
    write_whole(
        &denied,
        b"#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n",
        0o755,
    )
    .unwrap();
    let error = backend.manager.start_one(&node).await.unwrap_err();
    assert!(
        error.to_string().contains("a password is required"),
        "{error}"
    );
    let error = backend.manager.remove_one(&node).await.unwrap_err();
    assert!(
        error.to_string().contains("a password is required"),
        "{error}"
    );
}
