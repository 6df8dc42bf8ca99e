//! What found nodes were started with beyond what every node is, read from the words of their processes. A service
//! that wnm writes again is written from the settings: without these, a node behind a router that has no UPnP would
//! not come up any more.

use std::collections::BTreeMap;

use super::settings::FoundSetting;
use wnm_core::manager::FoundNode;
use wnm_host::processes::words_of_all;

/// Options of a node that follow from the node or are the same for all, each with a value.
const OWN: [&str; 8] = [
    "--bootstrap-cache-dir",
    "--root-dir",
    "--port",
    "--metrics-server-port",
    "--log-output-dest",
    "--max-log-files",
    "--max-archived-log-files",
    "--rewards-address",
];

/// The same without a value.
const OWN_FLAG: &str = "--enable-metrics-server";

/// What most of the nodes that run were started with: `no_upnp` and `start_args`. Their environment cannot be told from
/// that of their supervisor.
pub fn launch_of(found: &[FoundNode]) -> Vec<FoundSetting> {
    let is_node = |words: &[String]| {
        let mut roots = found.iter().filter_map(|node| node.root_dir.to_str());
        roots.any(|root| value(words, "--root-dir") == Some(root))
    };
    most_common(&words_of_all(is_node))
}

fn most_common(commands: &[Vec<String>]) -> Vec<FoundSetting> {
    let mut counts: BTreeMap<(bool, Vec<&str>), usize> = BTreeMap::new();
    for words in commands {
        *counts.entry(beyond(words)).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    let Some(((no_upnp, rest), count)) = most else {
        return Vec::new();
    };
    if count * 2 <= commands.len() {
        return Vec::new();
    }
    let mut settings: Vec<FoundSetting> = Vec::new();
    if no_upnp {
        settings.push(("no_upnp", "true".to_owned()));
    }
    if let (false, Ok(args)) = (rest.is_empty(), shlex::try_join(rest.iter().copied())) {
        settings.push(("start_args", args));
    }
    settings
}

/// Whether UPnP is off, and the words that are left over. What follows the network belongs to it.
fn beyond(words: &[String]) -> (bool, Vec<&str>) {
    let (mut no_upnp, mut rest) = (false, Vec::new());
    let mut words = words.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        match word {
            "--no-upnp" => no_upnp = true,
            OWN_FLAG => {}
            network if network.starts_with("evm-") => break,
            _ if OWN.contains(&name) => {
                if name == word {
                    words.next();
                }
            }
            other => rest.push(other),
        }
    }
    (no_upnp, rest)
}

fn value<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(String::as_str);
        }
        if let Some((option, value)) = word.split_once('=')
            && option == name
        {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        shlex::split(line).unwrap()
    }

    fn told(lines: &[&str]) -> String {
        let commands: Vec<_> = lines.iter().map(|line| words(line)).collect();
        let settings = most_common(&commands).into_iter();
        let lines = settings.map(|(name, value)| format!("{name} = {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    const USUAL: &str = "/n/antnode --bootstrap-cache-dir /c --root-dir /n --port 1 --enable-metrics-server \
        --metrics-server-port=2 --log-output-dest /l --max-log-files 1 --max-archived-log-files 1";

    #[test]
    fn only_what_no_node_has_of_itself_is_left_over() {
        assert_eq!(
            told(&[&format!("{USUAL} --rewards-address 0x evm-arbitrum-one")]),
            ""
        );
        let odd = format!(
            "{USUAL} --no-upnp --log-format 'a b' --rewards-address 0x evm-custom --rpc-url x"
        );
        insta::assert_snapshot!(told(&[&odd, USUAL, &odd]), @"
        no_upnp = true
        start_args = --log-format 'a b'
        ");
        assert_eq!(told(&[&odd, USUAL]), "", "no majority");
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn a_directory_is_known_in_both_spellings() {
        assert_eq!(value(&words("a --root-dir /x"), "--root-dir"), Some("/x"));
        assert_eq!(value(&words("a --root-dir=/x"), "--root-dir"), Some("/x"));
        assert_eq!(value(&words("a --root-directory /x"), "--root-dir"), None);
    }
}
