//! Batches concurrent requests into one. systemd reads every unit on each reload, which takes
//! seconds with a thousand units.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, oneshot};

/// Batches calls that arrive while a run is in progress: they share the next run. That run starts
/// after the call, so it sees every change made before the call.
pub(crate) struct Batcher<I, E> {
    waiting: Mutex<Vec<Waiting<I, E>>>,
    turn: Turn<()>,
}

struct Waiting<I, E> {
    item: I,
    reply: oneshot::Sender<Result<(), E>>,
}

impl<I: Clone, E: Clone> Batcher<I, E> {
    /// Creates an empty batcher.
    pub fn new() -> Self {
        Self {
            waiting: Mutex::new(Vec::new()),
            turn: Turn::new(()),
        }
    }

    /// How many callers wait for the next run.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Runs `work` with `item` and the items of all other waiting callers. The first caller to get
    /// the turn runs it for all.
    pub async fn join<F, W>(&self, item: I, work: F) -> Result<(), E>
    where
        F: Fn(Vec<I>) -> W,
        W: Future<Output = Result<(), E>>,
    {
        loop {
            let (reply, mut receiver) = oneshot::channel();
            self.lock().push(Waiting {
                item: item.clone(),
                reply,
            });
            tokio::select! {
                biased;
                reply = &mut receiver => match reply {
                    Ok(result) => return result,
                    // The caller running the batch was cancelled, so the work counts as not done.
                    Err(_) => continue,
                },
                _turn = self.turn.lock() => {
                    let batch = std::mem::take(&mut *self.lock());
                    if batch.is_empty() {
                        // Another caller took our item after we woke up, and has sent the reply.
                        match receiver.await {
                            Ok(result) => return result,
                            Err(_) => continue,
                        }
                    }
                    let (items, listeners): (Vec<I>, Vec<_>) =
                        batch.into_iter().map(|one| (one.item, one.reply)).unzip();
                    let result = work(items).await;
                    for listener in listeners {
                        // The receiver may have been cancelled.
                        let _ = listener.send(result.clone());
                    }
                    match receiver.await {
                        Ok(result) => return result,
                        Err(_) => continue,
                    }
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<I, E>>> {
        // The list is consistent at all times, so a panic elsewhere does no harm.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
