//! How a text becomes a value: one function per kind. The error says what is right instead.

use std::num::NonZeroU32;
use std::path::PathBuf;

use semver::Version;

use crate::{Expansion, OptionTable, ValueKind};
use wnm_core::id::{NodeId, NodeName};
use wnm_core::kind::ManagerKind;
use wnm_core::ports::PortBase;
use wnm_core::quantity::{ByteRate, Load, Milliseconds, Percent, Seconds, UnixTime};
use wnm_core::wallet::{Address, RewardsAddress};

/// SQLite's integers end here, and so does what the database can hold.
const MAX_INTEGER: u64 = i64::MAX as u64;

/// Ten years: more is a slip of the unit, and a delay that long never ends anyway.
const MAX_SECONDS: u64 = 315_360_000;

/// A day: a pause between two nodes that is longer stops the colony instead of pacing it.
const MAX_MILLISECONDS: u64 = 86_400_000;

/// More nodes than this have no ports (65535 less the lowest base).
const MAX_COUNT: u64 = 64_535;

/// The longest host name there can be (RFC 1035).
const MAX_HOST: usize = 253;

/// Words that are long for an environment or a command line, and far below what the kernel takes.
const MAX_WORDS: usize = 8192;

pub(super) type Parsed<T> = Result<T, String>;

/// What values are read with.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub expansion: &'a Expansion,
    pub options: &'a OptionTable,
}

impl Reading<'_> {
    /// Whether a text is a value of this kind, as far as can be told without the rest. The error says what is
    /// right instead.
    pub fn check(&self, kind: ValueKind, text: &str) -> Result<(), String> {
        clean(text)?;
        let expansion = self.expansion;
        match kind {
            ValueKind::Flag => flag(text).map(drop),
            ValueKind::Repeated => repeated(text).map(drop),
            ValueKind::Text | ValueKind::Path => Ok(()),
            ValueKind::AbsolutePath => expansion.absolute(text).map(drop).map_err(say),
            ValueKind::Database => expansion.database(text).map(drop).map_err(say),
            ValueKind::Count => count(text).map(drop),
            ValueKind::Positive => positive(text).map(drop),
            ValueKind::Percent => percent(text).map(drop),
            ValueKind::Rate => rate(text).map(drop),
            ValueKind::Bytes => bytes(text).map(drop),
            ValueKind::Load => load(text).map(drop),
            ValueKind::Seconds => seconds(text).map(drop),
            ValueKind::Milliseconds => milliseconds(text).map(drop),
            ValueKind::Timestamp => timestamp(text).map(drop),
            ValueKind::NodeNumber => node_number(text).map(drop),
            ValueKind::NodeNames => node_names(text).map(drop),
            ValueKind::Address => address(text).map(drop),
            ValueKind::Rewards => rewards(text).map(drop),
            ValueKind::Manager => self.manager(text).map(drop),
            ValueKind::Port => port_base(text).map(drop),
            ValueKind::Strategy => strategy(text).map(drop),
            ValueKind::Host => host(text).map(drop),
            ValueKind::Environment => environment(text).map(drop),
            ValueKind::Arguments => arguments(text).map(drop),
            ValueKind::Version => version(text).map(drop),
            ValueKind::Image => image(text).map(drop),
            ValueKind::Memory => memory(text).map(drop),
            ValueKind::Quota => quota(text).map(drop),
            ValueKind::Choice(words) => choice(text, words).map(drop),
        }
    }

    /// A manager that this wnm has.
    pub fn manager(&self, text: &str) -> Parsed<ManagerKind> {
        let kinds = self.options.kinds();
        let kind = text.parse().ok();
        kind.filter(|kind| kinds.contains(kind)).ok_or_else(|| {
            let (text, listed) = (text.trim(), crate::table::list(kinds));
            format!("'{text}' is no process manager; there are {listed}")
        })
    }

    /// An absolute path.
    pub fn path(&self, text: &str) -> Parsed<PathBuf> {
        self.expansion.absolute(text).map_err(say)
    }
}

fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Values end up in units, plists, scripts and arguments, where a line break would begin something else.
pub(super) fn clean(text: &str) -> Parsed<()> {
    if text.chars().any(char::is_control) {
        return Err("takes one line without control characters".to_owned());
    }
    Ok(())
}

pub(super) fn flag(text: &str) -> Parsed<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("takes true or false (yes, no, on, off, 1, 0)".to_owned()),
    }
}

/// How often a flag was given: a number, or a boolean from a file.
pub(super) fn repeated(text: &str) -> Parsed<u8> {
    text.trim()
        .parse()
        .or_else(|_| flag(text).map(u8::from))
        .map_err(|_| "takes a count or true or false".to_owned())
}

