//! The check at the end of every run.

use wnm_tests::agreement::{assert_page_is_of, assert_unique};

use crate::expected::ExpectedNodes;
use crate::test_colony::TestColony;

/// Fails the test unless the database is intact, everything agrees and every node ended as it may.
#[track_caller]
pub fn check(colony: &TestColony<'_>, expected: &ExpectedNodes) {
    let database = colony.backend.database();
    let integrity = database.rows(&["integrity_check"], "pragma_integrity_check");
    assert_eq!(integrity, [[Some("ok".to_owned())]]);

    colony.backend.check_agreement();
    expected.check(colony.observed_nodes());
    let rows = database.nodes();
    assert_unique(&rows);
    assert!(rows.len() <= colony.ceiling as usize, "too many: {rows:#?}");
    let running = rows.iter().filter(|row| row.status == "RUNNING");
    for row in running.filter(|row| !colony.is_without_metrics(row)) {
        assert_page_is_of(row, |port| colony.backend.page(port));
    }
}
