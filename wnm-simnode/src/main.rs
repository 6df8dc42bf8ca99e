//! The simulated node as a program of its own, which the tests stamp with the versions they need.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    wnm_simnode::run(std::env::args_os(), &wnm_simnode::own_version())
}
