//! `wnm`, the weave node manager.

use std::process::ExitCode;

fn main() -> ExitCode {
    wnm_cli::main()
}
