use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wnm_core::manager::{ManagerEvent, ManagerEvents};

/// A sender and the stream of what it sends.
pub(super) fn channel() -> (UnboundedSender<ManagerEvent>, ManagerEvents) {
    let (sender, receiver) = unbounded_channel();
    (sender, Box::pin(Received(receiver)))
}

struct Received(UnboundedReceiver<ManagerEvent>);

impl Stream for Received {
    type Item = ManagerEvent;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<ManagerEvent>> {
        self.0.poll_recv(context)
    }
}
