use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ManagerSettings, RemovalStrategy};
use crate::kind::ManagerKind;
use crate::machine::FirewallChoice;
use crate::ports::PortBases;
use crate::quantity::{ByteRate, Load, Milliseconds, Percent, Seconds};
use crate::wallet::{Address, RewardsAddress};

/// A pair of thresholds whose gap is the hysteresis: nothing happens between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band<T> {
    /// Below this, nodes may be added.
    pub add_below: T,
    /// Above this, nodes are taken away.
    pub remove_above: T,
}

/// Thresholds on traffic. They count only once someone has set them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IoBands {
    /// On what is read or received.
    pub read: Band<ByteRate>,
    /// On what is written or sent.
    pub write: Band<ByteRate>,
}

impl IoBands {
    /// Off: all zero.
    pub const OFF: IoBands = IoBands {
        read: Band {
            add_below: ByteRate(0),
            remove_above: ByteRate(0),
        },
        write: Band {
            add_below: ByteRate(0),
            remove_above: ByteRate(0),
        },
    };

    /// A family counts when the sum of its four figures is above 1, as in the Python wnm.
    pub fn is_on(&self) -> bool {
        let figures = [
            self.read.add_below,
            self.read.remove_above,
            self.write.add_below,
            self.write.remove_above,
        ];
        figures
            .iter()
            .fold(0u64, |sum, rate| sum.saturating_add(rate.0))
            > 1
    }
}

/// Everything that load is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Processor time.
    pub cpu: Band<Percent>,
    /// Memory.
    pub memory: Band<Percent>,
    /// Fill of the node storage.
    pub disk: Band<Percent>,
    /// Disk traffic.
    pub disk_io: IoBands,
    /// Network traffic.
    pub net_io: IoBands,
    /// Load averages.
    pub load: Band<Load>,
}

/// How long a change is given before the next one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delays {
    /// After a node was added or started.
    pub start: Seconds,
    /// Before a node that was stopped for load is started again.
    pub restart: Seconds,
    /// After a node was upgraded.
    pub upgrade: Seconds,
    /// After a node was stopped or removed.
    pub remove: Seconds,
}

/// How many changes may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Upgrades.
    pub upgrades: u32,
    /// Adds and starts.
    pub starts: u32,
    /// Stops and removals.
    pub removals: u32,
    /// All of them together.
    pub operations: u32,
}

/// Pauses that spread work out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacing {
    /// Between two nodes of a survey.
    pub survey: Milliseconds,
    /// Between two operations.
    pub action: Milliseconds,
}

/// What every node of the machine is started with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// `KEY=value` words.
    pub environment: Option<String>,
    /// Further arguments, quoted as for a shell (which never sees them).
    pub start_args: Option<String>,
    /// Whether nodes leave the router alone.
    pub no_upnp: bool,
}

/// The machine's settings.
///
/// ```
/// use std::path::PathBuf;
///
/// use wnm_core::kind::ManagerKind;
/// use wnm_core::machine::{Machine, conflicts};
///
/// const SETSID_USER: ManagerKind = ManagerKind::from_static("setsid+user");
///
/// let machine = Machine {
///     node_cap: 50,
///     ..Machine::new(SETSID_USER, "faucet".parse()?)
///         .with_node_storage("/srv/nodes")
///         .with_antnode("/usr/local/bin/antnode")
/// };
/// assert_eq!(conflicts(&machine), []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Processors.
    pub cpu_count: u32,
    /// Most nodes there may be.
    pub node_cap: u32,
    /// What load is held against.
    pub thresholds: Thresholds,
    /// Delays after changes.
    pub delays: Delays,
    /// Limits on changes at once.
    pub limits: Limits,
    /// Pauses.
    pub pacing: Pacing,
    /// Directory that holds a directory per node.
    pub node_storage: PathBuf,
    /// Who is rewarded.
    pub rewards: RewardsAddress,
    /// What `donate` in the rewards address stands for.
    pub donate_address: Address,
    /// Where the port ranges begin.
    pub ports: PortBases,
    /// Where nodes are surveyed, as a rule 127.0.0.1.
    pub host: String,
    /// Bytes a node may come to store; used for a warning only.
    pub crisis_bytes: u64,
    /// What nodes are started with.
    pub launch: Launch,
    /// Which node goes first.
    pub removal_strategy: RemovalStrategy,
    /// Which supervisor runs the nodes.
    pub manager: ManagerKind,
    /// What only its manager reads.
    pub manager_settings: ManagerSettings,
    /// The binary that new and upgraded nodes get a copy of.
    pub antnode_path: PathBuf,
    /// Which firewall lets the network reach the nodes. Absent in snapshots of before there was a choice.
    #[serde(default)]
    pub firewall: FirewallChoice,
}
