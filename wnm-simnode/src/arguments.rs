//! What `antnode` 0.4 takes on its command line. Faults are worded as its parser words them, since a person
//! compares the two.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Options followed by a value. Those that change nothing here are taken all the same: a manager passes them.
const VALUED: &[&str] = &[
    "--bootstrap-cache-dir",
    "--ip",
    "--log-format",
    "--log-output-dest",
    "--max-archived-log-files",
    "--max-log-files",
    "--metrics-server-port",
    "--network-contacts-url",
    "--network-id",
    "--peer",
    "--port",
    "--rewards-address",
    "--root-dir",
    "--rpc",
];

/// Options that stand alone.
const FLAGS: &[&str] = &[
    "--alpha",
    "--crate-version",
    "--enable-metrics-server",
    "--first",
    "--help",
    "--ignore-cache",
    "--local",
    "--no-upnp",
    "--package-version",
    "--protocol-version",
    "--relay",
    "--stop-on-upgrade",
    "--version",
    "--write-older-cache-files",
];

/// Options that may be given more than once.
const REPEATABLE: &[&str] = &["--peer", "--network-contacts-url"];

/// The networks, which are subcommands and so come last, each with the options of its own.
const NETWORKS: &[(&str, &[&str])] = &[
    ("evm-arbitrum-one", &[]),
    ("evm-arbitrum-sepolia-test", &[]),
    (
        "evm-custom",
        &[
            "--rpc-url",
            "--payment-token-address",
            "--data-payments-address",
        ],
    ),
];

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print the version and end.
    Version,
    /// Print the help and end.
    Help,
    /// Be a node.
    Run(Options),
}

/// What a node is started with, as far as it changes anything here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub root_dir: Option<PathBuf>,
    pub log_output: LogOutput,
    pub ip: IpAddr,
    /// 0 lets the kernel choose.
    pub port: u16,
    /// `None`: no metrics; 0 lets the kernel choose.
    pub metrics_port: Option<u16>,
    pub rewards_address: Option<String>,
    pub network: Option<String>,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogOutput {
    Stdout,
    /// `logs` in the root directory.
    RootDir,
    Directory(PathBuf),
}

/// Why the arguments were refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unexpected(String),
    UnknownSubcommand(String),
    NoValue(&'static str),
    InvalidValue {
        option: &'static str,
        value: String,
        reason: String,
    },
    Repeated(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unexpected(word) => write!(f, "unexpected argument '{word}' found"),
            Refusal::UnknownSubcommand(word) => write!(f, "unrecognized subcommand '{word}'"),
            Refusal::NoValue(option) => write!(
                f,
                "a value is required for '{option} <{}>' but none was supplied",
                placeholder(option)
            ),
            Refusal::InvalidValue {
                option,
                value,
                reason,
            } => write!(
                f,
                "invalid value '{value}' for '{option} <{}>': {reason}",
                placeholder(option)
            ),
            Refusal::Repeated(option) => {
                write!(f, "the argument '{option}' cannot be used multiple times")
            }
        }
    }
}

fn placeholder(option: &str) -> String {
    option
        .trim_start_matches('-')
        .replace('-', "_")
        .to_uppercase()
}

/// Reads the words after the program's name.
pub(crate) fn parse(words: &[OsString]) -> Result<Request, Refusal> {
    let mut options = Options {
        root_dir: None,
        log_output: LogOutput::RootDir,
        ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        port: 0,
        metrics_port: None,
        rewards_address: None,
        network: None,
    };
    let mut metrics_enabled = false;
    let mut version_asked = false;
    let mut seen: Vec<&'static str> = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, attached) = split_option(word);
        if matches!(name.to_str(), Some("-h" | "--help" | "help")) {
            return Ok(Request::Help);
        }
        let Some(option) = known(&name, VALUED).or_else(|| known(&name, FLAGS)) else {
            options.network = Some(network(word, rest.as_slice())?);
            break;
        };
        if seen.contains(&option) && !REPEATABLE.contains(&option) {
            return Err(Refusal::Repeated(option));
        }
        seen.push(option);
        if FLAGS.contains(&option) {
            if attached.is_some() {
                return Err(Refusal::Unexpected(word.to_string_lossy().into_owned()));
            }
            match option {
                "--enable-metrics-server" => metrics_enabled = true,
                "--version" | "--crate-version" | "--package-version" | "--protocol-version" => {
                    version_asked = true;
                }
                _ => {}
            }
            continue;
        }
        let value = match attached {
            Some(value) => value,
            None => rest
                .next()
                .filter(|next| !next.as_encoded_bytes().starts_with(b"--"))
                .cloned()
                .ok_or(Refusal::NoValue(option))?,
        };
        take_value(&mut options, option, value)?;
    }
    if version_asked {
        return Ok(Request::Version);
    }
    if metrics_enabled && options.metrics_port.is_none() {
        options.metrics_port = Some(0);
    }
    Ok(Request::Run(options))
}

fn take_value(options: &mut Options, option: &'static str, value: OsString) -> Result<(), Refusal> {
    match option {
        "--root-dir" => options.root_dir = Some(value.into()),
        "--log-output-dest" => {
            options.log_output = match value.to_str() {
                Some("stdout") => LogOutput::Stdout,
                Some("data-dir") => LogOutput::RootDir,
                _ => LogOutput::Directory(value.into()),
            };
        }
        "--ip" => options.ip = parsed(option, &value)?,
        "--port" => options.port = parsed(option, &value)?,
        "--metrics-server-port" => options.metrics_port = Some(parsed(option, &value)?),
        "--rewards-address" => {
            options.rewards_address = Some(value.to_string_lossy().into_owned());
        }
        _ => {}
    }
    Ok(())
}

