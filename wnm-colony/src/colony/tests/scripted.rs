//! A supervisor in memory that gets into trouble when it is told to.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, FoundNode, ManagerError, ManagerPolicy, Outcomes, ProcessManager, each,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::program::NodeBinary;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    None,
    Unreachable,
    StartsTimeOut,
    StartsFail,
    StartsPanic,
    RemovalsFailFor(u32),
}

#[derive(Debug)]
struct State {
    trouble: Trouble,
    running: BTreeMap<NodeId, bool>,
    calls: usize,
}

#[derive(Debug)]
pub struct Scripted {
    storage: PathBuf,
    state: Mutex<State>,
}

impl Scripted {
    pub fn new(storage: PathBuf) -> Self {
        let state = State {
            trouble: Trouble::None,
            running: BTreeMap::new(),
            calls: 0,
        };
        Self {
            storage,
            state: Mutex::new(state),
        }
    }

    pub fn trouble(&self, trouble: Trouble) {
        self.state.lock().unwrap().trouble = trouble;
    }

    pub fn kill_all(&self) {
        self.state
            .lock()
            .unwrap()
            .running
            .values_mut()
            .for_each(|running| *running = false);
    }

    /// Acts it was asked for.
    pub fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    pub fn is_empty(&self) -> bool {
        self.state.lock().unwrap().running.is_empty()
    }

    fn act<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, ManagerError>,
    ) -> Result<T, ManagerError> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        act(&mut state)
    }

    fn dir(&self, id: NodeId) -> PathBuf {
        self.storage.join(id.directory_name())
    }
}

fn rejected() -> ManagerError {
    ManagerError::Rejected {
        what: "the supervisor".to_owned(),
        words: "no luck".to_owned(),
    }
}

#[async_trait]
impl ProcessManager for Scripted {
    fn kind(&self) -> ManagerKind {
        wnm_core::testing::MANAGER
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy::default()
    }

    async fn add(&self, nodes: &[Node], _: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, |node| async move {
            self.act(|state| {
                std::fs::create_dir_all(self.dir(node.id)).unwrap();
                state.running.entry(node.id).or_insert(false);
                Ok(AddedNode {
                    service: node.service.clone(),
                    binary: node.binary.clone(),
                    root_dir: node.root_dir.clone(),
                    log_dir: node.log_dir.clone(),
                    ports: node.ports,
                    container: None,
                })
            })
        })
        .await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        let trouble = self.state.lock().unwrap().trouble;
        assert!(trouble != Trouble::StartsPanic, "no luck at all");
        each(nodes, |node| async move {
            self.act(|state| match state.trouble {
                Trouble::StartsFail => Err(rejected()),
                Trouble::StartsTimeOut => Err(ManagerError::TimedOut {
                    what: "the start".to_owned(),
                    limit: Duration::from_secs(1),
                }),
                _ => {
                    state.running.insert(node.id, true);
                    Ok(())
                }
            })
        })
        .await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| async move {
            self.act(|state| {
                state.running.insert(node.id, false);
                Ok(())
            })
        })
        .await
    }

    async fn upgrade(&self, nodes: &[Node], _: &NodeBinary) -> Outcomes<()> {
        each(nodes, |_| async { self.act(|_| Ok(())) }).await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| async move {
            self.act(|state| {
                if state.trouble == Trouble::RemovalsFailFor(node.id.get()) {
                    return Err(rejected());
                }
                state.running.remove(&node.id);
                if self.dir(node.id).exists() {
                    std::fs::remove_dir_all(self.dir(node.id)).unwrap();
                }
                Ok(())
            })
        })
        .await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let state = self.state.lock().unwrap();
        if state.trouble == Trouble::Unreachable {
            return Err(ManagerError::Unreachable {
                supervisor: "the supervisor".to_owned(),
                reason: "it is away".to_owned(),
            });
        }
        let of = |node: &Node| match state.running.get(&node.id) {
            Some(true) => ProcessState::Running { pid: None },
            Some(false) => ProcessState::Stopped,
            None => ProcessState::Missing,
        };
        Ok(nodes.iter().map(|node| (node.id, of(node))).collect())
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        Ok(Vec::new())
    }
}
