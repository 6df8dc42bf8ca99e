//! How calls end, and what is told of a run that failed.

use wnm_tests::call::Outcome;
use wnm_tests::database::Database;

/// Fails the test when the program did not end as it should: done, refused or killed.
#[track_caller]
pub fn checked(outcome: Outcome) -> Outcome {
    let well = matches!(outcome.code, None | Some(0 | 1));
    let quiet = !outcome.stderr.contains("panicked");
    assert!(well && quiet, "{outcome:#?}");
    outcome
}

/// Prints what the program did and why.
pub fn tell_events(database: &Database) {
    let columns = ["at", "node", "action", "outcome", "reason"];
    for event in database.rows(&columns, "wnm_event ORDER BY id") {
        let words: Vec<String> = event.into_iter().flatten().collect();
        eprintln!("{}", words.join(" "));
    }
}
