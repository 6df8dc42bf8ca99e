//! How a systemd falls silent, and how it is heard again.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use wnm_tests::call::Call;
use wnm_tests::systemd::As;
use wnm_tests::wait::{LONG, until};

use super::stage::Stage;
use crate::script::When;

/// The unit that Ann's systemd is to the machine's.
const MANAGER: &str = "user@1500.service";

/// Where nothing is.
const NOWHERE: &str = "/nowhere";

/// One way in which it is silent.
#[derive(Debug)]
pub enum Silence {
    /// It is stopped, for so many milliseconds or, without, until the operation has given up.
    Hangs { for_ms: Option<u64> },
    /// It is killed, and its nodes with it.
    Gone,
    /// There is no `systemctl` where programs are looked for, and no bus either, perhaps.
    NotFound { bus: bool },
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
            _ => Self::NotFound { bus: rng.bool() },
        }
    }

    /// When it comes, if it is to come then.
    pub fn when(&self, drawn: When) -> When {
        match self {
            Self::Hangs { for_ms: Some(_) } if drawn == When::After => When::During,
            // A program finds its surroundings as they are when it is called.
            Self::NotFound { .. } => When::Before,
            _ => drawn,
        }
    }

    /// How long it lasts, if it ends by itself.
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Hangs { for_ms } => for_ms.map(Duration::from_millis),
            _ => None,
        }
    }

    /// A call of the program, while it lasts.
    pub fn call(&self, stage: &Stage, words: &[String]) -> Call {
        match self {
            Self::Hangs { .. } | Self::Gone => stage.call(words),
            Self::NotFound { bus } => {
                let mut with = vec![format!("PATH={NOWHERE}")];
                if !bus {
                    with.push(format!("XDG_RUNTIME_DIR={NOWHERE}"));
                }
                stage.call_with(&with, words)
            }
        }
    }

    /// Lets it begin.
    pub fn begin<'a>(&self, stage: &'a Stage) -> Ongoing<'a> {
        let undo = match self {
            Self::Hangs { .. } => {
                let manager = manager(stage);
                signal(stage, "-STOP", &manager);
                Undo::Continue(manager)
            }
            Self::Gone => {
                signal(stage, "-KILL", &manager(stage));
                Undo::Restart
            }
            Self::NotFound { .. } => Undo::Nothing,
        };
        Ongoing { stage, undo }
    }
}

/// A silence that lasts until this is dropped.
pub struct Ongoing<'a> {
    stage: &'a Stage,
    undo: Undo,
}

enum Undo {
    Nothing,
    Continue(String),
    Restart,
}

impl<'a> Ongoing<'a> {
    /// None at all.
    pub fn nothing(stage: &'a Stage) -> Self {
        let undo = Undo::Nothing;
        Self { stage, undo }
    }
}

impl Drop for Ongoing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        match &self.undo {
            Undo::Nothing => return,
            Undo::Continue(manager) => signal(self.stage, "-CONT", manager),
            Undo::Restart => {
                let system = &self.stage.inside.system;
                let _ = system.systemctl(As::Root, ["reset-failed", MANAGER]);
                let _started = system.systemctl(As::Root, ["start", MANAGER]).succeeded();
            }
        }
        until(LONG, "Ann's systemd", || {
            let state = self.stage.inside.systemctl(["is-system-running"]);
            matches!(state.stdout.trim(), "running" | "degraded")
        });
    }
}

/// The process of Ann's systemd, as it is numbered inside.
fn manager(stage: &Stage) -> String {
    let asked = ["show", "--property=MainPID", "--value", MANAGER];
    let system = &stage.inside.system;
    let told = system.systemctl(As::Root, asked).succeeded();
    told.stdout.trim().to_owned()
}

fn signal(stage: &Stage, signal: &str, pid: &str) {
    let system = &stage.inside.system;
    let kill = system.call(As::Root, Path::new("/bin/kill"), [signal, pid]);
    let _sent = kill.run().succeeded();
}
