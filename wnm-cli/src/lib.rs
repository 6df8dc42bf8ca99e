//! The `wnm` program: options in, calls to `wnm-core`, text or JSON out.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cli;
mod commands;
mod demo;
mod documents;
mod error;
mod input;
mod managers;
mod output;
mod progress;
mod usage;

use std::process::ExitCode;

/// The whole program. A copy of it that was stamped as a node of `wnm demo` is that node and nothing else.
pub fn main() -> ExitCode {
    if let Some(version) = wnm_simnode::stamped_version() {
        return wnm_simnode::run(std::env::args_os(), &version);
    }
    commands::run()
}
