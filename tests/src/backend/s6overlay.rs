//! Services of s6 in containers of a real Docker engine.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeSet;
use std::path::Path;

use super::TestBackend;
use crate::call::Call;
use crate::colony::Colony;
use crate::database::NodeRow;
use crate::engine::Engine;

/// Small, so that a few nodes need two containers.
const NODES_PER_CONTAINER: u32 = 4;

/// A colony in containers of an engine.
pub struct S6Fixture<'e> {
    engine: RefCell<&'e mut Engine>,
    colony: Colony,
}

impl<'e> S6Fixture<'e> {
    /// Below `place`. The engine may be in any state that an earlier test left.
    pub fn below(place: &Path, engine: &'e mut Engine) -> Self {
        engine.thaw();
        if !engine.is_up() {
            engine.start();
        }
        engine.clear();
        Self {
            engine: RefCell::new(engine),
            colony: Colony::below(place, crate::colony::ROOM),
        }
    }

    /// The engine.
    pub fn engine(&self) -> Ref<'_, &'e mut Engine> {
        self.engine.borrow()
    }

    /// The engine, to stop it or to start it.
    pub fn engine_mut(&self) -> RefMut<'_, &'e mut Engine> {
        self.engine.borrow_mut()
    }

    /// What an s6 command says about a node's service. `None` when its container or its service does not exist, as
    /// while the node is stopped.
    fn ask_s6<const N: usize>(&self, row: &NodeRow, command: [&str; N]) -> Option<String> {
        let name = format!(
            "(SELECT container.name FROM container JOIN node ON container.id = node.container_id \
             WHERE node.id = {})",
            row.id
        );
        let container = self.colony.database().value(&name)?;
        let service = format!("/run/service/{}", row.service);
        let mut docker = self.engine().docker(["exec", &container]);
        let output = docker.args(command).arg(service).output();
        let output = output.expect("docker cannot be run");
        let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(answer)
    }
}

impl TestBackend for S6Fixture<'_> {
    fn init(&self, program: &Path, options: &[&str]) {
        let engine = self.engine();
        let _created = engine.init(&self.colony, program, NODES_PER_CONTAINER, options);
    }

    fn wnm(&self) -> Call {
        self.engine().wnm(&self.colony, &[])
    }

    fn dir(&self) -> &Path {
        self.colony.dir()
    }

    fn pids(&self, row: &NodeRow) -> Vec<i32> {
        let pid = self.ask_s6(row, ["/command/s6-svstat", "-o", "pid"]);
        let pid = pid.and_then(|pid| pid.parse().ok());
        pid.into_iter().filter(|pid| *pid > 0).collect()
    }

    /// One question for each container, not for each node.
    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        let engine = self.engine();
        let containers = engine.containers();
        let services = containers.iter().map(|name| engine.services(name));
        let up: BTreeSet<String> = services
            .flatten()
            .filter_map(|(name, up)| up.then_some(name))
            .collect();
        let running = rows.iter().filter(|row| up.contains(&row.service));
        running.map(|row| row.id).collect()
    }

    fn kill_node(&self, row: &NodeRow) {
        let _sent = self.ask_s6(row, ["/command/s6-svc", "-k"]);
    }

    fn check_agreement(&self) {
        self.engine().check_agreement(&self.colony);
    }

    fn assert_nothing_left(&self) {
        assert_eq!(self.engine().containers(), [""; 0], "containers");
        self.colony.assert_nothing_left();
    }
}
