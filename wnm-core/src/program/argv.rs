//! Reading back the argument vector of a node program.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Value of an option, given as `--name value` or `--name=value`. The program's own name is skipped.
pub fn option<'a>(argv: &'a [OsString], name: &str) -> Option<&'a OsStr> {
    let mut words = argv.iter().skip(1);
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(OsString::as_os_str);
        }
        let joined = word
            .as_bytes()
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        if let Some(value) = joined {
            return Some(OsStr::from_bytes(value));
        }
    }
    None
}

/// Value of an option, read as whatever is wanted; `None` also for one that does not read.
pub fn parsed<T: std::str::FromStr>(argv: &[OsString], name: &str) -> Option<T> {
    option(argv, name)?.to_str()?.parse().ok()
}

/// The payment network: the last `evm-…` word, since options of a custom network may follow it.
pub fn network(argv: &[OsString]) -> Option<String> {
    argv.iter()
        .skip(1)
        .rev()
        .filter_map(|word| word.to_str())
        .find(|word| word.starts_with("evm-"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn both_spellings_are_read_and_prefixes_are_not() {
        let argv = words(&["a", "--port-x", "1", "--port=2", "--root-dir", "/a b-c.d"]);
        assert_eq!(parsed::<u16>(&argv, "--port"), Some(2));
        assert_eq!(option(&argv, "--root-dir").unwrap(), "/a b-c.d");
        assert_eq!(option(&argv, "--root"), None);
        assert_eq!(option(&words(&["--port", "1"]), "--port"), None);
        assert_eq!(option(&words(&["a", "--port"]), "--port"), None);
    }

    #[test]
    fn the_network_may_have_options_of_its_own() {
        let argv = words(&["a", "--x", "1", "evm-custom", "--rpc-url", "http://h"]);
        assert_eq!(network(&argv).unwrap(), "evm-custom");
        assert_eq!(network(&words(&["a", "local"])), None);
    }
}
