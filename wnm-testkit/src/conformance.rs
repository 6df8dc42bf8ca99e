//! The conformance suite: what every manager promises, whatever its supervisor.
//!
//! A manager's tests implement [`Backend`] and call [`conformance_suite!`](crate::conformance_suite), which makes a
//! test of each check, or call [`run`].

use std::slice::from_ref;
use std::time::{Duration, Instant};

use wnm_core::manager::{AddedNode, ManagerError, ProcessManager, one};
use wnm_core::node::{Node, ProcessState};
use wnm_core::program::NodeBinary;

mod checks;

pub use checks::*;

/// Longer than any supervisor takes for one node.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A manager and the means to look at its nodes without it. Every check gets a new one.
pub trait Backend: Send + Sync {
    /// The manager under test.
    fn manager(&self) -> &dyn ProcessManager;

    /// The record of a node as it is before an add.
    fn node(&self, number: u32) -> Node;

    /// The program that new nodes get.
    fn binary(&self) -> NodeBinary;

    /// Another program, for upgrades.
    fn newer_binary(&self) -> NodeBinary;

    /// Whether a process of the node runs, without asking the manager.
    fn is_running(&self, node: &Node) -> bool;

    /// Ends the node's process, as a crash would.
    fn kill(&self, node: &Node);

    /// Whether the node has this program.
    fn has_program(&self, node: &Node, binary: &NodeBinary) -> bool {
        let read = |path| std::fs::read(path).ok();
        read(&node.binary).is_some_and(|content| Some(content) == read(&binary.path))
    }

    /// Whether the node's data is there.
    fn has_data(&self, node: &Node) -> bool {
        node.root_dir.symlink_metadata().is_ok()
    }

    /// Makes the supervisor silent. `false` if that cannot be done, which skips the check.
    fn silence(&self) -> bool {
        false
    }

    /// Lets nothing stop the node. `false` if that cannot be done, which skips the check.
    fn make_unstoppable(&self, node: &Node) -> bool {
        let _ = node;
        false
    }

    /// Adds a service that is not wnm's. `false` if that cannot be done, which skips the check.
    fn add_foreign(&self) -> bool {
        false
    }

    /// Whether the service that is not wnm's is as it was.
    fn has_foreign(&self) -> bool {
        true
    }

    /// Whether the supervisor finds a node's service by its recorded name, and not by its directory.
    fn finds_by_name(&self) -> bool {
        true
    }

    /// Whether the supervisor keeps enough of a node for it to be discovered.
    fn discovers(&self) -> bool {
        true
    }
}

/// Makes a test of each check of the suite. The expression makes a new [`Backend`].
#[macro_export]
macro_rules! conformance_suite {
    ($backend:expr) => {
        $crate::conformance_suite!(@ $backend;
            adding_twice_gives_the_same_node,
            starting_twice_leaves_one_that_runs,
            stopping_twice_leaves_no_process,
            removing_twice_leaves_nothing,
            an_upgrade_leaves_a_stopped_node_stopped_and_a_running_one_running,
            a_batch_has_an_outcome_per_node_in_order,
            statuses_say_what_is_so,
            a_node_that_was_never_added_does_not_run,
            a_killed_node_is_seen_and_comes_back,
            silence_is_not_stopped,
            what_was_added_is_discovered,
            hostile_names_are_refused,
            directories_of_others_stay,
            a_living_node_keeps_its_data,
            services_of_others_stay,
            questions_and_release_touch_no_node,
            teardown_leaves_nothing,
        );
    };
    (@ $backend:expr; $($check:ident,)*) => {
        $(
            #[tokio::test]
            async fn $check() {
                let backend = $backend;
                $crate::conformance::$check(&backend).await;
            }
        )*
    };
}

/// Runs all checks, each on a new backend.
pub async fn run(backend: impl Fn() -> Box<dyn Backend>) {
    macro_rules! all {
        ($($check:ident,)*) => {{
            $(
                let fresh = backend();
                $check(fresh.as_ref()).await;
            )*
        }};
    }
    all!(
        adding_twice_gives_the_same_node,
        starting_twice_leaves_one_that_runs,
        stopping_twice_leaves_no_process,
        removing_twice_leaves_nothing,
        an_upgrade_leaves_a_stopped_node_stopped_and_a_running_one_running,
        a_batch_has_an_outcome_per_node_in_order,
        statuses_say_what_is_so,
        a_node_that_was_never_added_does_not_run,
        a_killed_node_is_seen_and_comes_back,
        silence_is_not_stopped,
        what_was_added_is_discovered,
        hostile_names_are_refused,
        directories_of_others_stay,
        a_living_node_keeps_its_data,
        services_of_others_stay,
        questions_and_release_touch_no_node,
        teardown_leaves_nothing,
    );
}

/// The record of a node after its add, as the executor writes it.
fn recorded(node: &Node, added: AddedNode) -> Node {
    Node {
        service: added.service,
        binary: added.binary,
        root_dir: added.root_dir,
        log_dir: added.log_dir,
        ports: added.ports,
        container: added.container,
        ..node.clone()
    }
}

/// Adds node `number` and gives its record.
async fn added(backend: &dyn Backend, number: u32) -> Node {
    let node = backend.node(number);
    let outcomes = backend
        .manager()
        .add(from_ref(&node), &backend.binary())
        .await;
    recorded(&node, one(&node, outcomes).expect("an add of a new node"))
}

/// Adds and starts node `number` and gives its record.
async fn started(backend: &dyn Backend, number: u32) -> Node {
    let node = added(backend, number).await;
    let outcomes = backend.manager().start(from_ref(&node)).await;
    one(&node, outcomes).expect("a start of an added node");
    assert!(backend.is_running(&node), "a started node has no process");
    node
}

async fn state(backend: &dyn Backend, node: &Node) -> Option<ProcessState> {
    let states = backend.manager().statuses(from_ref(node)).await;
    states.expect("statuses").remove(&node.id)
}

/// What came of an act on one node.
fn only<T>(node: &Node, outcomes: Vec<Result<T, ManagerError>>) -> Result<T, ManagerError> {
    assert_eq!(outcomes.len(), 1, "one node, one outcome");
    one(node, outcomes)
}

/// Polls for something that no event reports.
async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < TIMEOUT, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
