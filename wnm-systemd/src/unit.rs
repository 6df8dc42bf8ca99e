//! Unit files: what wnm writes, and how any that it finds is read. The syntax is that of systemd.syntax(7),
//! the quoting that of systemd.service(5), "Command lines".

mod escape;
mod file;
mod render;
mod specifiers;
mod words;

pub(crate) use escape::Unwritable;
pub(crate) use file::UnitFile;
pub(crate) use render::{MARK, Reach, SLICE, ServiceUnit, slice};
pub(crate) use specifiers::Specifiers;
pub(crate) use words::{assignments, command};
