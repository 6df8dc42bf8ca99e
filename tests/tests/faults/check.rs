//! What must hold at the end of every run.

use wnm_tests::agreement;

use crate::stage::{Stage, without_metrics};
use crate::wanted::Wanted;

/// Fails the test unless all of it holds.
#[track_caller]
pub fn check(stage: &Stage, wanted: &Wanted) {
    let colony = &stage.colony;
    let database = colony.database();
    let integrity = database.rows(&["integrity_check"], "pragma_integrity_check");
    assert_eq!(integrity, [[Some("ok".to_owned())]]);

    agreement::check(colony);
    wanted.check(stage.seen());
    let rows = database.nodes();
    assert!(rows.len() <= stage.ceiling as usize, "too many: {rows:#?}");
    let running = rows.iter().filter(|row| row.status == "RUNNING");
    for row in running.filter(|row| !without_metrics(row)) {
        agreement::answers(row);
    }
}
