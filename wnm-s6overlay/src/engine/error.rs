//! What the engine's refusals mean here.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bollard::errors::Error;
use wnm_core::manager::ManagerError;

use super::ENGINE;

/// The error of a call to the engine at `host`.
pub(super) fn of(host: &str, error: Error, what: &str, limit: Duration) -> ManagerError {
    let unreachable = |reason: String| ManagerError::Unreachable {
        supervisor: format!("{ENGINE} at {host}"),
        reason,
    };
    match error {
        Error::DockerResponseServerError {
            status_code: 404,
            message,
        } => ManagerError::NotFound(format!("{what}: {}", first_line(&message))),
        Error::DockerResponseServerError {
            status_code: 304, ..
        } => ManagerError::NotFound(format!("{what}: it is so already")),
        Error::DockerResponseServerError { message, .. } => ManagerError::Rejected {
            what: what.to_owned(),
            words: first_line(&message),
        },
        Error::RequestTimeoutError => ManagerError::TimedOut {
            what: what.to_owned(),
            limit,
        },
        Error::SocketNotFoundError(path) => unreachable(format!(
            "there is no socket {path}; install and start Docker, or set DOCKER_HOST"
        )),
        error => match io_cause(&error) {
            Some(io::ErrorKind::PermissionDenied) => ManagerError::NotPermitted(format!(
                "{ENGINE} at {host}; add the account to the group docker and log in again"
            )),
            _ => unreachable(cause(&error)),
        },
    }
}

/// The kind of the I/O failure at the bottom, if that is what it is.
fn io_cause(error: &Error) -> Option<io::ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

/// The words of the innermost cause: the outer ones only say that there is one.
fn cause(error: &Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words = error.to_string();
        next = error.source();
    }
    first_line(&words)
}

fn first_line(words: &str) -> String {
    words.lines().next().unwrap_or_default().trim().to_owned()
}
