use wnm_core::manager::ManagerError;

/// Runs work that waits for the disk or the kernel on a thread of its own, off the threads that answer.
pub async fn blocking<T: Send + 'static>(
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
