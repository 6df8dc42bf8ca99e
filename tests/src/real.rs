//! The rule for tests that need something real which this machine may not have.

/// Says that a test is skipped because `what` is missing, and what to do about it. With `WNM_REQUIRE_REAL=1`,
/// which continuous integration sets, it fails the test instead: there nothing may be skipped unseen.
pub fn skip(what: &str) {
    let required = std::env::var("WNM_REQUIRE_REAL").is_ok_and(|value| value == "1");
    assert!(!required, "{what}, and WNM_REQUIRE_REAL is set");
    eprintln!("skipped: {what}");
}
