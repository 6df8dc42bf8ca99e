//! The arguments that describe a new service to antctl. Pure.

use std::ffi::OsString;
use std::path::Path;

use semver::Version;
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::manager::{ManagerContext, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;

/// The arguments of `antctl add` for a node. The network comes last: antctl reads whatever follows as options
/// of the network.
pub(crate) fn add(
    kind: &ManagerKind,
    context: &ManagerContext,
    node: &Node,
    binary: &NodeBinary,
) -> Result<Vec<OsString>, ManagerError> {
    let rejected = |words: String| ManagerError::Rejected {
        what: format!("adding node {}", node.id),
        words,
    };
    let mut args: Vec<OsString> = program_source(context, binary);
    if kind.mode() != Mode::Zen {
        // Both paths are parents: antctl creates a directory for the service in each.
        for (option, path) in [
            ("--data-dir-path", context.paths.node_dir(node.id)),
            ("--log-dir-path", context.paths.log_dir(node.id)),
        ] {
            check_path(&path).map_err(rejected)?;
            args.extend([option.into(), path.into()]);
        }
        for option in ["--max-log-files", "--max-archived-log-files"] {
            args.extend([option.into(), "1".into()]);
        }
    }
    if let Some(name) = binary.path.file_name() {
        check_path(Path::new(name)).map_err(rejected)?;
    }
    let ports = [
        ("--node-port", Some(node.ports.node)),
        ("--metrics-port", node.ports.metrics),
        ("--rpc-port", node.ports.rpc),
    ];
    for (option, port) in ports {
        if let Some(port) = port {
            args.extend([option.into(), port.to_string().into()]);
        }
    }
    if kind.mode() == Mode::Sudo {
        args.extend(["--user".into(), context.owner.clone().into()]);
    }
    if context.launch.no_upnp {
        args.push("--no-upnp".into());
    }
    let environment = context.program.environment(node, &context.launch);
    for (key, value) in environment.map_err(|error| rejected(error.to_string()))? {
        let mut pair = key;
        pair.push("=");
        pair.push(value);
        check_variable(&pair).map_err(rejected)?;
        args.extend(["--env".into(), pair]);
    }
    args.extend(extra_arguments(context).map_err(rejected)?);
    let Some(wallet) = node.wallet else {
        return Err(rejected("it has no rewards address".to_owned()));
    };
    args.extend(["--rewards-address".into(), wallet.to_string().into()]);
    args.push(node.network.clone().into());
    Ok(args)
}

/// Tells antctl where to get the node program. Without this option it would fetch the newest release of
/// antnode's crate, which by now is a different program.
fn program_source(context: &ManagerContext, binary: &NodeBinary) -> Vec<OsString> {
    match version_to_fetch(context, binary) {
        Some(version) => vec!["--version".into(), version.to_string().into()],
        None => vec!["--path".into(), binary.path.clone().into()],
    }
}

/// The version that antctl must fetch, if `--antctl-version` differs from the program at `--antnode-path`.
pub(crate) fn version_to_fetch(context: &ManagerContext, binary: &NodeBinary) -> Option<Version> {
    let wanted = context.machine.antctl_version.as_deref()?;
    let version = Version::parse(wanted).ok()?;
    (version != binary.version).then_some(version)
}

/// Additional arguments from the settings. antctl accepts many of antnode's options by the same names and
/// rejects those it does not know.
fn extra_arguments(context: &ManagerContext) -> Result<Vec<OsString>, String> {
    let Some(text) = &context.launch.start_args else {
        return Ok(Vec::new());
    };
    let args = shlex::split(text)
        .ok_or_else(|| format!("start_args '{text}': has a quote that is not closed"))?;
    Ok(args.into_iter().map(OsString::from).collect())
}

/// antctl writes paths into its units without quotes, and systemd splits them at blanks and expands `%` and
/// `$`.
fn check_path(path: &Path) -> Result<(), String> {
    let is_allowed = |c: char| c.is_alphanumeric() || "/._-+@:,=~".contains(c);
    match path.to_str() {
        Some(text) if text.chars().all(is_allowed) => Ok(()),
        _ => Err(format!(
            "antctl cannot handle the path '{}': it may contain only letters, digits and / . _ - + @ : , = ~",
            path.display()
        )),
    }
}

/// antctl puts variables in quotes in the unit.
fn check_variable(pair: &OsString) -> Result<(), String> {
    let is_forbidden = |c: char| c.is_control() || "\"\\%".contains(c);
    match pair.to_str() {
        Some(text) if !text.contains(is_forbidden) => Ok(()),
        _ => Err(format!(
            "antctl cannot pass on the variable {}: it must not contain a quote, backslash or percent sign",
            pair.display()
        )),
    }
}
