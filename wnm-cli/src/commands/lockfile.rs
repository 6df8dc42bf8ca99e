//! `--remove-lockfile`: clears what a Python wnm left behind.

use wnm_colony::takeover::python;
use wnm_colony::{ColonyError, python_lock_of};

use super::Context;
use crate::documents::Message;
use crate::error::ProgramError;

/// Deletes the lock file of the Python wnm. Ours needs no clearing: it ends with the process that holds it.
pub fn remove(context: &Context) -> Result<(), ProgramError> {
    let kind = context
        .input
        .process_manager()
        .unwrap_or_else(|| crate::managers::proposed(context.environment.managers()));
    let path =
        python_lock_of(kind.mode(), context.environment.home_dir()).map_err(ColonyError::from)?;
    if let Some(process) = python::running(&path) {
        return Err(ProgramError::Usage(format!(
            "the Python wnm is at work (process {process}), so its lock {} stays; wait for its end",
            path.display()
        )));
    }
    let text = match std::fs::remove_file(&path) {
        Ok(()) => format!("deleted {}", path.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no {}", path.display())
        }
        Err(error) => {
            return Err(ProgramError::Input {
                path: path.display().to_string(),
                reason: error.to_string(),
            });
        }
    };
    let document = Message {
        status: "lockfile-removed",
        message: &text,
    };
    Ok(context.output.outcome(&text, &document)?)
}
