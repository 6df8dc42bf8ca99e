//! What must hold at the end of every run.

use wnm_tests::agreement::{answers_when_asked, each_once};

use crate::stage::Stage;
use crate::wanted::Wanted;

/// Fails the test unless all of it holds.
#[track_caller]
pub fn check(stage: &Stage<'_>, wanted: &Wanted) {
    let database = stage.ground.database();
    let integrity = database.rows(&["integrity_check"], "pragma_integrity_check");
    assert_eq!(integrity, [[Some("ok".to_owned())]]);

    stage.ground.check_agreement();
    wanted.check(stage.seen());
    let rows = database.nodes();
    each_once(&rows);
    assert!(rows.len() <= stage.ceiling as usize, "too many: {rows:#?}");
    let running = rows.iter().filter(|row| row.status == "RUNNING");
    for row in running.filter(|row| !stage.is_without_metrics(row)) {
        answers_when_asked(row, |port| stage.ground.page(port));
    }
}
