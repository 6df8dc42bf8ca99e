//! Nodes under another account. Root may do this; others skip it and say so.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::kind::ManagerKind;
use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_host::command::SystemRunner;
use wnm_host::files;
use wnm_host::files::write_whole;

use super::ground::{Ground, STAYS, is_root, refusal, runs};
use crate::hands::Sudo;
use crate::table::Table;

/// Nobody, on every system these tests know.
fn nobody() -> nix::unistd::User {
    nix::unistd::User::from_name("nobody").unwrap().unwrap()
}

async fn full_life(ground: &Ground) -> Node {
    let node = ground.running(1).await;
    let pid = ground.pid(&node).await;
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
        std::fs::metadata(&ground.context.paths.node_storage)
            .unwrap()
            .uid(),
        0
    );
    let kin = Table::system().look(pid).unwrap().kin;
    assert_eq!(kin.session, pid);
    ground.manager.start(&node).await.unwrap();
    assert_eq!(ground.pid(&node).await, pid);
    ground
        .manager
        .upgrade(&node, &ground.binary())
        .await
        .unwrap();
    let pid = ground.pid(&node).await;
    ground.manager.stop(&node).await.unwrap();
    assert!(!runs(pid));
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    ground.manager.start(&node).await.unwrap();
    ground.manager.remove(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Missing);
    node
}

#[tokio::test]
async fn root_runs_nodes_under_the_owner() {
    if !is_root() {
        return;
    }
    let ground = Ground::of_kind(ManagerKind::SETSID_SUDO, STAYS);
    full_life(&ground).await;
}

#[tokio::test]
async fn an_owner_that_does_not_exist_is_named() {
    if !is_root() {
        return;
    }
    let mut ground = Ground::of_kind(ManagerKind::SETSID_SUDO, STAYS);
    ground.context.owner = "no-such-account".to_owned();
    ground.play(STAYS);
    let added = ground.manager.add(&ground.node(1), &ground.binary()).await;
    insta::assert_snapshot!(refusal(added.map(|_| ())), @"the account 'no-such-account' that nodes run under: does not exist; make it with: useradd --system no-such-account");
}

/// Stands in for sudo, which tests cannot ask for: takes its options and really changes the account.
fn stand_in(dir: &Path) -> std::path::PathBuf {
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = -n ] || exit 9\nshift\necho \"$*\" >> {}\n\
         if [ \"$1\" = -u ]; then u=$2; shift 3; g=$(id -g \"$u\")\n\
         exec setpriv --reuid \"$u\" --regid \"$g\" --clear-groups -- \"$@\"\nfi\nexec \"$@\"\n",
        dir.join("asked").display()
    );
    let path = dir.join("sudo");
    write_whole(&path, script.as_bytes(), 0o755).unwrap();
    path
}

/// Runs what is for sudo through this program.
struct Through(OsString);

#[async_trait]
impl CommandRunner for Through {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        assert_eq!(spec.program, "sudo");
        let mut spec = spec.clone();
        spec.program = self.0.clone();
        SystemRunner.run(&spec).await
    }
}

/// Has the manager act as for a caller who is not root.
fn ask_stand_in(ground: &mut Ground) {
    let sudo = stand_in(&ground.dir);
    let runner = Arc::new(Through(sudo.clone().into()));
    ground.manager.files = Arc::new(files::Sudo::new("nobody", runner.clone()));
    ground.manager.hands = Box::new(Sudo::new("nobody", runner).through(&sudo));
}

#[tokio::test]
async fn what_sudo_is_asked_is_enough_for_a_whole_life() {
    if !is_root() {
        return;
    }
    let mut ground = Ground::of_kind(ManagerKind::SETSID_SUDO, STAYS);
    ask_stand_in(&mut ground);
    let node = full_life(&ground).await;
    let asked = std::fs::read_to_string(ground.dir.join("asked")).unwrap();
    let asked = asked
        .replace(ground.dir.to_str().unwrap(), "[dir]")
        .replace(&nobody().uid.to_string(), "[uid]");
    let kill = asked.lines().find(|line| line.starts_with("kill")).unwrap();
    assert!(kill.starts_with("kill -s TERM "), "{kill}");
    let asked: Vec<&str> = asked.lines().take(8).collect();
    insta::assert_snapshot!(asked.join("\n"), @r"
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
    let mut ground = Ground::of_kind(ManagerKind::SETSID_SUDO, "echo no wallet; exit 101");
    ask_stand_in(&mut ground);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let words = refusal(ground.manager.start(&node).await);
    assert!(words.ends_with("no wallet"), "{words}");
    let denied = ground.dir.join("sudo");
    write_whole(
        &denied,
        b"#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n",
        0o755,
    )
    .unwrap();
    let error = ground.manager.start(&node).await.unwrap_err();
    assert!(
        error.to_string().contains("a password is required"),
        "{error}"
    );
    let error = ground.manager.remove(&node).await.unwrap_err();
    assert!(
        error.to_string().contains("a password is required"),
        "{error}"
    );
}
