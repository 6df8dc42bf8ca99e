//! The ports that the kernel gives to programs which ask for any, and those it keeps out of that.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Ports in a row, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortSpan {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl PortSpan {
    /// The ports that are in both.
    pub fn shared(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(Self { first, last })
    }
}

impl fmt::Display for PortSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// What the kernel does with ports of its own choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelPorts {
    /// `net.ipv4.ip_local_port_range`: what it chooses from.
    pub ephemeral: PortSpan,
    /// `net.ipv4.ip_local_reserved_ports`: what it leaves out.
    pub reserved: Vec<PortSpan>,
}

impl KernelPorts {
    /// Reads the two settings in the kernel's own form: `32768\t60999` and `8080,55001-55020`.
    pub fn read(range: &str, reserved: &str) -> Option<Self> {
        let mut ends = range.split_whitespace().map(str::parse);
        let ephemeral = PortSpan {
            first: ends.next()?.ok()?,
            last: ends.next()?.ok()?,
        };
        let span = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            Some(PortSpan {
                first: first.trim().parse().ok()?,
                last: last.trim().parse().ok()?,
            })
        };
        let reserved = reserved.trim();
        let reserved = match reserved.is_empty() {
            true => Vec::new(),
            false => reserved.split(',').map(span).collect::<Option<_>>()?,
        };
        Some(Self {
            ephemeral,
            reserved,
        })
    }

    /// The ports of a span that the kernel could give to another program.
    pub fn exposed(&self, span: PortSpan) -> Option<PortSpan> {
        let shared = self.ephemeral.shared(span)?;
        let is_reserved = |port: u16| {
            let mut spans = self.reserved.iter();
            spans.any(|span| (span.first..=span.last).contains(&port))
        };
        let mut open = (shared.first..=shared.last).filter(|port| !is_reserved(*port));
        let first = open.next()?;
        Some(PortSpan {
            first,
            last: open.next_back().unwrap_or(first),
        })
    }
}
