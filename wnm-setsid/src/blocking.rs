//! Work on files and the process table, kept off the threads that answer.

use wnm_core::manager::ManagerError;

/// Runs it on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ManagerError> + Send + 'static,
) -> Result<T, ManagerError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ManagerError::io(
            "work on another thread",
            std::io::Error::other(error),
        )),
    }
}
