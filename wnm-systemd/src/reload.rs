//! One reload for many: systemd reads all units anew each time, which takes seconds at a thousand of them.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, oneshot};

/// Joins calls that arrive while one is under way: they share the next one. What a call changed before it
/// joined is seen by the run that it gets the answer of, since that run began later.
pub(crate) struct Shared<I, E> {
    waiting: Mutex<Vec<Waiting<I, E>>>,
    turn: Turn<()>,
}

struct Waiting<I, E> {
    item: I,
    told: oneshot::Sender<Result<(), E>>,
}

impl<I: Clone, E: Clone> Shared<I, E> {
    /// Nobody waits yet.
    pub fn new() -> Self {
        Self {
            waiting: Mutex::new(Vec::new()),
            turn: Turn::new(()),
        }
    }

    /// Has `work` done with `item`, together with the items of others, by whoever comes first.
    pub async fn join<F, W>(&self, item: I, work: F) -> Result<(), E>
    where
        F: Fn(Vec<I>) -> W,
        W: Future<Output = Result<(), E>>,
    {
        loop {
            let (told, mut answer) = oneshot::channel();
            self.lock().push(Waiting {
                item: item.clone(),
                told,
            });
            tokio::select! {
                biased;
                told = &mut answer => match told {
                    Ok(result) => return result,
                    // Whoever did the work was dropped in the middle of it: it counts as not done.
                    Err(_) => continue,
                },
                _turn = self.turn.lock() => {
                    let batch = std::mem::take(&mut *self.lock());
                    if batch.is_empty() {
                        // Done by another between our waking up and now, and told in that case.
                        match answer.await {
                            Ok(result) => return result,
                            Err(_) => continue,
                        }
                    }
                    let (items, listeners): (Vec<I>, Vec<_>) =
                        batch.into_iter().map(|one| (one.item, one.told)).unzip();
                    let result = work(items).await;
                    for listener in listeners {
                        // One that no longer listens needs no answer.
                        let _ = listener.send(result.clone());
                    }
                    match answer.await {
                        Ok(result) => return result,
                        Err(_) => continue,
                    }
                }
            }
        }
    }

    /// How many wait for the next one.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<I, E>>> {
        // The list is whole at every moment, whoever panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
