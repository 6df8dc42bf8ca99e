//! The simulated node as a separate program. The tests stamp it with the versions they need.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    wnm_simnode::run(std::env::args_os(), &wnm_simnode::own_version())
}
