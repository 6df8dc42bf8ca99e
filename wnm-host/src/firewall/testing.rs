//! A machine with the programs of firewalls on it, which answer as a test says.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::root::Root;
use wnm_core::command::{CommandOutput, CommandSpec, MockCommandRunner};
use wnm_core::firewall::Opening;
use wnm_core::id::NodeId;
use wnm_core::ports::{Port, PortRange};

pub(super) fn ports(first: u16, last: u16) -> PortRange {
    let port = |number| Port::new(number).unwrap();
    PortRange::new(port(first), port(last)).unwrap()
}

/// An opening of these ports; the first is that of this node.
pub(super) fn opening(first: u16, last: u16, node: u32) -> Opening {
    let single = |after: u16| {
        let node = NodeId::new(node + u32::from(after)).unwrap();
        Opening::new(node, Port::new(first + after).unwrap())
    };
    Opening::runs((0..=last - first).map(single)).pop().unwrap()
}

/// The answer of a program that did it.
pub(super) fn done(stdout: &str) -> CommandOutput {
    CommandOutput {
        code: Some(0),
        stdout: stdout.into(),
        stderr: Vec::new(),
    }
}

/// The answer of a program that did not.
pub(super) fn failed(code: i32, stderr: &str) -> CommandOutput {
    CommandOutput {
        code: Some(code),
        stdout: Vec::new(),
        stderr: stderr.into(),
    }
}

/// The machine, and what was called on it.
pub(super) struct Stage {
    pub root: Root,
    dir: TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    /// One with these programs; `answer` is given the words of a call without those that make it root's.
    pub fn with(
        programs: &[&str],
        answer: impl Fn(&str) -> CommandOutput + Send + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for program in programs {
            std::fs::write(dir.path().join(program), "").unwrap();
        }
        let said = Arc::new(Mutex::new(Vec::new()));
        let mut runner = MockCommandRunner::new();
        let (heard, path) = (Arc::clone(&said), dir.path().to_owned());
        runner.expect_run().returning(move |spec| {
            let words = words(spec, &path);
            let answer = answer(&words);
            heard.lock().unwrap().push(words);
            Ok(answer)
        });
        Self {
            root: Root::with_dir(Arc::new(runner), dir.path()),
            dir,
            said,
        }
    }

    /// Where its programs are.
    pub fn dir(&self) -> String {
        self.dir.path().display().to_string()
    }

    /// What was called, a line each.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }
}

/// A command as one line, the same whoever runs the test.
fn words(spec: &CommandSpec, dir: &Path) -> String {
    assert_eq!(spec.env, [("LC_ALL".into(), "C".into())]);
    let line = std::iter::once(&spec.program)
        .chain(&spec.args)
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
        .replace(&dir.display().to_string(), "[dir]");
    let own = if nix::unistd::geteuid().is_root() {
        ""
    } else {
        "sudo -n "
    };
    let line = line.strip_prefix(own).expect("not called as root");
    line.strip_prefix("[dir]/").unwrap_or(line).to_owned()
}
