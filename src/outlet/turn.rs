//! A handler's turn.

use core::task::{Context, Poll};

use crate::limits::TURN_STEPS;

/// How many steps a handler made without giving way.
#[derive(Debug, Default)]
pub(crate) struct Turn(u8);

impl Turn {
    /// One more step; the handler gives way before the one that is too much, and goes on at once when others had their turn.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.0 >= TURN_STEPS {
            self.0 = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.0 += 1;
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use core::task::Waker;

    use super::*;

    #[test]
    fn it_is_over_now_and_then() {
        let mut turn = Turn::default();
        let cx = Context::from_waker(Waker::noop());
        let ready = (0..1_000).filter(|_| turn.poll(&cx).is_ready()).count();
        assert_eq!(ready, 1_000 - 1_000 / (usize::from(TURN_STEPS) + 1));
    }
}
