//! Checks a colony in containers while no transition is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Engine;
use crate::agreement::{IN_NODE, names};
use crate::colony::Colony;

/// Prints the service of each node and whether it is up.
const SERVICES: &str = "cd /run/service; for s in antnode*; do \
                        [ -d $s ] && echo $s $(s6-svstat -o up $s); done; true";

/// Prints the arguments of all processes, one a line. The executable of another account's process cannot be read.
const WORDS: &str = "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'";

impl Engine {
    /// Fails the test unless rows, containers, services, processes and directories agree.
    #[track_caller]
    pub fn check_agreement(&self, colony: &Colony) {
        let database = colony.database();
        let recorded = database.rows(&["name"], "container ORDER BY name");
        let recorded: Vec<String> = recorded.into_iter().flatten().flatten().collect();
        assert_eq!(self.containers(), recorded, "containers and rows");

        let rows = colony.database().nodes();
        let mut nodes_by_container = self.nodes_by_container(colony);
        for container in &recorded {
            let here: BTreeSet<u32> = nodes_by_container.remove(container).unwrap_or_default();
            let here = rows.iter().filter(|row| here.contains(&row.id));
            let running = here.filter(|row| row.status == "RUNNING");
            let running: BTreeSet<String> = running.map(|row| row.service.clone()).collect();
            let services = self.services(container);
            let up = services.iter().filter(|(_, up)| **up);
            let up: BTreeSet<String> = up.map(|(name, _)| name.clone()).collect();
            assert_eq!(up, running, "what s6 has up in {container}");
            let stray = services
                .keys()
                .find(|name| rows.iter().all(|row| row.service != **name));
            assert_eq!(stray, None, "a service without a row in {container}");
            let programs: Vec<String> = running.into_iter().collect();
            assert_eq!(self.programs(container), programs, "processes");
        }
        assert!(
            nodes_by_container.is_empty(),
            "in no container: {nodes_by_container:?}"
        );

        let services: BTreeSet<String> = rows.iter().map(|row| row.service.clone()).collect();
        let dirs: BTreeSet<String> = colony.node_dirs().into_iter().collect();
        assert_eq!(dirs, services, "directories and rows");
        let logs = names(&colony.storage().join("logs"));
        assert_eq!(logs, services, "log directories and rows");
        for row in &rows {
            let entries = names(&row.root_dir);
            let expected = IN_NODE.map(str::to_owned).into();
            assert!(entries.is_subset(&expected), "in {}: {entries:?}", row.name);
        }
    }

    /// The nodes of each container, by number.
    fn nodes_by_container(&self, colony: &Colony) -> BTreeMap<String, BTreeSet<u32>> {
        let joined = "node LEFT JOIN container ON container.id = node.container_id";
        let mut nodes_by_container = BTreeMap::<String, BTreeSet<u32>>::new();
        for row in colony
            .database()
            .rows(&["node.id", "container.name"], joined)
        {
            let [node, container] = row.try_into().unwrap();
            let container: Option<String> = container;
            let nodes = nodes_by_container
                .entry(container.unwrap_or_default())
                .or_default();
            nodes.insert(node.unwrap().parse().unwrap());
        }
        nodes_by_container
    }

    /// The services of nodes in a container and whether each is up. None when the container does not run.
    pub fn services(&self, container: &str) -> BTreeMap<String, bool> {
        let output = self.try_run_in(container, SERVICES);
        let lines = output.lines().filter_map(|line| line.split_once(' '));
        lines
            .map(|(name, up)| (name.to_owned(), up == "true"))
            .collect()
    }

    /// The nodes whose programs run in a container, once for each process.
    fn programs(&self, container: &str) -> Vec<String> {
        let output = self.try_run_in(container, WORDS);
        let words: Vec<&str> = output.lines().collect();
        let pairs = words.windows(2).filter(|pair| pair[0] == "--root-dir");
        let name = |pair: &[&str]| Some(Path::new(pair[1]).file_name()?.to_str()?.to_owned());
        let mut programs: Vec<String> = pairs.filter_map(name).collect();
        programs.sort();
        programs
    }
}
