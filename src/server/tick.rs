//! What wakes the engine now and then: a file that tells of time, so that nobody has a timer to keep.
//!
//! A timer of async-io's costs each of its turns some hundred instructions and an allocation, whether it is due or not. It stands in where
//! there is no such file: there are no more, or it can't be waited for. Either is waited for apart from the sockets, so that what these should
//! ever fail to tell of is looked at all the same.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Timer;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use smol::stream::Stream as _;

use super::waited::Waited;

/// When the next look at all deadlines is due.
pub(super) struct Tick {
    /// Tells of time.
    file: Option<Waited>,
    timer: Timer,
    every_ms: u64,
}

impl Tick {
    /// None comes yet.
    pub(super) fn new() -> Self {
        Self { file: file().ok(), timer: Timer::never(), every_ms: 0 }
    }

    /// From now on one comes each `every_ms` milliseconds; 0: none. [`heed`](Self::heed) must be called for that.
    pub(super) fn set(&mut self, every_ms: u64) {
        self.every_ms = every_ms;
        self.file = self.file.take().filter(|file| arm(file, every_ms));
        match (&self.file, every_ms) {
            (Some(_), _) => {}
            (None, 0) => self.timer = Timer::never(),
            (None, _) => self.timer.set_interval(Duration::from_millis(every_ms)),
        }
    }

    #[cfg(test)]
    pub(super) const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// It must be heeded, as somebody else waits now.
    pub(super) fn has_moved(&self) -> bool {
        self.every_ms > 0 && self.file.as_ref().is_some_and(Waited::has_moved)
    }

    /// It may have come: wakes when the next one comes.
    pub(super) fn heed(&mut self, cx: &mut Context<'_>) {
        if let Some(file) = &self.file {
            // What was told, by who waits now and by who did so before, and once more to be told again.
            for _ in 0..3 {
                // It goes on once it is read; what it says is how many there were.
                let _ = rustix::io::read(file, &mut [0_u8; size_of::<u64>()]);
                match file.poll_readable(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => break,
                }
            }
            self.file = None;
            self.set(self.every_ms);
        }
        while Pin::new(&mut self.timer).poll_next(cx).is_ready() {}
    }
}

fn file() -> io::Result<Waited> {
    let flags = TimerfdFlags::NONBLOCK.union(TimerfdFlags::CLOEXEC);
    Ok(Waited::new(timerfd_create(TimerfdClockId::Monotonic, flags)?))
}

// False where it can't be.
fn arm(file: &Waited, every_ms: u64) -> bool {
    let every = Timespec::try_from(Duration::from_millis(every_ms));
    every.is_ok_and(|every| {
        let times = Itimerspec { it_interval: every, it_value: every };
        timerfd_settime(file, TimerfdTimerFlags::empty(), &times).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Instant;

    use super::*;

    /// Waits until it has woken so often, which includes the first look.
    async fn wait(tick: &mut Tick, times: usize) {
        let mut woken = 0;
        poll_fn(|cx| {
            tick.heed(cx);
            woken += 1;
            if woken >= times { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[test]
    fn it_wakes_again_and_again() {
        let mut tick = Tick::new();
        assert!(tick.file.is_some());
        tick.set(20);
        crate::block_on(wait(&mut tick, 4));
        assert!(tick.file.is_some());
        tick.set(40);
        crate::block_on(wait(&mut tick, 3));
        assert!(tick.file.is_some());
    }

    #[test]
    fn without_a_file_it_is_a_timer() {
        let mut tick = Tick { file: None, timer: Timer::never(), every_ms: 0 };
        tick.set(20);
        let begun = Instant::now();
        crate::block_on(wait(&mut tick, 3));
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn none_comes_where_none_is_wanted() {
        for mut tick in [Tick::new(), Tick { file: None, timer: Timer::never(), every_ms: 0 }] {
            tick.set(10);
            crate::block_on(wait(&mut tick, 2));
            tick.set(0);
            let late = async {
                Timer::after(Duration::from_millis(60)).await;
                true
            };
            // One that had come before may be told of.
            let came = async {
                wait(&mut tick, 3).await;
                false
            };
            assert!(crate::block_on(smol::future::or(came, late)));
        }
    }
}
