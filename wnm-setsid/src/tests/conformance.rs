//! The conformance suite over real processes.

use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_testkit::conformance::Backend;

use super::backend::{RUNS_FOREVER, TestBackend};
use crate::Setsid;
use crate::matching::Program;
use crate::table::Table;

struct RealProcesses {
    backend: TestBackend,
    /// The same manager without a process table.
    blind: Setsid,
    silent: AtomicBool,
    /// A process that is not a node's.
    foreign: Mutex<Option<Child>>,
}

impl RealProcesses {
    fn new() -> Self {
        let backend = TestBackend::new(RUNS_FOREVER);
        Self {
            blind: backend.with_unreadable_table(),
            backend,
            silent: AtomicBool::new(false),
            foreign: Mutex::new(None),
        }
    }

    fn pids(&self, node: &Node) -> Vec<i32> {
        let ours = |program: &Program| matches!(program, Program::At(path) if *path == node.binary);
        let processes = Table::system().processes(&ours).unwrap();
        processes.iter().map(|process| process.id.pid).collect()
    }
}

impl Drop for RealProcesses {
    fn drop(&mut self) {
        if let Some(mut foreign) = self.foreign.lock().unwrap().take() {
            foreign.kill().unwrap();
            foreign.wait().unwrap();
        }
    }
}

impl Backend for RealProcesses {
    fn manager(&self) -> &dyn ProcessManager {
        match self.silent.load(Ordering::Relaxed) {
            true => &self.blind,
            false => &self.backend.manager,
        }
    }

    fn node(&self, number: u32) -> Node {
        self.backend.node(number)
    }

    fn binary(&self) -> NodeBinary {
        self.backend.binary()
    }

    fn newer_binary(&self) -> NodeBinary {
        let mut binary = self.binary();
        let path = self.backend.dir.join("newer");
        if !path.exists() {
            // What follows a program in its file does not change what it does.
            let mut program = std::fs::read(&binary.path).unwrap();
            program.push(0);
            std::fs::write(&path, program).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, mode).unwrap();
        }
        binary.path = path;
        binary.version.minor += 1;
        binary
    }

    fn is_running(&self, node: &Node) -> bool {
        !self.pids(node).is_empty()
    }

    fn kill(&self, node: &Node) {
        for pid in self.pids(node) {
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        }
    }

    fn silence(&self) -> bool {
        self.silent.store(true, Ordering::Relaxed);
        true
    }

    fn add_foreign(&self) -> bool {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        *self.foreign.lock().unwrap() = Some(child);
        true
    }

    fn has_foreign(&self) -> bool {
        let mut foreign = self.foreign.lock().unwrap();
        let ended = foreign.as_mut().map(|child| child.try_wait().unwrap());
        matches!(ended, Some(None))
    }

    fn finds_by_name(&self) -> bool {
        false
    }
}

wnm_testkit::conformance_suite!(RealProcesses::new());
