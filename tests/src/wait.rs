//! Waits for conditions that nothing signals. Tests sleep nowhere else.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Enough for what a healthy machine does in seconds, even if it is busy. A failing test takes this long, a passing one
/// only as long as the condition.
pub const LONG: Duration = Duration::from_secs(60);

/// Between two checks: short beside anything that starts or ends a process.
const BETWEEN_CHECKS: Duration = Duration::from_millis(20);

/// The same where the exact moment matters.
const BETWEEN_CLOSE_CHECKS: Duration = Duration::from_micros(100);

/// Waits until `condition` holds, and returns at once. Panics after `deadline` and names `what` it waited for.
pub fn closely(deadline: Duration, what: impl Display, mut condition: impl FnMut() -> bool) {
    let found = poll(deadline, BETWEEN_CLOSE_CHECKS, || condition().then_some(()));
    found.unwrap_or_else(|| panic!("{what}: not within {deadline:?}"));
}

/// Waits until `condition` holds. Panics after `deadline` and names `what` it waited for.
pub fn until(deadline: Duration, what: impl Display, mut condition: impl FnMut() -> bool) {
    until_some(deadline, what, || condition().then_some(()));
}

/// Waits until `look` finds something, and returns it. Panics after `deadline` and names `what` it waited for.
pub fn until_some<T>(deadline: Duration, what: impl Display, look: impl FnMut() -> Option<T>) -> T {
    found_within(deadline, look).unwrap_or_else(|| panic!("{what}: not within {deadline:?}"))
}

/// Waits until `look` finds something. `None` after `deadline`, for callers that must not panic.
pub fn found_within<T>(deadline: Duration, look: impl FnMut() -> Option<T>) -> Option<T> {
    poll(deadline, BETWEEN_CHECKS, look)
}

fn poll<T>(
    deadline: Duration,
    between: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        // Checks once more after the deadline: this thread may have got no time before it.
        let late = Instant::now() >= end;
        let found = look();
        if found.is_some() || late {
            return found;
        }
        std::thread::sleep(between);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_result_is_found() {
        let mut checks = 0;
        let found = until_some(LONG, "the third check", || {
            checks += 1;
            (checks == 3).then_some(checks)
        });
        assert_eq!(found, 3);
    }

    #[test]
    #[should_panic(expected = "a pig that flies")]
    fn a_timeout_names_what_was_missing() {
        until(Duration::ZERO, "a pig that flies", || false);
    }
}
