//! Maps errors of the node program to manager errors.

use wnm_core::manager::ManagerError;
use wnm_core::program::ProgramError;

/// Maps a program error to a rejection of `what`.
pub(crate) fn rejected(what: String) -> impl FnOnce(ProgramError) -> ManagerError {
    move |error| ManagerError::Rejected {
        what,
        words: error.to_string(),
    }
}
