//! Services of s6 in containers of a real engine.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::colony::Colony;
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::engine::Engine;

use super::Ground;
use crate::silence::Supervisor;

/// So few nodes in each container that a run has two of them.
const SIZE: u32 = 4;

/// A colony in containers.
pub struct Containers<'e> {
    engine: RefCell<&'e mut Engine>,
    colony: Colony,
}

impl<'e> Containers<'e> {
    /// Below `place`, in an engine that the run before this may have left in any state.
    pub fn below(place: &Path, engine: &'e mut Engine) -> Self {
        engine.thaw();
        if !engine.is_up() {
            engine.start();
        }
        engine.clear();
        Self {
            engine: RefCell::new(engine),
            colony: Colony::below(place, super::ROOM),
        }
    }

    /// The container that a node is in.
    fn container_of(&self, row: &NodeRow) -> Option<String> {
        let of_it = format!(
            "(SELECT container.name FROM container JOIN node ON container.id = node.container_id \
             WHERE node.id = {})",
            row.id
        );
        self.colony.database().value(&of_it)
    }
}

impl Ground for Containers<'_> {
    fn init(&self, program: &Path, options: &[String]) {
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let engine = self.engine.borrow();
        let _made = engine.init(&self.colony, program, SIZE, &options);
    }

    fn wnm(&self) -> Call {
        self.engine.borrow().wnm(&self.colony, &[])
    }

    fn database(&self) -> Database {
        self.colony.database()
    }

    fn program(&self, version: &str) -> PathBuf {
        self.colony.program(version)
    }

    fn dir(&self) -> &Path {
        self.colony.dir()
    }

    fn storage(&self) -> PathBuf {
        self.colony.storage()
    }

    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        let engine = self.engine.borrow();
        let containers = engine.containers();
        let services = containers.iter().map(|name| engine.services(name));
        let up: BTreeSet<String> = services
            .flatten()
            .filter_map(|(name, up)| up.then_some(name))
            .collect();
        let runs = rows.iter().filter(|row| up.contains(&row.service));
        runs.map(|row| row.id).collect()
    }

    fn kill_node(&self, row: &NodeRow) {
        let service = format!("/run/service/{}", row.service);
        // Its service is not there while it is stopped, nor is its container while that is made.
        let told = self.container_of(row).map(|container| {
            let words = ["exec", &container, "/command/s6-svc", "-k", &service];
            self.engine.borrow().docker(words).output()
        });
        told.map(|told| told.expect("docker cannot be run"));
    }

    fn check_agreement(&self) {
        self.engine.borrow().check_agreement(&self.colony);
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        // First, since it could see otherwise that the engine is gone.
        let outcome = operation.end_with(Signal::SIGKILL);
        self.engine.borrow_mut().cut_power();
        outcome
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

impl Supervisor for Containers<'_> {
    fn freeze(&self) {
        self.engine.borrow().freeze();
    }

    fn thaw(&self) {
        self.engine.borrow().thaw();
    }

    /// And the nodes with it.
    fn leave(&self) {
        self.engine.borrow_mut().stop();
    }

    fn come_back(&self) {
        self.engine.borrow_mut().start();
    }

    fn lost(&self, _entirely: bool) -> Call {
        self.wnm().env("DOCKER_HOST", "unix:///nowhere")
    }
}
