//! Who woke the engine: one bit for each thing that it polls, so that a wake-up costs what woke, and not a sweep over all.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use super::core::index32;
use crate::limits::WAKER_BYTES;

const WORD_BITS: usize = 32; // 64-bit atomics are not everywhere
/// Bytes of an `Arc` on the heap beside what is in it.
pub(super) const COUNTS_BYTES: usize = 2 * size_of::<usize>();

/// The set of bits, and the task to wake when one is set.
pub(super) struct Ready {
    words: Box<[AtomicU32]>,
    any: AtomicBool,
    /// The engine waits to be woken: only then is there more to do for who sets a bit, and most are set while it runs.
    sleeps: AtomicBool,
    parent: Mutex<Option<Waker>>,
}

impl Ready {
    /// Bytes of a waker.
    pub(super) const WAKER_BYTES: usize = size_of::<Waker>();
    /// Bytes of what it wakes, on the heap: it is counted, strongly and weakly.
    pub(super) const WOKEN_BYTES: usize = size_of::<Bits>() + COUNTS_BYTES;

    /// Bytes of the set.
    pub(super) const fn bytes(bits: usize) -> usize {
        size_of::<Self>() + COUNTS_BYTES + bits.div_ceil(WORD_BITS) * size_of::<AtomicU32>()
    }

    /// `bits` bits, none set.
    pub(super) fn new(bits: usize) -> Arc<Self> {
        let words = (0..bits.div_ceil(WORD_BITS)).map(|_| AtomicU32::new(0)).collect();
        Arc::new(Self { words, any: AtomicBool::new(false), sleeps: AtomicBool::new(false), parent: Mutex::new(None) })
    }

    /// A waker that sets these bits.
    pub(super) fn waker(self: &Arc<Self>, bits: Range<usize>) -> Waker {
        Waker::from(Arc::new(Bits { ready: self.clone(), first: index32(bits.start), count: index32(bits.len()) }))
    }

    /// Sets a bit, and wakes the engine if it sleeps.
    pub(super) fn set(&self, bit: usize) {
        self.set_in(bit / WORD_BITS, 1 << (bit % WORD_BITS));
    }

    /// Some bit was set since the last drain.
    pub(super) fn is_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The bit is set, and was not drained yet.
    pub(super) fn is_set(&self, bit: usize) -> bool {
        let word = self.words.get(bit / WORD_BITS);
        word.is_some_and(|word| word.load(Ordering::Acquire) & 1 << (bit % WORD_BITS) != 0)
    }

    /// The bit was set, and is not any more.
    pub(super) fn take(&self, bit: usize) -> bool {
        let mask = 1 << (bit % WORD_BITS);
        let word = self.words.get(bit / WORD_BITS).filter(|_| self.is_set(bit));
        word.is_some_and(|word| word.fetch_and(!mask, Ordering::AcqRel) & mask != 0)
    }

    // All of a mask at once: a locked instruction for each bit would be most of what a wake costs.
    fn set_in(&self, word: usize, mask: u32) {
        let Some(word) = self.words.get(word) else { return };
        if word.fetch_or(mask, Ordering::AcqRel) & mask != mask {
            // In one order with what `sleep` does: either this sees that it sleeps, or that sees that there is something.
            // Swapped, so that who finds it true sees all that was set before.
            self.any.swap(true, Ordering::SeqCst);
            if self.sleeps.load(Ordering::SeqCst) {
                self.rouse();
            }
        }
    }

    fn rouse(&self) {
        // Once, whoever else sets a bit: also what is called by this may.
        if self.sleeps.swap(false, Ordering::SeqCst) {
            // Who is woken may run at once, and wants to leave word again: not while it is locked.
            let parent = self.parent().clone();
            if let Some(parent) = parent {
                parent.wake();
            }
        }
    }

    /// The engine runs, whoever woke it: it need not be woken before it [sleeps](Self::sleep) again.
    pub(super) fn runs(&self) {
        self.sleeps.store(false, Ordering::Relaxed);
    }

