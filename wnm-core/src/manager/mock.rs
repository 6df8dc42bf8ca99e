use std::collections::HashMap;

use async_trait::async_trait;
use mockall::mock;

use super::{AddedNode, FoundNode, ManagerError, ManagerPolicy, Outcomes, ProcessManager};
use crate::firewall::Opening;
use crate::id::NodeId;
use crate::kind::ManagerKind;
use crate::node::{Node, ObservedState, ProcessState};
use crate::program::NodeBinary;

mock! {
    /// A manager that does what a test expects of it. It has no facets.
    pub ProcessManager {}

    #[async_trait]
    impl ProcessManager for ProcessManager {
        fn kind(&self) -> ManagerKind;
        fn policy(&self) -> ManagerPolicy;
        async fn check(&self) -> Result<(), ManagerError>;
        async fn prepare(&self, openings: &[Opening]) -> Result<(), ManagerError>;
        async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode>;
        async fn start(&self, nodes: &[Node]) -> Outcomes<()>;
        async fn stop(&self, nodes: &[Node]) -> Outcomes<()>;
        async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()>;
        async fn remove(&self, nodes: &[Node]) -> Outcomes<()>;
        async fn statuses(
            &self,
            nodes: &[Node],
        ) -> Result<HashMap<NodeId, ProcessState>, ManagerError>;
        async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError>;
        async fn release(&self, nodes: &[Node]) -> Result<(), ManagerError>;
    }
}

impl MockProcessManager {
    /// A mock that answers every question: what is recorded is true, and nothing is left to discover. It expects
    /// no act, so that an act fails its step.
    pub fn answering() -> Self {
        Self::new().or_answering()
    }

    /// Answers the questions that this mock has no expectation for. Expectations that were set before win.
    #[must_use]
    pub fn or_answering(mut self) -> Self {
        self.expect_kind().return_const(crate::testing::MANAGER);
        self.expect_policy().returning(ManagerPolicy::default);
        self.expect_check().returning(|| Ok(()));
        self.expect_prepare().returning(|_| Ok(()));
        self.expect_release().returning(|_| Ok(()));
        self.expect_discover().returning(|| Ok(Vec::new()));
        self.expect_statuses().returning(|nodes| {
            let states = nodes.iter().map(|node| (node.id, as_recorded(node)));
            Ok(states.collect())
        });
        self
    }
}

/// What a supervisor says of a node that is as it is recorded.
fn as_recorded(node: &Node) -> ProcessState {
    match node.observed().state {
        ObservedState::Running => ProcessState::Running { pid: None },
        ObservedState::Stopped => ProcessState::Stopped,
        ObservedState::Dead => ProcessState::Missing,
        ObservedState::Unknown => ProcessState::Unknown("unknown on record".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{node, seen};

    #[tokio::test]
    async fn an_answering_mock_says_what_is_recorded() {
        let nodes = [node(1), seen(2, ObservedState::Stopped)];
        let manager = MockProcessManager::answering();
        let states = manager.statuses(&nodes).await.unwrap();
        assert_eq!(states[&nodes[0].id], ProcessState::Running { pid: None });
        assert_eq!(states[&nodes[1].id], ProcessState::Stopped);
        assert!(manager.containers().is_none());
        let refused = manager.events().err().unwrap();
        assert!(
            matches!(refused, ManagerError::Unsupported { .. }),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn earlier_expectations_win() {
        let mut manager = MockProcessManager::new();
        manager
            .expect_statuses()
            .returning(|_| Err(ManagerError::NotFound("it".to_owned())));
        let manager = manager.or_answering();
        assert!(manager.statuses(&[node(1)]).await.is_err());
        assert!(manager.check().await.is_ok());
    }
}
