//! A simulated node, for the demo and the tests.
//!
//! It takes the arguments of `antnode` 0.4, leaves the same files in its root directory, binds the same
//! ports, serves the same pages and dies of the same signals, but joins no network and needs a few MiB and
//! two threads, so that a thousand fit on a small machine. What it imitates was observed on the real 0.4.16
//! and 0.4.17.
//!
//! Its version is a line at the end of its own executable file ([`stamp`]), so one build makes any number of
//! versions, and an upgrade is what it is in life: another file in the place of the old one.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod exposition;
mod http;
mod identity;
mod lifetime;
mod node;
mod pages;
mod readings;
mod root;
mod switches;
mod trailer;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

pub use trailer::{DEFAULT_VERSION, own_version, stamp, stamped_version};

use arguments::Request;

/// `clap`'s exit code for arguments that it does not take.
const BAD_ARGUMENTS: u8 = 2;

/// Behaves as `antnode` of `version` does, and returns when the node ends by itself or was given arguments
/// it cannot run with. `args` begins with the program's name, as [`std::env::args_os`] does.
///
/// Call it before anything else in a program: it takes over signals, standard output and the exit code.
pub fn run(args: impl Iterator<Item = OsString>, version: &str) -> ExitCode {
    let words: Vec<OsString> = args.skip(1).collect();
    match arguments::parse(&words) {
        Err(refusal) => {
            node::complain(&format!(
                "error: {refusal}\n\nFor more information, try '--help'."
            ));
            ExitCode::from(BAD_ARGUMENTS)
        }
        Ok(Request::Version) => {
            node::say(&format!(
                "Autonomi Node v{version}\nNetwork version: {}\nPackage version: simulated",
                pages::PROTOCOL
            ));
            ExitCode::SUCCESS
        }
        Ok(Request::Help) => {
            node::say(&arguments::help());
            ExitCode::SUCCESS
        }
        Ok(Request::Run(options)) => match node::run(&options, &words, version) {
            Ok(never) => match never {},
            Err(end) => end.report(),
        },
    }
}

/// Whether a program was called under a node's name: its file name begins with `antnode`.
pub fn is_simulated_call(argv0: &OsStr) -> bool {
    Path::new(argv0)
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"antnode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_node_tells_it_from_the_manager() {
        for name in ["antnode", "/srv/nodes/antnode0001/antnode", "./antnode-sim"] {
            assert!(is_simulated_call(OsStr::new(name)), "{name}");
        }
        for name in ["wnm", "/srv/antnode0001/wnm", "antctl", "", "/"] {
            assert!(!is_simulated_call(OsStr::new(name)), "{name}");
        }
    }
}
