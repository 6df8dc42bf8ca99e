//! Waiting for what tells nobody when it happens. The one place where a test sleeps: between two looks.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// For what a healthy machine does in seconds, with room for a busy one. A failing test takes this long, a
/// passing one as long as the thing itself.
pub const LONG: Duration = Duration::from_secs(60);

/// Between two looks: short beside anything that starts or ends a process.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The same where the very moment matters.
const BETWEEN_CLOSE_LOOKS: Duration = Duration::from_micros(100);

/// Waits until `condition` holds, and tells at once. Panics after `deadline`, with `what` was waited for.
pub fn closely(deadline: Duration, what: impl Display, mut condition: impl FnMut() -> bool) {
    let found = looked(deadline, BETWEEN_CLOSE_LOOKS, || condition().then_some(()));
    found.unwrap_or_else(|| panic!("waited {deadline:?} in vain for {what}"));
}

/// Waits until `condition` holds. Panics after `deadline`, with `what` was waited for.
pub fn until(deadline: Duration, what: impl Display, mut condition: impl FnMut() -> bool) {
    until_some(deadline, what, || condition().then_some(()));
}

/// Waits until `look` finds something, and gives it. Panics after `deadline`, with `what` was waited for.
pub fn until_some<T>(deadline: Duration, what: impl Display, look: impl FnMut() -> Option<T>) -> T {
    found_within(deadline, look).unwrap_or_else(|| panic!("waited {deadline:?} in vain for {what}"))
}

/// Waits until `look` finds something; `None` after `deadline`, for who must not panic.
pub fn found_within<T>(deadline: Duration, look: impl FnMut() -> Option<T>) -> Option<T> {
    looked(deadline, BETWEEN_LOOKS, look)
}

fn looked<T>(
    deadline: Duration,
    between: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        // Looked at once more after the deadline: this thread may have got no time before it.
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
    fn what_comes_later_is_found() {
        let mut looks = 0;
        let found = until_some(LONG, "the third look", || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found, 3);
    }

    #[test]
    #[should_panic(expected = "in vain for a pig that flies")]
    fn what_never_comes_is_named() {
        until(Duration::ZERO, "a pig that flies", || false);
    }
}
