//! Where tools of the fixtures wait until a conversation lets them go, and who was dropped there is counted.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// A gate, closed but for a moment at each [`release`](Self::release).
#[derive(Default)]
pub(crate) struct Gate {
    dropped: Cell<u32>,
    releases: Cell<u32>,
    waiting: RefCell<Vec<Waker>>,
}

/// Counts, when it is dropped, who was dropped before its end.
pub(crate) struct Count<'a>(Option<&'a Cell<u32>>);

impl Gate {
    /// Waits for the next release. Who is dropped meanwhile is counted.
    pub(crate) async fn released(&self) {
        let mut count = self.count();
        let before = self.releases.get();
        poll_fn(|cx| {
            if self.releases.get() != before {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        count.0 = None;
    }

    /// Lets all go that wait.
    pub(crate) fn release(&self) {
        self.releases.set(self.releases.get() + 1);
        self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
    }

    /// Counts the drop of what it gives.
    pub(crate) fn count(&self) -> Count<'_> {
        Count(Some(&self.dropped))
    }

    /// How many were counted.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped.get()
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        if let Some(dropped) = self.0 {
            dropped.set(dropped.get() + 1);
        }
    }
}
