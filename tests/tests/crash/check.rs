//! What must hold of a colony whenever nothing is under way, whatever happened before.

use wnm_tests::agreement;

use crate::stage::{CAP, Stage};

impl Stage {
    /// Fails the test unless rows, processes and directories tell the same story.
    #[track_caller]
    pub fn check(&self) {
        agreement::check(&self.colony);
        let rows = self.colony.database().nodes();
        assert!(rows.len() <= CAP, "past the cap: {rows:#?}");
        let no_disabled = rows.iter().all(|row| row.status != "DISABLED");
        assert!(no_disabled, "nobody disabled a node: {rows:#?}");
        for row in rows.iter().filter(|row| row.status == "RUNNING") {
            agreement::answers(row);
        }
    }
}
