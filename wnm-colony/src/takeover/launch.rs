//! Infers launch settings from the arguments of running nodes.
//!
//! wnm rewrites services from the settings. Without these settings, a rewritten node behind a
//! router without UPnP would no longer start.

use std::collections::BTreeMap;

use super::settings::FoundSetting;
use wnm_core::manager::FoundNode;
use wnm_host::processes::words_of_all;

/// Options with a value that follow from the node or are equal for all nodes.
const STANDARD: [&str; 8] = [
    "--bootstrap-cache-dir",
    "--root-dir",
    "--port",
    "--metrics-server-port",
    "--log-output-dest",
    "--max-log-files",
    "--max-archived-log-files",
    "--rewards-address",
];

/// The one such option without a value.
const STANDARD_FLAG: &str = "--enable-metrics-server";

/// The settings `no_upnp` and `start_args` that most running nodes share. Empty if no combination
/// has a majority. Does not infer environment variables, because most of them come from the
/// supervisor.
pub fn infer_launch_settings(found: &[FoundNode]) -> Vec<FoundSetting> {
    let is_node = |arguments: &[String]| {
        let mut roots = found.iter().filter_map(|node| node.root_dir.to_str());
        roots.any(|root| value(arguments, "--root-dir") == Some(root))
    };
    most_common(&words_of_all(is_node))
}

fn most_common(commands: &[Vec<String>]) -> Vec<FoundSetting> {
    let mut counts: BTreeMap<(bool, Vec<&str>), usize> = BTreeMap::new();
    for arguments in commands {
        *counts.entry(extra_arguments(arguments)).or_default() += 1;
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

/// Whether UPnP is off, and the remaining arguments. Arguments after the network's name belong to
/// the network.
fn extra_arguments(arguments: &[String]) -> (bool, Vec<&str>) {
    let (mut no_upnp, mut rest) = (false, Vec::new());
    let mut arguments = arguments.iter().skip(1).map(String::as_str);
    while let Some(argument) = arguments.next() {
        let name = argument.split_once('=').map_or(argument, |(name, _)| name);
        match argument {
            "--no-upnp" => no_upnp = true,
            STANDARD_FLAG => {}
            network if network.starts_with("evm-") => break,
            _ if STANDARD.contains(&name) => {
                if name == argument {
                    arguments.next();
                }
            }
            other => rest.push(other),
        }
    }
    (no_upnp, rest)
}

fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == name {
            return arguments.next().map(String::as_str);
        }
        if let Some((option, value)) = argument.split_once('=')
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

    fn arguments(line: &str) -> Vec<String> {
        shlex::split(line).unwrap()
    }

    fn inferred(lines: &[&str]) -> String {
        let commands: Vec<_> = lines.iter().map(|line| arguments(line)).collect();
        let settings = most_common(&commands).into_iter();
        let lines = settings.map(|(name, value)| format!("{name} = {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    const USUAL: &str = "/n/antnode --bootstrap-cache-dir /c --root-dir /n --port 1 --enable-metrics-server \
        --metrics-server-port=2 --log-output-dest /l --max-log-files 1 --max-archived-log-files 1";

    #[test]
    fn only_extra_arguments_are_inferred() {
        assert_eq!(
            inferred(&[&format!("{USUAL} --rewards-address 0x evm-arbitrum-one")]),
            ""
        );
        let odd = format!(
            "{USUAL} --no-upnp --log-format 'a b' --rewards-address 0x evm-custom --rpc-url x"
        );
        insta::assert_snapshot!(inferred(&[&odd, USUAL, &odd]), @"
        no_upnp = true
        start_args = --log-format 'a b'
        ");
        assert_eq!(inferred(&[&odd, USUAL]), "", "no majority");
        assert_eq!(inferred(&[]), "");
    }

    #[test]
    fn an_option_value_is_found_in_both_spellings() {
        assert_eq!(
            value(&arguments("a --root-dir /x"), "--root-dir"),
            Some("/x")
        );
        assert_eq!(
            value(&arguments("a --root-dir=/x"), "--root-dir"),
            Some("/x")
        );
        assert_eq!(
            value(&arguments("a --root-directory /x"), "--root-dir"),
            None
        );
    }
}
