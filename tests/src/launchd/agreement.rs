//! Checks a colony of jobs while no transition is under way.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::LaunchdFixture;
use crate::agreement::{IN_NODE, names};
use crate::database::NodeRow;

impl LaunchdFixture {
    /// Fails the test unless rows, jobs, their files, disabled labels, processes and directories agree, and running
    /// nodes were started with the arguments in their files.
    #[track_caller]
    pub fn check_agreement(&self) {
        let rows = self.nodes();
        let set = |rows: &[&NodeRow]| -> BTreeSet<String> {
            rows.iter().map(|row| row.service.clone()).collect()
        };
        let all: Vec<&NodeRow> = rows.iter().collect();
        let is_running = |row: &&NodeRow| row.status == "RUNNING";
        let (running, stopped): (Vec<&NodeRow>, Vec<&NodeRow>) = rows.iter().partition(is_running);

        let loaded: BTreeSet<String> = self.loaded().into_iter().collect();
        assert_eq!(loaded, set(&running), "loaded jobs and running nodes");
        let files: BTreeSet<String> = self.job_files().into_iter().collect();
        let named = set(&all)
            .iter()
            .map(|label| format!("{label}.plist"))
            .collect();
        assert_eq!(files, named, "files and rows");
        assert_eq!(
            self.disabled_labels(),
            set(&stopped),
            "disabled labels and stopped nodes"
        );

        let processes = self.colony.processes();
        assert_eq!(processes.len(), running.len(), "{processes:#?}");
        for row in &running {
            let own = processes
                .iter()
                .find(|process| process.root_dir() == Some(&row.root_dir));
            let own = own.unwrap_or_else(|| panic!("no process of {row:#?}"));
            assert_eq!(self.pid(&row.service), Some(own.pid));
            assert_eq!(
                own.args,
                self.arguments(&row.service),
                "started with what is on disk"
            );
        }
        let dirs: Vec<String> = rows
            .iter()
            .map(|row| format!("antnode{:04}", row.id))
            .collect();
        assert_eq!(self.colony.node_dirs(), dirs, "directories and rows");
        let logs = self.colony.storage().join("logs");
        assert_eq!(
            names(&logs),
            dirs.iter().cloned().collect(),
            "logs and rows"
        );
        for row in &rows {
            let entries = names(&row.root_dir);
            let expected = IN_NODE.map(str::to_owned).into();
            assert!(entries.is_subset(&expected), "in {}: {entries:?}", row.name);
        }
    }

    /// The disabled labels.
    fn disabled_labels(&self) -> BTreeSet<String> {
        let output = self.launchd.disabled_labels().into_iter();
        let label = |name: String| name.split_once('/').unwrap().1.to_owned();
        output.map(label).collect()
    }

    /// The arguments in the file of a job.
    fn arguments(&self, label: &str) -> Vec<OsString> {
        let file = self.job_dir().join(format!("{label}.plist"));
        let job: plist::Dictionary = plist::from_file(file).unwrap();
        let words = job.get("ProgramArguments").unwrap().as_array().unwrap();
        let mut words: Vec<OsString> = words
            .iter()
            .map(|word| word.as_string().unwrap().into())
            .collect();
        // The kernel's list ends with an empty argument.
        words.push(OsString::new());
        words
    }
}
