//! Converts errors of the engine to errors of the manager.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bollard::errors::Error;
use wnm_core::manager::ManagerError;

use super::ENGINE_NAME;

/// Converts the error of a call to the engine at `host`. `what` describes the call, `limit` is its timeout.
pub(super) fn to_manager_error(
    host: &str,
    error: Error,
    what: &str,
    limit: Duration,
) -> ManagerError {
    let unreachable = |reason: String| ManagerError::Unreachable {
        supervisor: format!("{ENGINE_NAME} at {host}"),
        reason,
    };
    match error {
        Error::DockerResponseServerError {
            status_code: 404,
            message,
        } => ManagerError::NotFound(format!("{what}: {}", first_line(&message))),
        Error::DockerResponseServerError {
            status_code: 304, ..
        } => ManagerError::NotFound(format!("{what}: already done")),
        Error::DockerResponseServerError { message, .. } => ManagerError::Rejected {
            what: what.to_owned(),
            words: first_line(&message),
        },
        Error::RequestTimeoutError => ManagerError::TimedOut {
            what: what.to_owned(),
            limit,
        },
        Error::SocketNotFoundError(path) => unreachable(format!(
            "no socket at {path}; install and start Docker, or set DOCKER_HOST"
        )),
        error => match io_error_kind(&error) {
            Some(io::ErrorKind::PermissionDenied) => ManagerError::NotPermitted(format!(
                "{ENGINE_NAME} at {host}; add the account to the group docker and log in again"
            )),
            _ => unreachable(innermost_message(&error)),
        },
    }
}

/// The kind of the I/O error in the chain of causes, if there is one.
fn io_error_kind(error: &Error) -> Option<io::ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

/// The message of the innermost cause. The outer ones add nothing to it.
fn innermost_message(error: &Error) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        message = error.to_string();
        next = error.source();
    }
    first_line(&message)
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}
