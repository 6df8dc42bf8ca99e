//! What antctl is told about a new service. Pure.

use std::ffi::OsString;
use std::path::Path;

use semver::Version;
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::manager::{ManagerContext, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;

/// The arguments of `antctl add` for a node. The network is the last, since antctl reads what follows it as options
/// of the network.
pub(crate) fn add(
    kind: ManagerKind,
    context: &ManagerContext,
    node: &Node,
    binary: &NodeBinary,
) -> Result<Vec<OsString>, ManagerError> {
    let refused = |words: String| ManagerError::Rejected {
        what: format!("adding node {}", node.id),
        words,
    };
    let mut args: Vec<OsString> = source(context, binary);
    if kind.mode() != Mode::Zen {
        // Both are prefixes: antctl makes a directory for the service in each.
        for (option, path) in [
            ("--data-dir-path", context.paths.node_dir(node.id)),
            ("--log-dir-path", context.paths.log_dir(node.id)),
        ] {
            check_path(&path).map_err(refused)?;
            args.extend([option.into(), path.into()]);
        }
        for option in ["--max-log-files", "--max-archived-log-files"] {
            args.extend([option.into(), "1".into()]);
        }
    }
    if let Some(name) = binary.path.file_name() {
        check_path(Path::new(name)).map_err(refused)?;
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
    for (key, value) in environment.map_err(|error| refused(error.to_string()))? {
        let mut pair = key;
        pair.push("=");
        pair.push(value);
        check_variable(&pair).map_err(refused)?;
        args.extend(["--env".into(), pair]);
    }
    args.extend(own_words(context).map_err(refused)?);
    let Some(wallet) = node.wallet else {
        return Err(refused("it has no rewards address".to_owned()));
    };
    args.extend(["--rewards-address".into(), wallet.to_string().into()]);
    args.push(node.network.clone().into());
    Ok(args)
}

/// Where antctl has the node program from. Without a word about it antctl fetches the newest program that has the
/// name of antnode's crate, which is another one by now.
fn source(context: &ManagerContext, binary: &NodeBinary) -> Vec<OsString> {
    match fetched(context, binary) {
        Some(version) => vec!["--version".into(), version.to_string().into()],
        None => vec!["--path".into(), binary.path.clone().into()],
    }
}

/// The version that antctl has to fetch, if `--antctl-version` names another one than the program that is there.
pub(crate) fn fetched(context: &ManagerContext, binary: &NodeBinary) -> Option<Version> {
    let named = context.machine.antctl_version.as_deref()?;
    let version = Version::parse(named).ok()?;
    (version != binary.version).then_some(version)
}

/// Further arguments from the settings. antctl knows many of antnode's by the same names; what it does not know it
/// refuses.
fn own_words(context: &ManagerContext) -> Result<Vec<OsString>, String> {
    let Some(words) = &context.launch.start_args else {
        return Ok(Vec::new());
    };
    let words = shlex::split(words)
        .ok_or_else(|| format!("start_args '{words}': has a quote that is not closed"))?;
    Ok(words.into_iter().map(OsString::from).collect())
}

/// antctl writes paths into its units without quotes, where systemd takes them apart at blanks and replaces `%` and
/// `$`.
fn check_path(path: &Path) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || "/._-+@:,=~".contains(c);
    match path.to_str() {
        Some(text) if text.chars().all(fits) => Ok(()),
        _ => Err(format!(
            "antctl cannot handle the path '{}': it may have letters, digits and / . _ - + @ : , = ~ only",
            path.display()
        )),
    }
}

/// Variables stand between quotes in the unit.
fn check_variable(pair: &OsString) -> Result<(), String> {
    let bad = |c: char| c.is_control() || "\"\\%".contains(c);
    match pair.to_str() {
        Some(text) if !text.contains(bad) => Ok(()),
        _ => Err(format!(
            "antctl cannot hand on the variable {}: it may have no quote, backslash or percent sign",
            pair.display()
        )),
    }
}
