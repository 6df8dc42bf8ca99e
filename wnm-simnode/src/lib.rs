//! A simulated node, for the demo and the tests.
//!
//! It accepts the arguments of `antnode` 0.4, writes the same files to its root directory, binds the same
//! ports, serves the same pages and exits on the same signals. It joins no network and needs only a few MiB
//! and two threads, so a small machine runs a thousand of them. The real versions 0.4.16 and 0.4.17 are the
//! model.
//!
//! Its version is a line at the end of its executable file ([`stamp`]). One build thus provides any number of
//! versions, and an upgrade replaces the executable file, as for a real node.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod exposition;
mod http;
mod identity;
mod node;
mod pages;
mod process;
mod readings;
mod root;
mod stderr;
mod switches;
mod trailer;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

pub use trailer::{DEFAULT_VERSION, own_version, stamp, stamped_version};

use arguments::Request;

/// `clap`'s exit code for invalid arguments.
const INVALID_ARGUMENTS: u8 = 2;

/// Runs as `antnode` of this `version`. Returns the exit code when the node ends by itself or cannot run with
/// these arguments. `args` starts with the program name, like [`std::env::args_os`].
///
/// Call it before anything else in a program: it takes over signals, standard output and the exit code.
pub fn run(args: impl Iterator<Item = OsString>, version: &str) -> ExitCode {
    let args: Vec<OsString> = args.skip(1).collect();
    match arguments::parse(&args) {
        Err(error) => {
            stderr::print_error(&format!(
                "error: {error}\n\nFor more information, try '--help'."
            ));
            ExitCode::from(INVALID_ARGUMENTS)
        }
        Ok(Request::Version) => {
            node::print_line(&format!(
                "Autonomi Node v{version}\nNetwork version: {}\nPackage version: simulated",
                pages::PROTOCOL
            ));
            ExitCode::SUCCESS
        }
        Ok(Request::Help) => {
            node::print_line(&arguments::help());
            ExitCode::SUCCESS
        }
        Ok(Request::Run(options)) => match node::run(&options, &args, version) {
            Ok(never) => match never {},
            Err(reason) => reason.report(),
        },
    }
}

/// Whether a program was called by the name of a node: whether its file name starts with `antnode`.
pub fn is_simulated_call(argv0: &OsStr) -> bool {
    Path::new(argv0)
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"antnode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_name_distinguishes_node_from_manager() {
        for name in ["antnode", "/srv/nodes/antnode0001/antnode", "./antnode-sim"] {
            assert!(is_simulated_call(OsStr::new(name)), "{name}");
        }
        for name in ["wnm", "/srv/antnode0001/wnm", "antctl", "", "/"] {
            assert!(!is_simulated_call(OsStr::new(name)), "{name}");
        }
    }
}
