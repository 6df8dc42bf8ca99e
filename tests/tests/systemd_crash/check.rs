//! What must hold whenever nothing is under way, whatever happened before.

use std::collections::BTreeSet;

use crate::stage::Stage;

impl Stage {
    /// Fails the test unless rows, units, links, processes and directories tell the same story, and systemd has
    /// read all of it.
    #[track_caller]
    pub fn check(&self) {
        self.inside.check_agreement();
    }

    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.inside.nodes(), [], "rows");
        assert_eq!(self.inside.node_dirs(), BTreeSet::new());
    }
}
