//! Checks a colony of units while no transition is under way.

use std::collections::BTreeSet;
use std::path::Path;

use super::Machine;
use crate::agreement::IN_NODE;

impl Machine {
    /// Fails the test unless rows, units, links, processes and directories agree, and systemd has read all units.
    #[track_caller]
    pub fn check_agreement(&self) {
        let rows = self.nodes();
        let running = rows.iter().filter(|row| row.status == "RUNNING");
        let running: BTreeSet<String> = running.map(|row| row.service.clone()).collect();
        let units: BTreeSet<String> = rows.iter().map(|row| row.service.clone()).collect();
        let node = |unit: &String| unit.trim_end_matches(".service").to_owned();
        let names: BTreeSet<String> = units.iter().map(node).collect();

        assert_eq!(self.unit_files(), units, "units and rows");
        assert_eq!(self.links(), running, "links and running nodes");
        assert_eq!(self.loaded(), running, "loaded and running units");
        let programs: Vec<String> = running.iter().map(node).collect();
        assert_eq!(self.processes(), programs, "processes and rows");
        assert_eq!(self.node_dirs(), names, "directories and rows");
        for name in &names {
            let entries = self.names(&self.storage().join(name));
            let expected = IN_NODE.map(str::to_owned).into();
            assert!(entries.is_subset(&expected), "in {name}: {entries:?}");
        }
        let sliced = self.names(&self.unit_dir()).contains("wnm.slice");
        assert_eq!(
            sliced,
            !rows.is_empty(),
            "a slice if and only if there are nodes"
        );
        for unit in units.iter().map(String::as_str).chain(["wnm.slice"]) {
            let asked = ["show", "--property=NeedDaemonReload", "--value", unit];
            let outdated = self.systemctl(asked).succeeded().stdout;
            assert_eq!(outdated.trim(), "no", "{unit} needs a reload");
        }
    }

    fn unit_files(&self) -> BTreeSet<String> {
        let mut names = self.names(&self.unit_dir());
        names.retain(|name| name.contains("antnode"));
        names
    }

    /// The units that start at boot.
    fn links(&self) -> BTreeSet<String> {
        let dir = self.unit_dir();
        let wants = self.names(&dir).into_iter();
        wants
            .filter(|name| name.ends_with(".wants"))
            .flat_map(|name| self.names(&dir.join(name)))
            .filter(|name| name.contains("antnode"))
            .collect()
    }

    /// Units that are active or have failed.
    fn loaded(&self) -> BTreeSet<String> {
        let asked = ["list-units", "--plain", "--no-legend", "antnode*"];
        let output = self.systemctl(asked).succeeded().stdout;
        let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
        output.lines().filter_map(first).collect()
    }

    /// The nodes whose programs run, whoever started them.
    fn processes(&self) -> Vec<String> {
        // Some links are not readable.
        let output = self.run("/bin/sh", ["-c", "readlink /proc/[0-9]*/exe"]);
        // Some paths to the storage are those outside of the machine, and a program started through a mount that is
        // gone has none. The end of each path is the node's own directory.
        let node = |path: &str| {
            let (way, _program) = path.rsplit_once('/')?;
            let (_, dir) = way.rsplit_once('/')?;
            dir.starts_with("antnode").then(|| dir.to_owned())
        };
        let mut found: Vec<String> = output.stdout.lines().filter_map(node).collect();
        found.sort();
        found
    }

    /// The names of the nodes' directories.
    pub fn node_dirs(&self) -> BTreeSet<String> {
        let mut names = self.names(&self.storage());
        names.retain(|name| name.starts_with("antnode"));
        names
    }

    fn names(&self, dir: &Path) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.system.path(dir));
        let entries = entries.into_iter().flatten();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}