    /// Calls `each` for the bits that are set, and unsets them. False when there were none.
    pub(super) fn drain(&self, mut each: impl FnMut(usize)) -> bool {
        // What is swapped takes twenty times as long as what is read.
        if !self.is_any() || !self.any.swap(false, Ordering::AcqRel) {
            return false;
        }
        for (at, word) in self.words.iter().enumerate() {
            if word.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let mut bits = word.swap(0, Ordering::AcqRel);
            while bits != 0 {
                each(at * WORD_BITS + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
        true
    }

    /// Leaves word where to wake the engine.
    pub(super) fn wakes(&self, waker: &Waker) {
        *self.parent() = Some(waker.clone());
    }

    /// The engine is woken by the next bit that is set, or at once if one was set since the last drain.
    pub(super) fn sleep(&self) {
        // Swapped and not stored: an emulated ARM processor (QEMU) looks at `any` before others see what was stored.
        self.sleeps.swap(true, Ordering::SeqCst);
        if self.any.load(Ordering::SeqCst) {
            self.rouse();
        }
    }

    fn parent(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.parent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Bits {
    ready: Arc<Ready>,
    first: u32,
    count: u32,
}

// With the two counters that an `Arc` has in front, and what an allocator keeps there.
const _: () = assert!(size_of::<Bits>() + 3 * size_of::<usize>() + size_of::<Waker>() <= WAKER_BYTES);

impl Bits {
    fn set(&self) {
        let (mut first, end) = (self.first as usize, self.first as usize + self.count as usize);
        while first < end {
            let count = (end - first).min(WORD_BITS - first % WORD_BITS);
            self.ready.set_in(first / WORD_BITS, u32::MAX >> (WORD_BITS - count) << (first % WORD_BITS));
            first += count;
        }
    }
}

impl Wake for Bits {
    fn wake(self: Arc<Self>) {
        self.set();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;
    use std::task::Poll;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Counts how often it was woken, and sets a bit then.
    struct Sleeper(AtomicUsize, Arc<Ready>);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            self.1.set(7);
        }
    }

    #[test]
    fn who_sleeps_is_woken_once_and_who_runs_is_not() {
        let ready = Ready::new(40);
        let sleeper = Arc::new(Sleeper(AtomicUsize::new(0), ready.clone()));
        let (waker, woken) = (Waker::from(sleeper.clone()), || sleeper.0.load(Ordering::SeqCst));
        ready.set(1);
        assert_eq!(woken(), 0);
        // A bit was set before.
        ready.wakes(&waker);
        ready.sleep();
        assert_eq!(woken(), 1);
        ready.set(2);
        assert_eq!(woken(), 1);
        assert!(ready.drain(|_| {}));
        ready.sleep();
        assert_eq!(woken(), 1);
        ready.set(3);
        ready.set(39);
        assert_eq!(woken(), 2);
        assert!(ready.drain(|_| {}));
        // It was woken by somebody else, and sets a bit while it runs.
        ready.sleep();
        ready.runs();
        ready.set(4);
        assert_eq!(woken(), 2);
        ready.sleep();
        assert_eq!(woken(), 3);
    }

    #[test]
    fn nothing_that_another_thread_sets_is_slept_through() {
        const TIMES: usize = 20_000;
        let (ready, seen) = (Ready::new(40), AtomicUsize::new(0));
        let engine = poll_fn(|cx| {
            ready.runs();
            ready.wakes(cx.waker());
            ready.drain(|_| _ = seen.fetch_add(1, Ordering::SeqCst));
            if seen.load(Ordering::SeqCst) == TIMES {
                return Poll::Ready(true);
            }
            ready.sleep();
            Poll::Pending
        });
        let late = async {
            async_io::Timer::after(Duration::from_secs(60)).await;
            // Who waits for it ends, too.
            seen.store(TIMES, Ordering::SeqCst);
            false
        };
        let in_time = thread::scope(|scope| {
            scope.spawn(|| {
                for time in 0..TIMES {
                    ready.set(time % 40);
                    // As it is seen, the other goes to sleep.
                    while seen.load(Ordering::SeqCst) <= time {
                        thread::yield_now();
                    }
                }
            });
            crate::block_on(smol::future::or(engine, late))
        });
        assert!(in_time);
    }

    #[test]
    fn each_bit_is_given_once() {
        let ready = Ready::new(100);
        let wakers: Vec<Waker> = (0..100).map(|bit| ready.waker(bit..bit + 1)).collect();
        for bit in [0, 31, 32, 99, 99] {
            wakers[bit].wake_by_ref();
        }
        let mut seen = Vec::new();
        assert!(ready.drain(|bit| seen.push(bit)));
        assert_eq!(seen, [0, 31, 32, 99]);
        assert!(!ready.drain(|_| unreachable!()));
        ready.waker(31..34).wake();
        let mut seen = Vec::new();
        assert!(ready.drain(|bit| seen.push(bit)));
        assert_eq!(seen, [31, 32, 33]);
        ready.waker(30..100).wake();
        let mut seen = Vec::new();
        assert!(ready.drain(|bit| seen.push(bit)));
        assert!(seen.into_iter().eq(30..100));
    }
}
