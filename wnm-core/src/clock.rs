//! The time of day, behind a trait so that a test decides what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::quantity::UnixTime;

/// Tells the time. Only what drives a cycle asks; everything below is handed a [`UnixTime`].
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> UnixTime;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => {
                UnixTime(i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s))
            }
        }
    }
}
