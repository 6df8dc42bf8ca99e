use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that is measured and held against a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
    /// Fill of the node storage.
    Disk,
    /// What is read from disk.
    DiskRead,
    /// What is written to disk.
    DiskWrite,
    /// What is received.
    NetworkIn,
    /// What is sent.
    NetworkOut,
    /// Load average over one minute.
    LoadOne,
    /// Load average over five minutes.
    LoadFive,
    /// Load average over fifteen minutes.
    LoadFifteen,
    /// What the disk would be filled to, as a share of its remove threshold, if every node came to store all
    /// that the machine's `crisis_bytes` expects of it.
    ExpectedFill,
}

impl Measure {
    /// What it is counted in.
    pub const fn unit(self) -> Unit {
        match self {
            Measure::Cpu | Measure::Memory | Measure::Disk | Measure::ExpectedFill => Unit::Percent,
            Measure::DiskRead | Measure::DiskWrite => Unit::BytesPerSecond,
            Measure::NetworkIn | Measure::NetworkOut => Unit::BytesPerSecond,
            Measure::LoadOne | Measure::LoadFive | Measure::LoadFifteen => Unit::Tasks,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Measure::Cpu => "cpu",
            Measure::Memory => "memory",
            Measure::Disk => "disk",
            Measure::DiskRead => "disk read",
            Measure::DiskWrite => "disk write",
            Measure::NetworkIn => "network in",
            Measure::NetworkOut => "network out",
            Measure::LoadOne => "load over 1 min",
            Measure::LoadFive => "load over 5 min",
            Measure::LoadFifteen => "load over 15 min",
            Measure::ExpectedFill => "disk once all nodes are full",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A share of a whole, 0 to 100.
    Percent,
    /// Traffic.
    BytesPerSecond,
    /// Runnable tasks, as the kernel's load averages.
    Tasks,
}

impl Unit {
    /// Decimals beyond which people do not care, unless that would hide which side a value is on.
    const fn decimals(self) -> usize {
        match self {
            Unit::Percent => 1,
            Unit::BytesPerSecond => 0,
            Unit::Tasks => 2,
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Unit::Percent => " %",
            Unit::BytesPerSecond => " B/s",
            Unit::Tasks => "",
        }
    }
}

/// How a value stands to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Below it: there is room.
    Below,
    /// At it or above: there is no room for more.
    AtLeast,
    /// At it or below: nothing has to go.
    AtMost,
    /// Above it: something has to go.
    Above,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::Below => "<",
            Relation::AtLeast => "≥",
            Relation::AtMost => "≤",
            Relation::Above => ">",
        })
    }
}

/// A measured value and the threshold it was held against, as `memory 63.2 % ≥ 60 %`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub measure: Measure,
    /// The value.
    pub value: f64,
    /// How the value stands to the threshold.
    pub relation: Relation,
    /// The threshold.
    pub threshold: f64,
    /// What both are counted in.
    pub unit: Unit,
}

impl Figure {
    /// A figure in the unit of its measure.
    pub const fn new(measure: Measure, value: f64, relation: Relation, threshold: f64) -> Self {
        Self {
            measure,
            value,
            relation,
            threshold,
            unit: measure.unit(),
        }
    }
}

/// Decimals at which a difference is given up: by then it is the measurement's own noise.
const MOST_DECIMALS: usize = 9;

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut decimals = self.unit.decimals();
        let (value, threshold) = loop {
            let pair = (
                rounded(self.value, decimals),
                rounded(self.threshold, decimals),
            );
            // "60 % > 60 %" would read as a fault, so what was rounded away is shown where it matters.
            if pair.0 != pair.1 || self.value == self.threshold || decimals >= MOST_DECIMALS {
                break pair;
            }
            decimals += 1;
        };
        let (name, relation, unit) = (self.measure, self.relation, self.unit.suffix());
        write!(f, "{name} {value}{unit} {relation} {threshold}{unit}")
    }
}

fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(measure: Measure, value: f64, relation: Relation, threshold: f64) -> String {
        Figure::new(measure, value, relation, threshold).to_string()
    }

    #[test]
    fn a_figure_says_what_was_measured_and_against_what() {
        let lines = [
            shown(Measure::Memory, 63.21, Relation::AtLeast, 60.0),
            shown(Measure::Cpu, 100.0, Relation::Above, 70.0),
            shown(Measure::LoadFive, 2.4, Relation::AtMost, 4.0),
            shown(Measure::NetworkIn, 1_200_000.0, Relation::Below, 2e6),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        memory 63.2 % ≥ 60 %
        cpu 100 % > 70 %
        load over 5 min 2.4 ≤ 4
        network in 1200000 B/s < 2000000 B/s
        ");
    }

    #[test]
    fn rounding_never_hides_the_side_a_value_is_on() {
        assert_eq!(
            shown(Measure::Memory, 60.004, Relation::Above, 60.0),
            "memory 60.004 % > 60 %"
        );
        assert_eq!(
            shown(Measure::Memory, 60.0, Relation::AtLeast, 60.0),
            "memory 60 % ≥ 60 %"
        );
    }
}
