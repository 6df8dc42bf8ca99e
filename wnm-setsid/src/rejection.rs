//! Refusals of files and of the program, in the words that managers share.

use wnm_core::files::DeleteError;
use wnm_core::manager::ManagerError;
use wnm_core::program::ProgramError;

/// A deletion that was refused or failed.
pub(crate) fn deletion(error: DeleteError) -> ManagerError {
    match error {
        DeleteError::Refused { path, reason } => ManagerError::Rejected {
            what: format!("deleting {}", path.display()),
            words: format!("refused, since {reason}"),
        },
        DeleteError::Io { path, source } => {
            ManagerError::io(format!("deleting {}", path.display()), source)
        }
    }
}

/// A program that cannot be started with what it was given.
pub(crate) fn program(what: String) -> impl FnOnce(ProgramError) -> ManagerError {
    move |error| ManagerError::Rejected {
        what,
        words: error.to_string(),
    }
}
