//! What goes wrong. A fault that lasts is over when what [`Fault::begin`] gave is dropped.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;

use fastrand::Rng;
use nix::sys::signal::Signal;

use crate::clock;
use crate::disk::{Filled, ReadOnly};
use crate::operation::Operation;
use crate::script::When;
use crate::stage::Stage;
use crate::thief::Thief;

/// A name that no resolver is even asked for: it has an empty part.
const NOBODY: &str = "nowhere..invalid";

const DAY: i64 = 86_400;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Killed,
    PowerCut,
    DiskFull,
    ReadOnly,
    ClockMoved,
    NodesDie,
    PortTaken,
    NameLost,
    TwoAtOnce,
}

/// What goes wrong in one run.
#[derive(Debug)]
pub enum Fault {
    /// The program is killed.
    Killed,
    /// The machine goes off, and comes up with what was on its disk.
    PowerCut,
    /// No more than this is left on the disk.
    DiskFull { bytes: u64 },
    /// Nothing can be written: nowhere, or where the nodes are.
    ReadOnly { everywhere: bool },
    /// The clock is so many seconds ahead of what it was, or behind.
    ClockMoved { by: i64 },
    /// Some nodes are killed, a bit each.
    NodesDie { which: u32 },
    /// Another program has a port of this node, which need not be there yet.
    PortTaken { node: u16, metrics: bool },
    /// The name of the host leads nowhere.
    NameLost,
    /// The program is called a second time.
    TwoAtOnce { other: Operation },
}

/// A fault that goes on.
#[allow(dead_code, reason = "held until it is dropped")]
pub enum Ongoing {
    Nothing,
    Disk(Filled),
    Mount(ReadOnly),
    Metrics(Thief),
    Node(UdpSocket),
    Name(Restored),
}

impl Fault {
    /// One of these kinds, in a colony of nodes 1 to `count`.
    pub fn draw(kinds: &[Kind], rng: &mut Rng, count: u32) -> Self {
        match kinds[rng.usize(0..kinds.len())] {
            Kind::Killed => Self::Killed,
            Kind::PowerCut => Self::PowerCut,
            // Enough for nothing, for some rows, for a log, for a part of a program.
            Kind::DiskFull => Self::DiskFull {
                bytes: [0, 4, 16, 64, 256, 2048][rng.usize(0..6)] * 1024,
            },
            Kind::ReadOnly => Self::ReadOnly {
                everywhere: rng.bool(),
            },
            Kind::ClockMoved => {
                let reach = [60, 3600, DAY, 30 * DAY, 5000 * DAY][rng.usize(0..5)];
                Self::ClockMoved {
                    by: rng.i64(-reach..=reach),
                }
            }
            Kind::NodesDie => Self::NodesDie {
                which: rng.u32(1..=u32::MAX),
            },
            Kind::PortTaken => Self::PortTaken {
                node: rng.u16(1..=u16::try_from(count).unwrap() + 1),
                metrics: rng.bool(),
            },
            Kind::NameLost => Self::NameLost,
            Kind::TwoAtOnce => Self::TwoAtOnce {
                other: Operation::draw(rng, count),
            },
        }
    }

    /// When it comes, if it is to come then.
    pub fn when(&self, drawn: When) -> When {
        match self {
            Self::Killed | Self::PowerCut | Self::TwoAtOnce { .. } => When::During,
            // The program reads the clock as it goes; only between two runs it can be moved for both.
            Self::ClockMoved { by } if drawn == When::During => {
                if by % 2 == 0 {
                    When::Before
                } else {
                    When::After
                }
            }
            _ => drawn,
        }
    }

    /// Lets it happen. Those that have to do with the operation itself are none of these.
    pub fn begin(&self, stage: &Stage) -> Ongoing {
        match *self {
            Self::Killed | Self::PowerCut | Self::TwoAtOnce { .. } => Ongoing::Nothing,
            Self::DiskFull { bytes } => Ongoing::Disk(Filled::up_to(
                &stage.colony.dir().join("..").join("fill"),
                bytes,
            )),
            Self::ReadOnly { everywhere } => Ongoing::Mount(ReadOnly::at(&if everywhere {
                stage.colony.dir().to_owned()
            } else {
                stage.colony.storage()
            })),
            Self::ClockMoved { by } => {
                clock::moved(&stage.colony.database(), by);
                Ongoing::Nothing
            }
            Self::NodesDie { which } => {
                let processes = stage.colony.processes().into_iter().enumerate();
                for (_, process) in processes.filter(|(at, _)| which & (1 << (at % 32)) != 0) {
                    process.signal(Signal::SIGKILL);
                }
                Ongoing::Nothing
            }
            Self::PortTaken { node, metrics } => take_port(stage, node, metrics),
            Self::NameLost => Ongoing::Name(Restored::after(stage, NOBODY)),
        }
    }
}

/// Another program is faster than a node. If that runs it is killed first, as its port is free only then.
fn take_port(stage: &Stage, node: u16, metrics: bool) -> Ongoing {
    let ports = &stage.colony.ports;
    let root = stage.colony.storage().join(format!("antnode{node:04}"));
    for process in stage.colony.processes() {
        if process.root_dir() == Some(&root) {
            process.kill();
        }
    }
    // It may be on its way up again: then it was faster.
    if metrics {
        Thief::of(ports.metrics_port(node)).map_or(Ongoing::Nothing, Ongoing::Metrics)
    } else {
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, ports.node_port(node)))
            .map_or(Ongoing::Nothing, Ongoing::Node)
    }
}

/// Brings back the host's name at the end.
pub struct Restored {
    database: PathBuf,
}

impl Restored {
    fn after(stage: &Stage, name: &str) -> Self {
        let restored = Self {
            database: stage.colony.database_path(),
        };
        restored.rename(name);
        restored
    }

    fn rename(&self, name: &str) {
        let database = wnm_tests::database::Database::at(&self.database);
        database.execute(&format!(
            "UPDATE machine SET host = '{name}'; UPDATE node SET host = '{name}'"
        ));
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        self.rename("127.0.0.1");
    }
}
