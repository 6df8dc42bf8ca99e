//! How long a node waits before it is started once more.

use crate::machine::Delays;
use crate::quantity::{Seconds, UnixTime};

/// Longest wait after stops for load. Doubling up to here bounds what a noisy load can do to one node in a
/// month to a handful of starts.
const LONGEST_LOAD_WAIT: Seconds = Seconds(4 * 86_400);

/// Shortest and longest wait after a start that did not last: the first attempt is made at once.
const SHORTEST_START_WAIT: Seconds = Seconds(60);
const LONGEST_START_WAIT: Seconds = Seconds(3600);

/// Wait before a node is started again that was stopped for load `stops` times in a row.
pub fn load_backoff(delays: &Delays, stops: u32) -> Seconds {
    doubled(
        delays.restart,
        stops.saturating_sub(1),
        LONGEST_LOAD_WAIT.max(delays.restart),
    )
}

/// Wait before a node is started again that did not stay up after its last `failures` starts.
pub fn start_backoff(failures: u32) -> Seconds {
    match failures {
        0 => Seconds(0),
        n => doubled(SHORTEST_START_WAIT, n - 1, LONGEST_START_WAIT),
    }
}

/// What is left of a wait that began at `since`; zero when it is over.
///
/// A beginning that lies further ahead than the whole wait is from before a clock was set back. Nothing waits
/// for it, or a clock that once ran years ahead would hold the machine still for years.
pub(super) fn left(now: UnixTime, since: UnixTime, wait: Seconds) -> Seconds {
    if since > now.plus(wait) {
        return Seconds(0);
    }
    Seconds(wait.0.saturating_sub(now.since(since).0))
}

fn doubled(base: Seconds, times: u32, most: Seconds) -> Seconds {
    let factor = 1u64.checked_shl(times).unwrap_or(u64::MAX);
    Seconds(base.0.saturating_mul(factor)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u64> = (0..8).map(|n| start_backoff(n).0).collect();
        assert_eq!(waits, [0, 60, 120, 240, 480, 960, 1920, 3600]);
        assert_eq!(start_backoff(u32::MAX), Seconds(3600));
    }

    #[test]
    fn a_wait_ends_and_does_not_depend_on_a_clock_that_ran_ahead() {
        let wait = |now| left(UnixTime(now), UnixTime(1000), Seconds(300)).0;
        assert_eq!([1000, 1299, 1300, 9000].map(wait), [300, 1, 0, 0]);
        assert_eq!([990, 700, 699, i64::MIN].map(wait), [300, 300, 0, 0]);
    }

    #[test]
    fn a_wait_that_the_user_set_longer_is_kept() {
        let delays = |restart| Delays {
            start: Seconds(0),
            restart: Seconds(restart),
            upgrade: Seconds(0),
            remove: Seconds(0),
        };
        assert_eq!(load_backoff(&delays(600), 1), Seconds(600));
        assert_eq!(load_backoff(&delays(600), 3), Seconds(2400));
        assert_eq!(load_backoff(&delays(600), 40), Seconds(345_600));
        assert_eq!(load_backoff(&delays(700_000), 40), Seconds(700_000));
        assert_eq!(load_backoff(&delays(0), 40), Seconds(0));
    }
}
