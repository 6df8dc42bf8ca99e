use std::io::{self, Write};

/// Prints a line to standard error.
pub(crate) fn print_error(line: &str) {
    writeln!(io::stderr(), "{line}").ok();
}
