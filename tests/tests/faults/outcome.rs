//! How calls may end.

use wnm_tests::call::Outcome;

/// Fails the test unless the program was done, refused or killed.
#[track_caller]
pub fn checked(outcome: Outcome) -> Outcome {
    let well = matches!(outcome.code, None | Some(0 | 1));
    let quiet = !outcome.stderr.contains("panicked");
    assert!(well && quiet, "{outcome:#?}");
    outcome
}