fn integer(text: &str, from: u64, to: u64) -> Option<u64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| (from..=to).contains(number))
}

fn small(text: &str, from: u64) -> Parsed<u32> {
    integer(text, from, MAX_COUNT)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| format!("takes a whole number from {from} to {MAX_COUNT}"))
}

pub(super) fn count(text: &str) -> Parsed<u32> {
    small(text, 0)
}

pub(super) fn positive(text: &str) -> Parsed<u32> {
    small(text, 1)
}

/// Highest threshold. No share passes 100, so what is above it is never reached: it switches a pair of
/// thresholds off, and needs room for two different numbers.
const MOST_PERCENT: u64 = 200;

pub(super) fn percent(text: &str) -> Parsed<Percent> {
    integer(text, 0, MOST_PERCENT)
        .and_then(|number| u8::try_from(number).ok())
        .map(Percent::whole)
        .ok_or_else(|| {
            "takes a whole percentage from 0 to 200 (above 100 it is never reached)".to_owned()
        })
}

pub(super) fn rate(text: &str) -> Parsed<ByteRate> {
    integer(text, 0, MAX_INTEGER)
        .map(ByteRate)
        .ok_or_else(|| "takes a whole number of bytes per second".to_owned())
}

pub(super) fn bytes(text: &str) -> Parsed<u64> {
    integer(text, 0, MAX_INTEGER).ok_or_else(|| "takes a whole number of bytes".to_owned())
}

pub(super) fn load(text: &str) -> Parsed<Load> {
    text.trim()
        .parse()
        .ok()
        .and_then(Load::new)
        .ok_or_else(|| "takes a load average, a number from 0 such as 2.5".to_owned())
}

pub(super) fn seconds(text: &str) -> Parsed<Seconds> {
    integer(text, 0, MAX_SECONDS)
        .map(Seconds)
        .ok_or_else(|| format!("takes whole seconds from 0 to {MAX_SECONDS}"))
}

pub(super) fn milliseconds(text: &str) -> Parsed<Milliseconds> {
    integer(text, 0, MAX_MILLISECONDS)
        .map(Milliseconds)
        .ok_or_else(|| format!("takes whole milliseconds from 0 to {MAX_MILLISECONDS}"))
}

/// A point in time; 0 is how the Python wnm writes "never".
pub(super) fn timestamp(text: &str) -> Parsed<Option<UnixTime>> {
    let number = integer(text, 0, MAX_INTEGER).and_then(|number| i64::try_from(number).ok());
    number
        .map(|number| (number != 0).then_some(UnixTime(number)))
        .ok_or_else(|| "takes whole seconds since 1970, 0 for never".to_owned())
}

/// A node's number; 0 is how antctl's counter begins.
pub(super) fn node_number(text: &str) -> Parsed<Option<NodeId>> {
    small(text, 0).map(NodeId::new)
}

/// Names of nodes as they were typed, with their numbers, in the order given.
pub(super) fn node_names(text: &str) -> Parsed<Vec<(String, NodeId)>> {
    text.split(',')
        .map(|name| {
            let name = name.trim();
            let number: NodeName = name.parse().map_err(say)?;
            Ok((name.to_owned(), number.0))
        })
        .collect()
}

pub(super) fn address(text: &str) -> Parsed<Address> {
    text.parse().map_err(say)
}

pub(super) fn rewards(text: &str) -> Parsed<RewardsAddress> {
    text.parse().map_err(say)
}

pub(super) fn port_base(text: &str) -> Parsed<PortBase> {
    PortBase::parse(text).map_err(say)
}

pub(super) fn strategy(text: &str) -> Parsed<wnm_core::machine::RemovalStrategy> {
    text.parse().map_err(say)
}

pub(super) fn firewall(text: &str) -> Parsed<wnm_core::machine::FirewallChoice> {
    text.parse().map_err(say)
}

pub(super) fn container_network(text: &str) -> Parsed<wnm_core::container::ContainerNetwork> {
    text.parse().map_err(say)
}

pub(super) fn memory(text: &str) -> Parsed<wnm_core::machine::MemoryLimit> {
    text.parse().map_err(say)
}

/// Most processor time: that of more processors than any machine has is a slip.
const MOST_QUOTA: u64 = 1_000_000;

/// Percent of one processor; 0 is no limit.
pub(super) fn quota(text: &str) -> Parsed<Option<NonZeroU32>> {
    integer(text, 0, MOST_QUOTA)
        .and_then(|number| u32::try_from(number).ok())
        .map(NonZeroU32::new)
        .ok_or_else(|| {
            format!("takes whole percent of one processor from 1 to {MOST_QUOTA}, 0 for no limit")
        })
}

