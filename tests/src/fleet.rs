//! A colony of many simulated nodes with nothing left to do, to measure what it costs to keep it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::colony::{Colony, EAGER};
use crate::{binaries, nodes};

/// Enough for a thousand copies of a program and as many starts.
const DEADLINE: Duration = Duration::from_secs(600);

/// A colony whose nodes all run and that has nothing to do.
pub struct Fleet {
    colony: Colony,
}

impl Fleet {
    /// Adds and starts so many nodes.
    pub fn start(count: u16) -> Self {
        let colony = Colony::for_nodes(count);
        let program = colony.program("0.4.17");
        colony.init("setsid+user", &program, EAGER).succeeded();
        // Where both programs look for the node program.
        let bin = colony.home().join(".local/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(&program, bin.join("antnode")).unwrap();
        let cap = format!("--node-cap={count}");
        let wide = ["--max-concurrent-starts=8", "--max-concurrent-operations=8"];
        colony
            .wnm(["--force-action", "add", "--count", &count.to_string(), &cap])
            .args(wide)
            .within(DEADLINE)
            .run()
            .succeeded();
        // The next cycles end the transitions that the adds left; then the fleet is at its cap.
        for _ in 0..2 {
            colony.wnm([""; 0]).within(DEADLINE).run().succeeded();
        }
        let running = colony
            .database()
            .nodes()
            .iter()
            .filter(|node| node.status == "RUNNING")
            .count();
        assert_eq!(running, usize::from(count), "not all nodes run");
        Self { colony }
    }

    /// The directory of the colony.
    pub fn dir(&self) -> &Path {
        self.colony.dir()
    }

    /// `HOME`.
    pub fn home(&self) -> PathBuf {
        self.colony.home()
    }

    /// The path of the database.
    pub fn database(&self) -> PathBuf {
        self.colony.database_path()
    }

    /// Makes the nodes close their metrics ports, so that another process can answer there.
    pub fn close_metrics_ports(&self) {
        for node in self.colony.database().nodes() {
            std::fs::write(node.root_dir.join("sim-silent"), "closed").unwrap();
            let port = node.metrics_port.unwrap();
            // A node reads its instructions at the next connection.
            nodes::page(port, "/metadata").expect_err("it still answers");
        }
    }

    /// The metrics ports of all nodes.
    pub fn metrics_ports(&self) -> Vec<u16> {
        let nodes = self.colony.database().nodes();
        nodes.iter().filter_map(|node| node.metrics_port).collect()
    }

    /// A call of our wnm.
    pub fn wnm(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries::wnm());
        command
            .args(args)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.home())
            .env("ANT_PEERS", nodes::NOWHERE)
            .env("DBPATH", self.database())
            .current_dir(self.dir());
        command
    }
}
