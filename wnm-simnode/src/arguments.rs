//! The command line of `antnode` 0.4. Error messages use the wording of its parser (clap), so that a person can
//! compare the two programs.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Options with a value. The parser accepts options that have no effect here, because a manager passes them.
const VALUE_OPTIONS: &[&str] = &[
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

/// Options without a value.
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

/// Options that may occur more than once.
const REPEATABLE: &[&str] = &["--peer", "--network-contacts-url"];

/// The networks and their own options. Networks are subcommands, so they come last.
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

/// What the arguments request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print the version and exit.
    Version,
    /// Print the help and exit.
    Help,
    /// Run a node.
    Run(Options),
}

/// The options that have an effect on a simulated node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub root_dir: Option<PathBuf>,
    pub log_output: LogOutput,
    pub ip: IpAddr,
    /// With 0, the kernel chooses the port.
    pub port: u16,
    /// `None` disables the metrics server; with 0, the kernel chooses the port.
    pub metrics_port: Option<u16>,
    pub rewards_address: Option<String>,
    pub network: Option<String>,
}

/// Where the node writes its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogOutput {
    Stdout,
    /// To `logs` in the root directory.
    RootDir,
    Directory(PathBuf),
}

/// Why the parser rejected the arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    Unexpected(String),
    UnknownSubcommand(String),
    MissingValue(&'static str),
    InvalidValue {
        option: &'static str,
        value: String,
        reason: String,
    },
    Repeated(&'static str),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Unexpected(arg) => write!(f, "unexpected argument '{arg}' found"),
            ParseError::UnknownSubcommand(name) => write!(f, "unrecognized subcommand '{name}'"),
            ParseError::MissingValue(option) => write!(
                f,
                "a value is required for '{option} <{}>' but none was supplied",
                placeholder(option)
            ),
            ParseError::InvalidValue {
                option,
                value,
                reason,
            } => write!(
                f,
                "invalid value '{value}' for '{option} <{}>': {reason}",
                placeholder(option)
            ),
            ParseError::Repeated(option) => {
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

/// Parses the arguments after the program name.
pub(crate) fn parse(args: &[OsString]) -> Result<Request, ParseError> {
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
    let mut version_requested = false;
    let mut seen: Vec<&'static str> = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let (name, attached) = split_option(arg);
        if matches!(name.to_str(), Some("-h" | "--help" | "help")) {
            return Ok(Request::Help);
        }
        let Some(option) = find_option(&name, VALUE_OPTIONS).or_else(|| find_option(&name, FLAGS))
        else {
            options.network = Some(parse_network(arg, rest.as_slice())?);
            break;
        };
        if seen.contains(&option) && !REPEATABLE.contains(&option) {
            return Err(ParseError::Repeated(option));
        }
        seen.push(option);
        if FLAGS.contains(&option) {
            if attached.is_some() {
                return Err(ParseError::Unexpected(arg.to_string_lossy().into_owned()));
            }
            match option {
                "--enable-metrics-server" => metrics_enabled = true,
                "--version" | "--crate-version" | "--package-version" | "--protocol-version" => {
                    version_requested = true;
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
                .ok_or(ParseError::MissingValue(option))?,
        };
        set_option(&mut options, option, value)?;
    }
    if version_requested {
        return Ok(Request::Version);
    }
    if metrics_enabled && options.metrics_port.is_none() {
        options.metrics_port = Some(0);
    }
    Ok(Request::Run(options))
}

fn set_option(
    options: &mut Options,
    option: &'static str,
    value: OsString,
) -> Result<(), ParseError> {
    match option {
        "--root-dir" => options.root_dir = Some(value.into()),
        "--log-output-dest" => {
            options.log_output = match value.to_str() {
                Some("stdout") => LogOutput::Stdout,
                Some("data-dir") => LogOutput::RootDir,
                _ => LogOutput::Directory(value.into()),
            };
        }
        "--ip" => options.ip = parse_value(option, &value)?,
        "--port" => options.port = parse_value(option, &value)?,
        "--metrics-server-port" => options.metrics_port = Some(parse_value(option, &value)?),
        "--rewards-address" => {
            options.rewards_address = Some(value.to_string_lossy().into_owned());
        }
        _ => {}
    }
    Ok(())
}

fn parse_value<T>(option: &'static str, value: &OsStr) -> Result<T, ParseError>
where
    T: std::str::FromStr,
    T::Err: fmt::Display,
{
    let value = value.to_string_lossy();
    value
        .parse()
        .map_err(|error: T::Err| ParseError::InvalidValue {
            option,
            value: value.clone().into_owned(),
            reason: error.to_string(),
        })
}

/// Checks a subcommand and its options. After a subcommand the parser accepts no more options of the node.
fn parse_network(arg: &OsStr, rest: &[OsString]) -> Result<String, ParseError> {
    let text = arg.to_string_lossy().into_owned();
    if text.starts_with('-') {
        return Err(ParseError::Unexpected(text));
    }
    let Some((_, options)) = NETWORKS.iter().find(|(name, _)| *name == text) else {
        return Err(ParseError::UnknownSubcommand(text));
    };
    let mut rest = rest.iter();
    while let Some(arg) = rest.next() {
        let (name, attached) = split_option(arg);
        let option = find_option(&name, options)
            .ok_or_else(|| ParseError::Unexpected(arg.to_string_lossy().into_owned()))?;
        if attached.is_none() && rest.next().is_none() {
            return Err(ParseError::MissingValue(option));
        }
    }
    Ok(text)
}

fn find_option(name: &OsStr, options: &[&'static str]) -> Option<&'static str> {
    options.iter().copied().find(|option| name == *option)
}

/// Splits `--name=value`. The value need not be UTF-8.
fn split_option(arg: &OsStr) -> (OsString, Option<OsString>) {
    use std::os::unix::ffi::OsStrExt;
    let bytes = arg.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) if bytes.starts_with(b"--") => (
            OsStr::from_bytes(&bytes[..at]).to_owned(),
            Some(OsStr::from_bytes(&bytes[at + 1..]).to_owned()),
        ),
        _ => (arg.to_owned(), None),
    }
}

/// The help text: the names of commands and options.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "A simulated antnode: accepts its arguments but joins no network.\n\nUsage: antnode [OPTIONS] [COMMAND]\n\nCommands:\n",
    );
    for (name, _) in NETWORKS {
        text += &format!("  {name}\n");
    }
    text += "\nOptions:\n";
    for option in VALUE_OPTIONS {
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

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn parse_error(line: &str) -> String {
        parse(&args(line)).unwrap_err().to_string()
    }

    fn options(line: &str) -> Options {
        match parse(&args(line)).unwrap() {
            Request::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parses_the_arguments_a_manager_passes() {
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
    fn metrics_port_is_set_only_on_request() {
        assert_eq!(options("--port 1").metrics_port, None);
        assert_eq!(options("--enable-metrics-server").metrics_port, Some(0));
        assert_eq!(options("--metrics-server-port=7").metrics_port, Some(7));
    }

    #[test]
    fn errors_name_the_argument() {
        assert_snapshot!(parse_error("--bogus"), @"unexpected argument '--bogus' found");
        assert_snapshot!(parse_error("-v"), @"unexpected argument '-v' found");
        assert_snapshot!(parse_error("blah"), @"unrecognized subcommand 'blah'");
        assert_snapshot!(parse_error("--port"), @"a value is required for '--port <PORT>' but none was supplied");
        assert_snapshot!(parse_error("--root-dir --local"), @"a value is required for '--root-dir <ROOT_DIR>' but none was supplied");
        assert_snapshot!(parse_error("--port abc"), @"invalid value 'abc' for '--port <PORT>': invalid digit found in string");
        assert_snapshot!(parse_error("--port 1 --port=2"), @"the argument '--port' cannot be used multiple times");
        assert_snapshot!(parse_error("--no-upnp=true"), @"unexpected argument '--no-upnp=true' found");
        assert_snapshot!(parse_error("evm-arbitrum-one --port 1"), @"unexpected argument '--port' found");
        assert_snapshot!(parse_error("evm-custom --rpc-url"), @"a value is required for '--rpc-url <RPC_URL>' but none was supplied");
    }

    #[test]
    fn custom_network_has_its_own_options() {
        let network = options("evm-custom --rpc-url http://x --payment-token-address=0x1").network;
        assert_eq!(network.as_deref(), Some("evm-custom"));
    }

    #[test]
    fn version_and_help_need_no_other_arguments() {
        assert_eq!(parse(&args("--version")), Ok(Request::Version));
        assert_eq!(parse(&args("--port 1 --help")), Ok(Request::Help));
    }
}
