//! Work on files, kept off the threads that answer.

use wnm_core::manager::ManagerError;

/// Runs it on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ManagerError> + Send + 'static,
) -> Result<T, ManagerError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ManagerError::io("work on another thread", std::io::Error::other(error)))?
}
