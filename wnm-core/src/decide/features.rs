use semver::Version;
use serde::{Deserialize, Serialize};

use super::roster::Roster;
use super::{Census, Figure, Measure, Relation};
use crate::id::NodeId;
use crate::machine::{Band, IoBands, IoRates, Machine, MachineLoad};
use crate::quantity::{ByteRate, Load, Percent};
use crate::snapshot::Snapshot;

/// A measured value and the pair of thresholds it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// What was measured; its unit is that of all three numbers.
    pub measure: Measure,
    /// The value.
    pub value: f64,
    /// Below this, nodes may be added.
    pub add_below: f64,
    /// Above this, nodes are taken away.
    pub remove_above: f64,
}

impl Gauge {
    /// Whether it allows one more node.
    pub fn allows(&self) -> bool {
        self.value < self.add_below
    }

    /// Whether a node has to go for it.
    pub fn presses(&self) -> bool {
        self.value > self.remove_above
    }

    /// It as a reason about adding.
    pub fn held_to_add(&self) -> Figure {
        let relation = match self.allows() {
            true => Relation::Below,
            false => Relation::AtLeast,
        };
        Figure::new(self.measure, self.value, relation, self.add_below)
    }

    /// It as a reason about taking away.
    pub fn held_to_remove(&self) -> Figure {
        let relation = match self.presses() {
            true => Relation::Above,
            false => Relation::AtMost,
        };
        Figure::new(self.measure, self.value, relation, self.remove_above)
    }
}

/// The newest version that any node has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// A node with it, the one with the lowest number.
    pub node: NodeId,
    /// The version.
    pub version: Version,
}

/// What a decision goes by: the snapshot brought down to figures and counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Features {
    /// The nodes.
    pub census: Census,
    /// Most nodes there may be.
    pub cap: u32,
    /// Every value that is held against thresholds. Traffic only where thresholds for it were set.
    pub gauges: Vec<Gauge>,
    /// Version of the binary, where there is one.
    pub binary: Option<Version>,
    /// The newest version among the nodes, disabled ones left out.
    pub newest: Option<Newest>,
    /// Nodes with a version below the binary's; disabled ones and those without a version left out.
    pub outdated: u32,
    /// What the disk would be filled to if every node stored all that is expected of it, in percent of the
    /// fill at which nodes are removed.
    pub expected_fill: Percent,
}

impl Features {
    pub(super) fn of(snapshot: &Snapshot, roster: &Roster<'_>) -> Self {
        let binary = snapshot.binary.as_ref().ok().map(|b| b.version.clone());
        let mut newest: Option<(&Version, NodeId)> = None;
        let mut outdated = 0;
        let counted = snapshot
            .nodes
            .iter()
            .filter(|n| n.is_kept() && !n.is_disabled());
        for (node, version) in counted.filter_map(|n| Some((n.id, n.version.as_ref()?))) {
            if binary.as_ref().is_some_and(|binary| version < binary) {
                outdated += 1;
            }
            let newer = newest.is_none_or(|(v, id)| version > v || (version == v && node < id));
            if newer {
                newest = Some((version, node));
            }
        }
        Self {
            census: roster.census,
            cap: snapshot.machine.node_cap,
            gauges: gauges(&snapshot.machine, &snapshot.load),
            binary,
            newest: newest.map(|(version, node)| Newest {
                node,
                version: version.clone(),
            }),
            outdated,
            expected_fill: expected_fill(roster.census.total, &snapshot.machine, &snapshot.load),
        }
    }

    /// How many nodes there are beyond the cap.
    pub fn over_cap(&self) -> u32 {
        self.census.total.saturating_sub(self.cap)
    }

    /// The disk, where it is too full.
    pub fn disk_pressure(&self) -> Option<Figure> {
        self.pressures()
            .find(|figure| figure.measure == Measure::Disk)
    }

    /// Every value above its remove threshold.
    pub fn pressures(&self) -> impl Iterator<Item = Figure> {
        let pressing = self.gauges.iter().filter(|gauge| gauge.presses());
        pressing.map(Gauge::held_to_remove)
    }

    /// Every value that is not below its add threshold.
    pub fn hindrances(&self) -> impl Iterator<Item = Figure> {
        let hindering = self.gauges.iter().filter(|gauge| !gauge.allows());
        hindering.map(Gauge::held_to_add)
    }

    /// The value nearest to its add threshold, as a share of it.
    pub fn nearest_to_add(&self) -> Option<Figure> {
        nearest(self.gauges.iter().map(Gauge::held_to_add))
    }

    /// The value nearest to its remove threshold, as a share of it.
    pub fn nearest_to_remove(&self) -> Option<Figure> {
        nearest(self.gauges.iter().map(Gauge::held_to_remove))
    }
}

fn nearest(figures: impl Iterator<Item = Figure>) -> Option<Figure> {
    // Nothing is as near as a threshold of zero, whatever the value: the division would be by zero.
    let share = |figure: &Figure| match figure.threshold {
        0.0 => f64::INFINITY,
        threshold => figure.value / threshold,
    };
    figures.max_by(|a, b| share(a).total_cmp(&share(b)))
}

/// `node_hd_crisis` of the Python wnm.
fn expected_fill(nodes: u32, machine: &Machine, load: &MachineLoad) -> Percent {
    let wanted = f64::from(nodes) * machine.crisis_bytes as f64;
    let limit = machine.thresholds.disk.remove_above.get() / 100.0;
    Percent::of(wanted, load.disk_total as f64 * limit)
}

fn gauges(machine: &Machine, load: &MachineLoad) -> Vec<Gauge> {
    let limits = &machine.thresholds;
    let mut gauges = vec![
        percent(Measure::Cpu, load.cpu, limits.cpu),
        percent(Measure::Memory, load.memory, limits.memory),
        percent(Measure::Disk, load.disk, limits.disk),
        average(Measure::LoadOne, load.load.one, limits.load),
        average(Measure::LoadFive, load.load.five, limits.load),
        average(Measure::LoadFifteen, load.load.fifteen, limits.load),
    ];
    let disk = (Measure::DiskRead, Measure::DiskWrite);
    let net = (Measure::NetworkIn, Measure::NetworkOut);
    gauges.extend(traffic(disk, load.disk_io, &limits.disk_io));
    gauges.extend(traffic(net, load.net_io, &limits.net_io));
    gauges
}

fn traffic(of: (Measure, Measure), rates: IoRates, bands: &IoBands) -> Vec<Gauge> {
    if !bands.is_on() {
        return Vec::new();
    }
    let gauge = |measure, rate: ByteRate, band: Band<ByteRate>| Gauge {
        measure,
        value: rate.0 as f64,
        add_below: band.add_below.0 as f64,
        remove_above: band.remove_above.0 as f64,
    };
    vec![
        gauge(of.0, rates.read, bands.read),
        gauge(of.1, rates.write, bands.write),
    ]
}

fn percent(measure: Measure, value: Percent, band: Band<Percent>) -> Gauge {
    Gauge {
        measure,
        value: value.get(),
        add_below: band.add_below.get(),
        remove_above: band.remove_above.get(),
    }
}

fn average(measure: Measure, value: Load, band: Band<Load>) -> Gauge {
    Gauge {
        measure,
        value: value.get(),
        add_below: band.add_below.get(),
        remove_above: band.remove_above.get(),
    }
}
