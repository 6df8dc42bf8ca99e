//! Builds manager contexts and node records.

use std::path::Path;
use std::sync::Arc;

use wnm_core::command::CommandRunner;
use wnm_core::firewall::NoFirewall;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::FirewallChoice;
use wnm_core::machine::{Launch, Machine};
use wnm_core::manager::ManagerContext;
use wnm_core::node::{Node, ObservedState};
use wnm_core::paths::Paths;
use wnm_core::testing;
use wnm_programs::Antnode;

/// Returns the record of a node as the executor creates it before it adds the node.
pub fn node(context: &ManagerContext, number: u32) -> Node {
    let id = NodeId::new(number).unwrap();
    let paths = &context.paths;
    let root_dir = paths.node_dir(id);
    Node {
        manager: context.machine.manager.clone(),
        service: format!("{}.service", id.directory_name()),
        user: "nobody".to_owned(),
        binary: root_dir.join("antnode"),
        log_dir: Some(paths.log_dir(id)),
        root_dir,
        ports: context.machine.ports.of(id).unwrap(),
        ..testing::seen(number, ObservedState::Stopped)
    }
}

/// Returns a context with all its paths below `dir`.
pub fn context(dir: &Path, kind: ManagerKind, runner: Arc<dyn CommandRunner>) -> ManagerContext {
    let state = dir.join("state");
    let paths = Paths {
        node_storage: state.join("nodes"),
        logs: state.join("logs"),
        bootstrap_cache: state.join("cache"),
        state,
    };
    ManagerContext {
        program: Arc::new(Antnode::new(runner.clone())),
        runner,
        firewall: Arc::new(NoFirewall),
        machine: Machine {
            node_storage: paths.node_storage.clone(),
            manager: kind,
            firewall: FirewallChoice::None,
            ..testing::machine()
        },
        paths,
        launch: Launch::default(),
        owner: "nobody".to_owned(),
    }
}
