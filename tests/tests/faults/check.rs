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
    wanted.check(stage);
    let rows = database.nodes();
    assert!(rows.len() <= stage.ceiling as usize, "too many: {rows:#?}");
    let desired = stage.desired();
    for row in &rows {
        let status = match desired[&row.id].as_str() {
            "running" => "RUNNING",
            "stopped" => "STOPPED",
            _ => "DISABLED",
        };
        assert_eq!(row.status, status, "{row:#?}");
        if status == "RUNNING" && !without_metrics(row) {
            agreement::answers(row);
        }
    }
}
