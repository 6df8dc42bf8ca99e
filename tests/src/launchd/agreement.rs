//! What must hold of a colony of jobs whenever nothing is under way, whatever happened before.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::LaunchdFixture;
use crate::agreement::{IN_NODE, names};
use crate::database::NodeRow;

impl LaunchdFixture {
    /// Fails the test unless rows, jobs, their files, what is barred, processes and directories tell the same
    /// story, and what runs was started with what is in its file.
    #[track_caller]
    pub fn check_agreement(&self) {
        let rows = self.nodes();
        let set = |rows: &[&NodeRow]| -> BTreeSet<String> {
            rows.iter().map(|row| row.service.clone()).collect()
        };
        let all: Vec<&NodeRow> = rows.iter().collect();
        let is_running = |row: &&NodeRow| row.status == "RUNNING";
        let (running, stopped): (Vec<&NodeRow>, Vec<&NodeRow>) = rows.iter().partition(is_running);

        let held: BTreeSet<String> = self.held().into_iter().collect();
        assert_eq!(held, set(&running), "what launchd holds");
        let files: BTreeSet<String> = self.job_files().into_iter().collect();
        let named = set(&all)
            .iter()
            .map(|label| format!("{label}.plist"))
            .collect();
        assert_eq!(files, named, "files and rows");
        assert_eq!(self.barred(), set(&stopped), "what does not come up again");

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

    /// The labels that must not come up.
    fn barred(&self) -> BTreeSet<String> {
        let told = self.launchd.barred().into_iter();
        let label = |name: String| name.split_once('/').unwrap().1.to_owned();
        told.map(label).collect()
    }

    /// The words in the file of a job.
    fn arguments(&self, label: &str) -> Vec<OsString> {
        let file = self.job_dir().join(format!("{label}.plist"));
        let job: plist::Dictionary = plist::from_file(file).unwrap();
        let words = job.get("ProgramArguments").unwrap().as_array().unwrap();
        let mut words: Vec<OsString> = words
            .iter()
            .map(|word| word.as_string().unwrap().into())
            .collect();
        // What the kernel has ends with an empty word.
        words.push(OsString::new());
        words
    }
}
