//! What writes an answer, as what drives it sees it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What writes an answer, until it has ended. Its type is hidden: what drives it is there once, and not for each kind of answer.
pub(super) trait Handler {
    /// Goes on.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// Whether it is still there.
    fn is_there(&self) -> bool;

    /// Drops it, if it is still there.
    fn end(self: Pin<&mut Self>);
}

impl<F: Future<Output = ()>> Handler for Option<F> {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.as_pin_mut().map_or(Poll::Ready(()), |running| running.poll(cx))
    }

    fn is_there(&self) -> bool {
        self.is_some()
    }

    fn end(mut self: Pin<&mut Self>) {
        self.set(None);
    }
}
