//! A supervisor that falls silent, and is heard again.

use std::time::Duration;

use fastrand::Rng;
use wnm_tests::call::Call;

use crate::script::When;

/// Where nothing is.
pub const NOWHERE: &str = "/nowhere";

/// A program that runs the nodes.
pub trait Supervisor {
    /// Stops it in its tracks.
    fn freeze(&self);

    /// Has it go on where it was stopped, and returns once it answers.
    fn thaw(&self);

    /// Takes it away.
    fn leave(&self);

    /// Brings it back, and returns once it answers.
    fn come_back(&self);

    /// A call of the program that does not find it. Where there are several ways to it, one of them may be left
    /// unless they are to be lost `entirely`.
    fn lost(&self, entirely: bool) -> Call;
}

/// One way in which it is silent.
#[derive(Debug, Clone, Copy)]
pub enum Silence {
    /// It is stopped, for so many milliseconds or, without, until the operation has given up.
    Hangs { for_ms: Option<u64> },
    /// It is gone.
    Gone,
    /// It is not where it is looked for.
    NotFound { entirely: bool },
}

impl Silence {
    pub fn draw(rng: &mut Rng) -> Self {
        match rng.u32(0..10) {
            0..4 => Self::Hangs {
                for_ms: Some(rng.u64(0..4000)),
            },
            // Takes a minute and more: each question waits for its deadline.
            4 => Self::Hangs { for_ms: None },
            5..8 => Self::Gone,
            _ => Self::NotFound {
                entirely: rng.bool(),
            },
        }
    }

    /// When it comes, if it is to come then.
    pub fn when(self, drawn: When) -> When {
        match self {
            Self::Hangs { for_ms: Some(_) } if drawn == When::After => When::During,
            // A program finds its surroundings as they are when it is called.
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

    /// Lets it begin.
    pub fn begin(self, supervisor: &dyn Supervisor) -> Silent<'_> {
        match self {
            Self::Hangs { .. } => supervisor.freeze(),
            Self::Gone => supervisor.leave(),
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
        // A run that failed is over, and a second panic would hide why.
        if std::thread::panicking() {
            return;
        }
        match self.silence {
            Silence::Hangs { .. } => self.supervisor.thaw(),
            Silence::Gone => self.supervisor.come_back(),
            Silence::NotFound { .. } => {}
        }
    }
}
