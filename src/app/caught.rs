//! A panic of the application's code ends where it began.

use core::fmt::{self, Write as _};
use core::future::{Future, poll_fn};
use core::mem;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::catch_unwind;

/// Runs code of the application; `None` when it panicked.
///
/// What it panicked with is dropped here, and may panic in its turn.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    let payload = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => return Some(value),
        Err(payload) => payload,
    };
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Whose drop would panic again, as far as one can tell.
        mem::forget(another);
    }
    None
}

/// A handler panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

/// Runs a handler; its panic ends there. It stays where its caller pinned it: a future that is handed on by value has a place in
/// each of those that it passes through.
pub(crate) async fn unwound<F: Future>(mut handler: Pin<&mut F>) -> Result<F::Output, Panicked> {
    poll_fn(|cx| poll_unwound(handler.as_mut(), cx)).await
}

/// Polls a handler; its panic ends there.
pub(crate) fn poll_unwound<F: Future>(handler: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Panicked>> {
    match caught(|| handler.poll(cx)) {
        Some(polled) => polled.map(Ok),
        None => Poll::Ready(Err(Panicked)),
    }
}

/// An error of the application can be shown: it does not panic when it is asked what to say.
pub(crate) fn can_be_shown(error: &impl fmt::Display) -> bool {
    caught(|| write!(Nowhere, "{error}")).is_some()
}

struct Nowhere;

impl fmt::Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(Self(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_panic_ends_here_whatever_it_was_made_with() {
        assert_eq!(caught(|| 7), Some(7));
        assert_eq!(caught(|| panic!("a text")), None::<()>);
        assert_eq!(caught(|| panic_any(7)), None::<()>);
        for fuse in 0..4 {
            assert_eq!(caught(|| panic_any(Bomb(fuse))), None::<()>);
        }
    }
}
