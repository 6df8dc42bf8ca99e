//! What must hold at the end of every run.

use wnm_tests::agreement::{answers_when_asked, each_once};

use crate::test_colony::TestColony;
use crate::wanted::Wanted;

/// Fails the test unless all of it holds.
#[track_caller]
pub fn check(colony: &TestColony<'_>, wanted: &Wanted) {
    let database = colony.backend.database();
    let integrity = database.rows(&["integrity_check"], "pragma_integrity_check");
    assert_eq!(integrity, [[Some("ok".to_owned())]]);

    colony.backend.check_agreement();
    wanted.check(colony.seen());
    let rows = database.nodes();
    each_once(&rows);
    assert!(rows.len() <= colony.ceiling as usize, "too many: {rows:#?}");
    let running = rows.iter().filter(|row| row.status == "RUNNING");
    for row in running.filter(|row| !colony.is_without_metrics(row)) {
        answers_when_asked(row, |port| colony.backend.page(port));
    }
}
