use serde::{Deserialize, Serialize};

use super::Port;

/// Ports in a row: at least one, the first never behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PortRange {
    first: Port,
    last: Port,
}

impl PortRange {
    /// From one port to another, both included; `None` if the first is behind the last.
    pub fn new(first: Port, last: Port) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// One port.
    pub const fn single(port: Port) -> Self {
        Self {
            first: port,
            last: port,
        }
    }

    /// The lowest port.
    pub const fn first(self) -> Port {
        self.first
    }

    /// The highest port.
    pub const fn last(self) -> Port {
        self.last
    }

    /// How many ports come after the first.
    pub const fn span(self) -> u16 {
        self.last.get() - self.first.get()
    }

    /// Whether the port is one of them.
    pub fn contains(self, port: Port) -> bool {
        self.first <= port && port <= self.last
    }

    /// Whether all of `other` are among them.
    pub fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Those that are in `other` too.
    pub fn shared_with(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// What is left without `other`, below it and above it.
    pub fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let Some(shared) = self.shared_with(other) else {
            return [Some(self), None].into_iter().flatten();
        };
        let below = Port::new(shared.first.get() - 1);
        let above = shared.last.next();
        let parts = [
            below.and_then(|last| Self::new(self.first, last)),
            above.and_then(|first| Self::new(first, self.last)),
        ];
        parts.into_iter().flatten()
    }

    /// The one port, or the first and the last with `between` in between, as firewalls write it.
    pub fn text(self, between: char) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{}{between}{}", self.first, self.last)
        }
    }

    /// Reads what [`text`](Self::text) writes.
    pub fn parse(text: &str, between: char) -> Option<Self> {
        let port = |text: &str| Port::new(text.parse().ok()?);
        let (first, last) = text.split_once(between).unwrap_or((text, text));
        Self::new(port(first)?, port(last)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn port(number: u16) -> Port {
        Port::new(number).unwrap()
    }

    fn ranges() -> impl Strategy<Value = PortRange> {
        let number = prop_oneof![1..30_u16, 65_510..=65_535_u16];
        (number.clone(), number).prop_filter_map("backwards", |(first, last)| {
            PortRange::new(port(first), port(last))
        })
    }

    #[test]
    fn a_range_does_not_run_backwards() {
        assert_eq!(PortRange::new(port(2), port(1)), None);
        for text in ["", "0", "2-1", "1-", "-1", "1-2-3", "65536", "a", "1 -2"] {
            assert_eq!(PortRange::parse(text, '-'), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_away_and_what_is_left_are_the_whole(range in ranges(), other in ranges()) {
            let left: Vec<PortRange> = range.without(other).collect();
            for number in (0..40).chain(65_500..=65_535) {
                let Some(port) = Port::new(number) else { continue };
                let expected = range.contains(port) && !other.contains(port);
                let times = left.iter().filter(|part| part.contains(port)).count();
                prop_assert_eq!(times, usize::from(expected));
                let shared = range.shared_with(other).is_some_and(|shared| shared.contains(port));
                prop_assert_eq!(shared, range.contains(port) && other.contains(port));
            }
            prop_assert_eq!(range.covers(other), other.without(range).next().is_none());
        }

        #[test]
        fn a_range_reads_back_from_its_text(range in ranges()) {
            prop_assert_eq!(PortRange::parse(&range.text(':'), ':'), Some(range));
        }
    }
}
