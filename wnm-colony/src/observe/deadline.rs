//! Gives up file system calls that hang.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest wait for the file system. A healthy one answers in microseconds; one whose server or
/// disk is gone never answers.
pub(super) const FILE_SYSTEM_DEADLINE: Duration = Duration::from_secs(5);

/// Runs blocking work in its own thread. Fails with [`TimedOut`](std::io::ErrorKind::TimedOut)
/// after `deadline`; the thread may then still run.
///
/// Does not use the runtime's thread pool, because a runtime waits for its pool when it ends. A
/// thread that hangs in a dead file system would keep the process and its lock alive forever.
pub(super) async fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("file-system".to_owned())
        .spawn(move || {
            // Fails after the deadline, when nobody waits for the result.
            sender.send(work()).ok();
        })?;
    match timeout(deadline, receiver).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(std::io::Error::other(
            "the thread that accessed the file system ended early",
        )),
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hanging_work_times_out() {
        assert_eq!(within(Duration::from_secs(5), || 7).await.unwrap(), 7);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let given_up = within(Duration::from_millis(1), move || held.recv()).await;
        assert_eq!(given_up.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        drop(release);
    }
}