/// A name or an address. Some shells export `HOST` as the machine's own name, which is one too.
pub(super) fn host(text: &str) -> Parsed<String> {
    let text = text.trim();
    let fits = (1..=MAX_HOST).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("takes a host name or an address such as 127.0.0.1".to_owned())
    }
}

fn words(text: &str) -> Parsed<Vec<String>> {
    clean(text)?;
    if text.len() > MAX_WORDS {
        return Err(format!("takes at most {MAX_WORDS} bytes"));
    }
    shlex::split(text).ok_or_else(|| "has a quote that is not closed".to_owned())
}

/// Words quoted as for a shell; kept as they are.
pub(super) fn arguments(text: &str) -> Parsed<String> {
    words(text).map(|_| text.trim().to_owned())
}

/// `KEY=value` words quoted as for a shell; kept as they are.
pub(super) fn environment(text: &str) -> Parsed<String> {
    for word in words(text)? {
        let key = word.split_once('=').map_or("", |(key, _)| key);
        let fits = !key.is_empty()
            && !key.starts_with(|c: char| c.is_ascii_digit())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits {
            return Err("takes KEY=value words, as RUST_LOG=info".to_owned());
        }
    }
    Ok(text.trim().to_owned())
}

pub(super) fn version(text: &str) -> Parsed<String> {
    let text = text.trim();
    Version::parse(text)
        .map(|_| text.to_owned())
        .map_err(|_| "takes a version such as 0.4.7".to_owned())
}

/// A reference to an image. It becomes an argument, so it may not look like an option.
pub(super) fn image(text: &str) -> Parsed<String> {
    let text = text.trim();
    let fits = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("takes a container image such as iweave/antnode:latest".to_owned())
    }
}

/// The word of the table; case does not matter, nor whether it has hyphens or underscores.
pub(super) fn choice(text: &str, words: &[&'static str]) -> Parsed<&'static str> {
    let normal = |word: &str| word.trim().replace('_', "-").to_lowercase();
    let wanted = normal(text);
    words
        .iter()
        .find(|word| normal(word) == wanted)
        .copied()
        .ok_or_else(|| format!("takes one of {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_in_every_spelling() {
        for text in ["true", "True", "yes", "ON", "1"] {
            assert_eq!(flag(text), Ok(true), "{text}");
        }
        for text in ["false", "False", "no", "off", "0"] {
            assert_eq!(flag(text), Ok(false), "{text}");
        }
        assert!(flag("maybe").is_err());
    }

    #[test]
    fn zero_is_a_value() {
        assert_eq!(seconds("0"), Ok(Seconds(0)));
        assert_eq!(milliseconds("0"), Ok(Milliseconds(0)));
        assert_eq!(percent("0"), Ok(Percent::whole(0)));
        assert_eq!(count("0"), Ok(0));
        assert!(positive("0").is_err());
    }

    #[test]
    fn numbers_have_ends() {
        for (kind, below, above) in [
            (ValueKind::Percent, "200", "201"),
            (ValueKind::Seconds, "315360000", "315360001"),
            (ValueKind::Milliseconds, "86400000", "86400001"),
            (
                ValueKind::Rate,
                "9223372036854775807",
                "9223372036854775808",
            ),
            (ValueKind::Count, "64535", "64536"),
            (ValueKind::Port, "65535", "65536"),
            (ValueKind::Quota, "1000000", "1000001"),
        ] {
            let (expansion, options) = (Expansion::default(), crate::samples::options());
            let reading = Reading {
                expansion: &expansion,
                options: &options,
            };
            assert!(reading.check(kind, below).is_ok(), "{below}");
            assert!(reading.check(kind, above).is_err(), "{above}");
            for text in ["-1", "1.5", "", "many", "1e3"] {
                assert!(reading.check(kind, text).is_err(), "{kind:?} {text}");
            }
        }
        for text in ["inf", "NaN", "-0.1"] {
            assert!(load(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_well_formed() {
        assert!(environment("RUST_LOG=info 'A=b c'").is_ok());
        for text in ["production", "1A=b", "=b", "A=b c", "A=\"b"] {
            assert!(environment(text).is_err(), "{text}");
        }
        assert!(arguments("--peer 'a b'").is_ok());
        assert!(arguments("--peer 'a b").is_err());
        assert!(arguments("a\nb").is_err());
    }

    #[test]
    fn hosts_and_images_are_names_and_no_options() {
        for text in ["127.0.0.1", "localhost", "::1", "my-box.lan"] {
            assert!(host(text).is_ok(), "{text}");
        }
        for text in ["", "-x", "a b", "http://a", "é"] {
            assert!(host(text).is_err(), "{text}");
        }
        assert!(image("iweave/antnode:latest").is_ok());
        assert!(image("--privileged").is_err());
    }
}
