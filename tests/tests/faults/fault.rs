//! Faults. One that lasts ends when the result of [`Fault::begin`] is dropped.

use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use wnm_tests::call::Call;
use wnm_tests::database::Database;
use wnm_tests::network;
use wnm_tests::wait::LONG;

use crate::backend::FaultBackend;
use crate::clock;
use crate::disk::Filled;
use crate::operation::Operation;
use crate::port_squatter::PortSquatter;
use crate::script::When;
use crate::silence::{Silence, Silent, Supervisor};

/// No resolver is even asked for this name: it has an empty part.
const NOBODY: &str = "nowhere..invalid";

const DAY: i64 = 86_400;

/// The kinds of fault.
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
    Silence,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Killed,
        Self::PowerCut,
        Self::DiskFull,
        Self::ReadOnly,
        Self::ClockMoved,
        Self::NodesDie,
        Self::PortTaken,
        Self::NameLost,
        Self::TwoAtOnce,
        Self::Silence,
    ];
}

/// The fault of one run.
#[derive(Debug)]
pub enum Fault {
    /// The program is killed.
    Killed,
    /// The power is cut, and the machine boots with what was on its disk.
    PowerCut,
    /// No more than this is left on the disk.
    DiskFull { bytes: u64 },
    /// Nothing can be written: nowhere, or not in the node storage.
    ReadOnly { everywhere: bool },
    /// The clock jumps by so many seconds, forward or back.
    ClockMoved { by: i64 },
    /// Some nodes are killed: those whose bits are set.
    NodesDie { which: u32 },
    /// Another program has a port of this node, which need not exist yet.
    PortTaken { node: u16, metrics: bool },
    /// The name of the host does not resolve.
    NameLost,
    /// The program is called a second time.
    TwoAtOnce { other: Operation },
    /// The supervisor does not answer.
    Silence(Silence),
}

/// A lasting fault.
#[allow(dead_code, reason = "held until it is dropped")]
pub enum Ongoing<'g> {
    Nothing,
    Disk(Filled),
    Mount(ReadOnly<'g>),
    Metrics(PortSquatter),
    Node(UdpSocket),
    Name(Restored),
    Silence(Silent<'g>),
}

impl Fault {
    /// Draws a fault of one of these kinds, in a colony of nodes 1 to `count`.
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
            Kind::Silence => Self::Silence(Silence::draw(rng)),
        }
    }

    /// Whether it needs a disk for itself.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::ReadOnly { .. })
    }

    /// How many nodes it may add.
    pub fn adds(&self) -> u32 {
        match self {
            Self::TwoAtOnce { other } => other.adds(),
            _ => 0,
        }
    }

    /// When it begins, given the drawn time.
    pub fn when(&self, drawn: When) -> When {
        match self {
            Self::Killed | Self::PowerCut | Self::TwoAtOnce { .. } => When::During,
            // A running program reads the clock repeatedly. Only between two runs can it jump for all of them.
            Self::ClockMoved { by } if drawn == When::During => {
                if by % 2 == 0 {
                    When::Before
                } else {
                    When::After
                }
            }
            Self::Silence(silence) => silence.when(drawn),
            _ => drawn,
        }
    }

    /// How long it lasts, if it ends by itself.
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Silence(silence) => silence.length(),
            _ => None,
        }
    }

    /// How many of the drawn cycles run while it lasts. One is enough where a cycle takes minutes.
    pub fn cycles(&self, drawn: u32) -> u32 {
        match self {
            Self::Silence(_) => drawn.min(1),
            _ => drawn,
        }
    }

    /// A call of the program, while it lasts.
    pub fn wnm(&self, backend: &dyn FaultBackend) -> Call {
        match self {
            Self::Silence(Silence::NotFound { entirely }) => supervisor(backend).lost(*entirely),
            // The call waits for the hanging supervisor until its deadlines pass, several times.
            Self::Silence(_) => backend.wnm().within(LONG.saturating_mul(10)),
            _ => backend.wnm(),
        }
    }

    /// Begins it. Does nothing for faults that need the operation itself.
    pub fn begin<'g>(&self, backend: &'g dyn FaultBackend) -> Ongoing<'g> {
        match *self {
            Self::Killed | Self::PowerCut | Self::TwoAtOnce { .. } => Ongoing::Nothing,
            Self::DiskFull { bytes } => {
                let disk = backend.dir().parent().expect("a directory on a disk");
                Ongoing::Disk(Filled::up_to(disk, bytes))
            }
            Self::ReadOnly { everywhere } => Ongoing::Mount(ReadOnly::at(
                backend,
                if everywhere {
                    backend.dir().to_owned()
                } else {
                    backend.storage()
                },
            )),
            Self::ClockMoved { by } => {
                clock::moved(&backend.database(), by);
                Ongoing::Nothing
            }
            Self::NodesDie { which } => {
                for row in backend.database().nodes() {
                    if which & (1 << (row.id % 32)) != 0 {
                        backend.kill_node(&row);
                    }
                }
                Ongoing::Nothing
            }
            Self::PortTaken { node, metrics } => take_port(backend, node, metrics),
            Self::NameLost => Ongoing::Name(Restored::after(backend.database(), NOBODY)),
            Self::Silence(silence) => Ongoing::Silence(silence.begin(supervisor(backend))),
        }
    }
}

fn supervisor(backend: &dyn FaultBackend) -> &dyn Supervisor {
    backend
        .supervisor()
        .expect("a manager without a supervisor")
}

/// Another program takes a node's port first. A running node is killed before, to free the port.
fn take_port<'g>(backend: &dyn FaultBackend, node: u16, metrics: bool) -> Ongoing<'g> {
    let rows = backend.database().nodes();
    if let Some(row) = rows.iter().find(|row| row.id == u32::from(node)) {
        backend.kill_node(row);
    }
    let thousands = if metrics {
        "metrics_port_start"
    } else {
        "port_start"
    };
    let thousands = backend
        .database()
        .value(&format!("(SELECT {thousands} FROM machine)"));
    let port = thousands.unwrap().parse::<u16>().unwrap() * 1000 + node;
    // The node may be restarting: then it was first.
    if metrics {
        let bound = bound(backend, || TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
        bound.map_or(Ongoing::Nothing, |listener| {
            Ongoing::Metrics(PortSquatter::at(listener))
        })
    } else {
        let bound = bound(backend, || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)));
        bound.map_or(Ongoing::Nothing, Ongoing::Node)
    }
}

/// Binds a socket in the network of the nodes.
fn bound<T: Send>(
    backend: &dyn FaultBackend,
    bind: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    match backend.network() {
        Some(network) => network::within(&network, bind),
        None => bind(),
    }
}

/// A read-only directory until it is dropped.
pub struct ReadOnly<'g> {
    backend: &'g dyn FaultBackend,
    dir: PathBuf,
}

impl<'g> ReadOnly<'g> {
    fn at(backend: &'g dyn FaultBackend, dir: PathBuf) -> Self {
        let read_only = Self { backend, dir };
        backend.make_read_only(&read_only.dir);
        read_only
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        self.backend.make_writable(&self.dir);
    }
}

/// Restores the host's name when it is dropped.
pub struct Restored {
    database: Database,
}

impl Restored {
    fn after(database: Database, name: &str) -> Self {
        let restored = Self { database };
        restored.rename(name);
        restored
    }

    fn rename(&self, name: &str) {
        self.database.execute(&format!(
            "UPDATE machine SET host = '{name}'; UPDATE node SET host = '{name}'"
        ));
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        self.rename("127.0.0.1");
    }
}
