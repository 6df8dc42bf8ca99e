//! Writes unit files, and parses unit files from any source. See systemd.syntax(7) for the syntax
//! and systemd.service(5), "Command lines", for quoting.

mod escape;
mod file;
mod render;
mod specifiers;
mod values;

pub(crate) use escape::EscapeError;
pub(crate) use file::UnitFile;
pub(crate) use render::{MARK, SLICE, Scope, ServiceUnit, render_slice};
pub(crate) use specifiers::Specifiers;
pub(crate) use values::{parse_command, parse_environment};
