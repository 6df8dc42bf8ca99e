//! The conformance suite over the fake launchd.

use std::process::Command;

use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_testkit::conformance::Backend;

use super::backend::TestBackend;

/// A job that is not wnm's.
const FOREIGN: &str = "com.example.web";

impl TestBackend {
    /// The process of a node, as `launchctl list` prints it.
    fn process_of(&self, node: &Node) -> Option<String> {
        let (launchctl, [(name, value)]) = self.launchd.launchctl();
        let mut command = Command::new(launchctl);
        let output = command.arg("list").env(name, value).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find_map(|line| {
            let mut fields = line.split_whitespace();
            let pid = fields.next()?;
            let label = fields.next_back()?;
            (label == node.service && pid != "-").then(|| pid.to_owned())
        })
    }
}

impl Backend for TestBackend {
    fn manager(&self) -> &dyn ProcessManager {
        self.manager.as_ref()
    }

    fn node(&self, number: u32) -> Node {
        TestBackend::node(self, number)
    }

    fn binary(&self) -> NodeBinary {
        TestBackend::binary(self, "first")
    }

    fn newer_binary(&self) -> NodeBinary {
        TestBackend::binary(self, "second")
    }

    fn is_running(&self, node: &Node) -> bool {
        self.process_of(node).is_some()
    }

    fn kill(&self, node: &Node) {
        let pid = self.process_of(node).unwrap();
        assert!(
            Command::new("kill")
                .args(["-9", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn silence(&self) -> bool {
        self.launchd.hide();
        true
    }

    fn add_foreign(&self) -> bool {
        self.write_job(FOREIGN, "<plist></plist>");
        true
    }

    fn has_foreign(&self) -> bool {
        self.job_file(FOREIGN).exists()
    }
}

wnm_testkit::conformance_suite!(TestBackend::new());
