use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Longest wait for the file system. A healthy one answers in microseconds; one whose server or disk is
/// gone never does.
pub(super) const FILE_SYSTEM_DEADLINE: Duration = Duration::from_secs(5);

/// Does blocking work beside the runtime and gives it up after `deadline`.
///
/// In a thread of its own and not in the runtime's pool: a runtime waits for its pool when it ends, and a
/// thread that hangs in a dead file system would keep the process, and the lock it holds, for ever.
pub(super) async fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("file-system".to_owned())
        .spawn(move || {
            // Nobody waits any more when the receiver is gone.
            sender.send(work()).ok();
        })?;
    match timeout(deadline, receiver).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(std::io::Error::other(
            "the thread that asked it ended early",
        )),
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_hangs_is_given_up() {
        assert_eq!(within(Duration::from_secs(5), || 7).await.unwrap(), 7);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let given_up = within(Duration::from_millis(1), move || held.recv()).await;
        assert_eq!(given_up.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        drop(release);
    }
}
