//! A supervisor that stops answering, and answers again.

use std::time::Duration;

use fastrand::Rng;
use wnm_tests::call::Call;

use crate::script::When;

/// A path that does not exist.
pub const NOWHERE: &str = "/nowhere";

/// A program that runs nodes.
pub trait Supervisor {
    /// Suspends it.
    fn freeze(&self);

    /// Resumes it, and returns once it answers.
    fn thaw(&self);

    /// Stops it.
    fn take_down(&self);

    /// Starts it again, and returns once it answers.
    fn bring_up(&self);

    /// A call of wnm that does not find it. Where wnm has several ways to reach it, `entirely` says whether all are
    /// blocked or only the first.
    fn lost(&self, entirely: bool) -> Call;
}

/// How it is silent.
#[derive(Debug, Clone, Copy)]
pub enum Silence {
    /// It is suspended, for so many milliseconds or until the operation gives up.
    Hangs { for_ms: Option<u64> },
    /// It is stopped.
    Gone,
    /// wnm does not find it.
    NotFound { entirely: bool },
}

impl Silence {
    pub fn draw(rng: &mut Rng) -> Self {
        match rng.u32(0..10) {
            0..4 => Self::Hangs {
                for_ms: Some(rng.u64(0..4000)),
            },
            // Takes more than a minute: each request waits for its deadline.
            4 => Self::Hangs { for_ms: None },
            5..8 => Self::Gone,
            _ => Self::NotFound {
                entirely: rng.bool(),
            },
        }
    }

    /// When it begins, given the drawn time.
    pub fn when(self, drawn: When) -> When {
        match self {
            Self::Hangs { for_ms: Some(_) } if drawn == When::After => When::During,
            // A program reads its environment once, when it is called.
            Self::NotFound { .. } => When::Before,
            _ => drawn,
        }
    }

    /// How long it lasts, if it ends by itself.
    pub fn length(self) -> Option<Duration> {
        match self {
            Self::Hangs { for_ms } => for_ms.map(Duration::from_millis),
            _ => None,
        }
    }

    /// Begins it.
    pub fn begin(self, supervisor: &dyn Supervisor) -> Silent<'_> {
        match self {
            Self::Hangs { .. } => supervisor.freeze(),
            Self::Gone => supervisor.take_down(),
            Self::NotFound { .. } => {}
        }
        Silent {
            silence: self,
            supervisor,
        }
    }
}

/// A silence that lasts until this is dropped.
pub struct Silent<'g> {
    silence: Silence,
    supervisor: &'g dyn Supervisor,
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // A failed run is over, and a second panic would hide the reason.
        if std::thread::panicking() {
            return;
        }
        match self.silence {
            Silence::Hangs { .. } => self.supervisor.thaw(),
            Silence::Gone => self.supervisor.bring_up(),
            Silence::NotFound { .. } => {}
        }
    }
}
