//! Checks a colony under antctl while no transition is under way.

use std::collections::BTreeSet;

use super::AntctlFixture;
use crate::agreement::names;

impl AntctlFixture {
    /// Fails the test unless rows, services, units, processes and directories agree.
    #[track_caller]
    pub fn check_agreement(&self) {
        let rows = self.nodes();
        let services: BTreeSet<String> = rows.iter().map(|row| row.service.clone()).collect();
        let mut known = self.names();
        known.sort();
        assert_eq!(known, Vec::from_iter(services.clone()), "services and rows");
        let units: BTreeSet<String> = self.unit_names().into_iter().collect();
        let named = services.iter().map(|name| format!("{name}.service"));
        assert_eq!(units, named.collect(), "units and rows");

        let mut processes = self.colony.processes();
        for row in &rows {
            let running = usize::from(row.status == "RUNNING");
            let own = processes.extract_if(.., |process| {
                process.exe.starts_with(&row.root_dir) && process.root_dir() == Some(&row.root_dir)
            });
            assert_eq!(own.count(), running, "processes of {row:#?}");
        }
        assert!(processes.is_empty(), "of no row: {processes:#?}");

        let dirs: Vec<String> = rows
            .iter()
            .map(|row| format!("antnode{:04}", row.id))
            .collect();
        assert_eq!(self.colony.node_dirs(), dirs, "directories and rows");
        for row in &rows {
            let own = self.colony.storage().join(format!("antnode{:04}", row.id));
            assert!(row.root_dir.starts_with(&own), "{row:#?}");
            let programs = names(&row.root_dir);
            let programs = programs.iter().filter(|name| name.starts_with("antnode"));
            let programs: Vec<&String> = programs.filter(|name| *name != "antnode.pid").collect();
            assert_eq!(programs, ["antnode"], "in {}", row.root_dir.display());
        }
    }
}
