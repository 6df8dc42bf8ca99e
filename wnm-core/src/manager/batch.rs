//! Calls about many nodes: made from calls about one, and brought back to one.

use super::{ManagerError, Outcomes};
use crate::node::Node;

/// The batch form of a function for one node: calls it for each node, one after the other.
///
/// ```
/// # use wnm_core::manager::{Outcomes, each};
/// # use wnm_core::node::Node;
/// async fn stop(nodes: &[Node]) -> Outcomes<()> {
///     each(nodes, |node| async move {
///         println!("stopping {}", node.service);
///         Ok(())
///     })
///     .await
/// }
/// ```
pub async fn each<'n, T, F>(nodes: &'n [Node], mut act: impl FnMut(&'n Node) -> F) -> Outcomes<T>
where
    F: Future<Output = Result<T, ManagerError>>,
{
    let mut outcomes = Vec::with_capacity(nodes.len());
    for node in nodes {
        outcomes.push(act(node).await);
    }
    outcomes
}

/// The outcome of a call that was about this node alone.
///
/// # Errors
///
/// The node's own error, or [`ManagerError::Unreachable`] if the manager gave no outcome.
pub fn one<T>(node: &Node, outcomes: Outcomes<T>) -> Result<T, ManagerError> {
    let first = outcomes.into_iter().next();
    first.unwrap_or_else(|| Err(no_outcome(node)))
}

/// Exactly one outcome per node: the outcome of a node that the manager left out is unknown.
pub fn one_per_node<T>(nodes: &[Node], mut outcomes: Outcomes<T>) -> Outcomes<T> {
    outcomes.truncate(nodes.len());
    for node in &nodes[outcomes.len()..] {
        outcomes.push(Err(no_outcome(node)));
    }
    outcomes
}

fn no_outcome(node: &Node) -> ManagerError {
    ManagerError::Unreachable {
        supervisor: node.manager.to_string(),
        reason: format!("it said nothing of {}", node.service),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node;

    #[tokio::test]
    async fn each_node_has_its_outcome_in_order() {
        let nodes = [node(1), node(2), node(3)];
        let outcomes = each(&nodes, |node| async move {
            match node.id.get() {
                2 => Err(ManagerError::NotFound("it".to_owned())),
                number => Ok(number),
            }
        })
        .await;
        let told: Vec<_> = outcomes.into_iter().map(Result::ok).collect();
        assert_eq!(told, [Some(1), None, Some(3)]);
    }

    #[test]
    fn a_node_without_an_outcome_is_unknown() {
        let nodes = [node(1), node(2)];
        let outcomes = one_per_node(&nodes, vec![Ok(1), Ok(2), Ok(3)]);
        assert_eq!(outcomes.len(), 2);
        let outcomes = one_per_node(&nodes, vec![Ok(1)]);
        let error = outcomes[1].as_ref().unwrap_err();
        assert!(error.leaves_it_open(), "{error}");
        assert!(
            one::<()>(&nodes[0], Vec::new())
                .unwrap_err()
                .leaves_it_open()
        );
    }
}
