use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An amount of memory, in the words of `MemoryMax=` (systemd.resource-control(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MemoryLimit {
    /// So many of a unit.
    Amount(u64, MemoryUnit),
    /// Percent of the machine's memory, 1 to 100.
    Share(u8),
}

/// What an amount of memory is counted in. Each is 1024 of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemoryUnit {
    /// Bytes.
    Byte,
    /// `K`.
    Kibi,
    /// `M`.
    Mebi,
    /// `G`.
    Gibi,
    /// `T`.
    Tebi,
}

/// A text that is no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "takes bytes from 64M, with K, M, G or T as in 24G, or a share of the memory from 1% to 100%"
)]
pub struct BadMemoryLimit;

impl MemoryUnit {
    const ALL: [MemoryUnit; 5] = [
        MemoryUnit::Byte,
        MemoryUnit::Kibi,
        MemoryUnit::Mebi,
        MemoryUnit::Gibi,
        MemoryUnit::Tebi,
    ];

    const fn letter(self) -> &'static str {
        match self {
            MemoryUnit::Byte => "",
            MemoryUnit::Kibi => "K",
            MemoryUnit::Mebi => "M",
            MemoryUnit::Gibi => "G",
            MemoryUnit::Tebi => "T",
        }
    }

    const fn bytes(self) -> u64 {
        match self {
            MemoryUnit::Byte => 1,
            MemoryUnit::Kibi => 1 << 10,
            MemoryUnit::Mebi => 1 << 20,
            MemoryUnit::Gibi => 1 << 30,
            MemoryUnit::Tebi => 1 << 40,
        }
    }
}

impl MemoryLimit {
    /// Less than one node needs: a limit below it is a unit left out, and would have every node killed.
    const LEAST_BYTES: u64 = 64 << 20;
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemoryLimit::Amount(number, unit) => write!(f, "{number}{}", unit.letter()),
            MemoryLimit::Share(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for MemoryLimit {
    type Err = BadMemoryLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let number: u64 = digits.parse().map_err(|_| BadMemoryLimit)?;
        if suffix == "%" {
            return match u8::try_from(number) {
                Ok(percent @ 1..=100) => Ok(Self::Share(percent)),
                _ => Err(BadMemoryLimit),
            };
        }
        let unit = MemoryUnit::ALL
            .into_iter()
            .find(|unit| unit.letter().eq_ignore_ascii_case(suffix))
            .ok_or(BadMemoryLimit)?;
        match number.checked_mul(unit.bytes()) {
            Some(bytes) if bytes >= Self::LEAST_BYTES => Ok(Self::Amount(number, unit)),
            _ => Err(BadMemoryLimit),
        }
    }
}

impl TryFrom<String> for MemoryLimit {
    type Error = BadMemoryLimit;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MemoryLimit> for String {
    fn from(limit: MemoryLimit) -> Self {
        limit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_as_systemd_takes_them() {
        for (text, told) in [
            ("67108864", "67108864"),
            (" 64m ", "64M"),
            ("65536K", "65536K"),
            ("24G", "24G"),
            ("2T", "2T"),
            ("1%", "1%"),
            ("100%", "100%"),
        ] {
            let limit: MemoryLimit = text.parse().unwrap();
            assert_eq!(limit.to_string(), told);
            assert_eq!(told.parse(), Ok(limit));
            assert_eq!(serde_json::to_value(limit).unwrap(), told);
        }
    }

    #[test]
    fn slips_are_refused() {
        for text in [
            "",
            "24",
            "0",
            "-1G",
            "G",
            "1.5G",
            "24GB",
            "24 G",
            "0%",
            "101%",
            "300%",
            "infinity",
            "99999999T",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<MemoryLimit>(), Err(BadMemoryLimit), "{text}");
        }
    }
}
