//! Where the time comes from.
//!
//! A server's own time is that in which it ran: a process that was stopped, a machine that was suspended, a tool that held the thread are no
//! reason to close on everybody whose deadline went by meanwhile, as nobody could be heard.

use rustix::time::{ClockId, clock_gettime};

use super::core::Core;
use super::tick::Tick;
use crate::http::HttpDate;
use crate::limits::{CLOCK_SET_MIN_UNIX_S, PAUSE_MIN_MS};

/// Where the time comes from.
pub(super) enum Clock {
    /// The machine's.
    Machine {
        /// What its clock showed at the start.
        start_ms: u64,
        time: OwnTime,
        tick: Tick,
        /// Milliseconds between two ticks; 0: none comes.
        every_ms: u64,
    },
    /// A test's.
    Test,
}

impl Clock {
    /// The machine's clock, from now on, with this tick, or one of its own.
    pub(super) fn machine(tick: Option<Tick>) -> Self {
        let tick = tick.unwrap_or_else(Tick::new);
        Clock::Machine { start_ms: machine_ms(), time: OwnTime::default(), tick, every_ms: 0 }
    }

    /// What time it is, in milliseconds since the start, without those in which the server did not run; `None` where a test says it.
    pub(super) fn now_ms(&mut self) -> Option<u64> {
        let Clock::Machine { start_ms, time, every_ms, .. } = self else { return None };
        Some(time.advance(machine_ms().saturating_sub(*start_ms), *every_ms))
    }
}

// What the clock shows that is never set. Not the standard library's `Instant`, whose differences are more exact than is asked, at each turn.
fn machine_ms() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1_000).saturating_add(u64::from(nanoseconds.unwrap_or(0) / 1_000_000))
}

/// The time in which the server ran, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct OwnTime {
    now_ms: u64,
    machine_ms: u64,
}

impl OwnTime {
    /// The machine's clock shows this, and is looked at `every_ms` (0: when something happens; nobody waits for anything then, and the time may
    /// pass as it likes). It never goes back, and a look that comes far too late counts as one that came in time.
    fn advance(&mut self, machine_ms: u64, every_ms: u64) -> u64 {
        let step_ms = machine_ms.saturating_sub(self.machine_ms);
        self.machine_ms = self.machine_ms.max(machine_ms);
        let paused = every_ms > 0 && step_ms > every_ms.saturating_add(PAUSE_MIN_MS);
        if paused {
            log::info!("the server did not run for {step_ms} ms");
        }
        self.now_ms = self.now_ms.saturating_add(if paused { every_ms } else { step_ms });
        self.now_ms
    }
}

/// Looks at the machine's calendar.
pub(super) fn look_at_calendar<A>(core: &Core<'_, A>) {
    // Not the standard library's `SystemTime`: that counts in 32 bits where musl once did, and panics in 2038.
    set_calendar(core, u64::try_from(clock_gettime(ClockId::Realtime).tv_sec).unwrap_or(0));
}

/// It is so many seconds after 1970.
pub(super) fn set_calendar<A>(core: &Core<'_, A>, unix_s: u64) {
    if unix_s == core.unix_s.get() {
        return;
    }
    core.unix_s.set(unix_s);
    let date = HttpDate::at(i64::try_from(unix_s).unwrap_or(i64::MAX));
    // A board without a clock starts in 1970: no date is better than a wrong one (RFC 9110, section 6.6.1).
    core.date.set((unix_s >= CLOCK_SET_MIN_UNIX_S).then_some(date));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_while_the_server_runs() {
        let mut time = OwnTime::default();
        let shown = [0, 500, 500, 1_000, 1_750].map(|machine_ms| time.advance(machine_ms, 500));
        assert_eq!(shown, [0, 500, 500, 1_000, 1_750]);
    }

    #[test]
    fn a_pause_is_not_counted_and_time_never_goes_back() {
        let day_ms = 24 * 60 * 60 * 1_000;
        let mut time = OwnTime::default();
        let shown =
            [700, 3 * day_ms, 3 * day_ms + 500, day_ms, 3 * day_ms + 400, 3 * day_ms + 600, u64::MAX, 0, u64::MAX]
                .map(|machine_ms| time.advance(machine_ms, 500));
        assert_eq!(shown, [700, 1_200, 1_700, 1_700, 1_700, 1_800, 2_300, 2_300, 2_300]);
        // Nobody waits.
        let mut time = OwnTime::default();
        let shown = [3 * day_ms, day_ms, u64::MAX, u64::MAX].map(|machine_ms| time.advance(machine_ms, 0));
        assert_eq!(shown, [3 * day_ms, 3 * day_ms, u64::MAX, u64::MAX]);
    }
}