fn parsed<T>(option: &'static str, value: &OsStr) -> Result<T, Refusal>
where
    T: std::str::FromStr,
    T::Err: fmt::Display,
{
    let value = value.to_string_lossy();
    value
        .parse()
        .map_err(|error: T::Err| Refusal::InvalidValue {
            option,
            value: value.clone().into_owned(),
            reason: error.to_string(),
        })
}

/// Checks a subcommand and what follows it: options of the node are not taken any more.
fn network(word: &OsStr, rest: &[OsString]) -> Result<String, Refusal> {
    let text = word.to_string_lossy().into_owned();
    if text.starts_with('-') {
        return Err(Refusal::Unexpected(text));
    }
    let Some((_, own)) = NETWORKS.iter().find(|(name, _)| *name == text) else {
        return Err(Refusal::UnknownSubcommand(text));
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let (name, attached) = split_option(word);
        let option = known(&name, own)
            .ok_or_else(|| Refusal::Unexpected(word.to_string_lossy().into_owned()))?;
        if attached.is_none() && rest.next().is_none() {
            return Err(Refusal::NoValue(option));
        }
    }
    Ok(text)
}

fn known(name: &OsStr, among: &[&'static str]) -> Option<&'static str> {
    among.iter().copied().find(|option| name == *option)
}

/// Splits `--name=value`; a value need not be text.
fn split_option(word: &OsStr) -> (OsString, Option<OsString>) {
    use std::os::unix::ffi::OsStrExt;
    let bytes = word.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) if bytes.starts_with(b"--") => (
            OsStr::from_bytes(&bytes[..at]).to_owned(),
            Some(OsStr::from_bytes(&bytes[at + 1..]).to_owned()),
        ),
        _ => (word.to_owned(), None),
    }
}

/// The help, short: the options by name.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "A simulated antnode: takes its arguments and joins no network.\n\nUsage: antnode [OPTIONS] [COMMAND]\n\nCommands:\n",
    );
    for (name, _) in NETWORKS {
        text += &format!("  {name}\n");
    }
    text += "\nOptions:\n";
    for option in VALUED {
        text += &format!("  {option} <{}>\n", placeholder(option));
    }
    for option in FLAGS {
        text += &format!("  {option}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn refusal(line: &str) -> String {
        parse(&words(line)).unwrap_err().to_string()
    }

    fn options(line: &str) -> Options {
        match parse(&words(line)).unwrap() {
            Request::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_manager_passes_is_taken() {
        let options = options(
            "--bootstrap-cache-dir /c --root-dir /n/antnode0001 --port 55001 --enable-metrics-server \
             --metrics-server-port 13001 --log-output-dest /l --max-log-files 1 --max-archived-log-files 1 \
             --no-upnp --peer /ip4/1 --peer /ip4/2 --rewards-address 0xA evm-arbitrum-one",
        );
        assert_eq!(
            options,
            Options {
                root_dir: Some("/n/antnode0001".into()),
                log_output: LogOutput::Directory("/l".into()),
                ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                port: 55001,
                metrics_port: Some(13001),
                rewards_address: Some("0xA".into()),
                network: Some("evm-arbitrum-one".into()),
            }
        );
    }

    #[test]
    fn metrics_are_served_only_when_asked_for() {
        assert_eq!(options("--port 1").metrics_port, None);
        assert_eq!(options("--enable-metrics-server").metrics_port, Some(0));
        assert_eq!(options("--metrics-server-port=7").metrics_port, Some(7));
    }

    #[test]
    fn faults_are_named() {
        assert_snapshot!(refusal("--bogus"), @"unexpected argument '--bogus' found");
        assert_snapshot!(refusal("-v"), @"unexpected argument '-v' found");
        assert_snapshot!(refusal("blah"), @"unrecognized subcommand 'blah'");
        assert_snapshot!(refusal("--port"), @"a value is required for '--port <PORT>' but none was supplied");
        assert_snapshot!(refusal("--root-dir --local"), @"a value is required for '--root-dir <ROOT_DIR>' but none was supplied");
        assert_snapshot!(refusal("--port abc"), @"invalid value 'abc' for '--port <PORT>': invalid digit found in string");
        assert_snapshot!(refusal("--port 1 --port=2"), @"the argument '--port' cannot be used multiple times");
        assert_snapshot!(refusal("--no-upnp=true"), @"unexpected argument '--no-upnp=true' found");
        assert_snapshot!(refusal("evm-arbitrum-one --port 1"), @"unexpected argument '--port' found");
        assert_snapshot!(refusal("evm-custom --rpc-url"), @"a value is required for '--rpc-url <RPC_URL>' but none was supplied");
    }

    #[test]
    fn the_custom_network_has_options_of_its_own() {
        let network = options("evm-custom --rpc-url http://x --payment-token-address=0x1").network;
        assert_eq!(network.as_deref(), Some("evm-custom"));
    }

    #[test]
    fn the_version_is_told_without_an_address() {
        assert_eq!(parse(&words("--version")), Ok(Request::Version));
        assert_eq!(parse(&words("--port 1 --help")), Ok(Request::Help));
    }
}
