//! Refusals of the program, in the words that managers share.

use wnm_core::manager::ManagerError;
use wnm_core::program::ProgramError;

/// A program that cannot be started with what it was given.
pub(crate) fn program(what: String) -> impl FnOnce(ProgramError) -> ManagerError {
    move |error| ManagerError::Rejected {
        what,
        words: error.to_string(),
    }
}
