//! Slips: what makes a confirmation of 2026-07-28 good for one time only.
//!
//! A `requestState` can be sent twice: by a client that did not get the answer, or by whoever saw it pass by. So the state of a call that asks
//! its user to confirm holds a slip, which is spent when the answer is used. Slips are numbered, and a window of bits tells which of the last
//! [`SLIPS_MAX`] were spent: those before count as spent too, so that nothing has to be kept for ever, or for each client.

use core::cell::{Cell, RefCell};

use crate::json::{Value, Writer};
use crate::limits::SLIPS_MAX;

const WORDS: usize = SLIPS_MAX / u64::BITS as usize;

/// One of them: the start of the server that gave it out, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    boot: u32,
    number: u64,
}

/// All of a server.
pub(crate) struct Slips {
    boot: u32,
    /// The last one that was given out; the first is 1.
    last: Cell<u64>,
    spent: RefCell<[u64; WORDS]>,
}

impl Slips {
    /// Those of this start of the server: none yet. What an earlier start gave out, or another server with the same key, is no good here.
    pub(crate) const fn new(boot: u32) -> Self {
        Self { boot, last: Cell::new(0), spent: RefCell::new([0; WORDS]) }
    }

    /// Gives one out.
    pub(super) fn next(&self) -> Slip {
        let number = self.last.get().saturating_add(1);
        self.last.set(number);
        // Its place was that of one which is too old now.
        self.turn(number, false);
        Slip { boot: self.boot, number }
    }

    /// Spends one. False if that can't be: it was spent, or is too old, or not of this start of this server.
    pub(super) fn spend(&self, slip: Slip) -> bool {
        let age = self.last.get().checked_sub(slip.number);
        let is_known = slip.number > 0 && age.is_some_and(|age| age < SLIPS_MAX as u64);
        slip.boot == self.boot && is_known && !self.turn(slip.number, true)
    }

    // Sets the bit of a number; gives what it was.
    fn turn(&self, number: u64, spent: bool) -> bool {
        let place = usize::try_from(number % SLIPS_MAX as u64).unwrap_or_default();
        let (word, bit) = (place / u64::BITS as usize, 1_u64 << (place % u64::BITS as usize));
        let mut words = self.spent.borrow_mut();
        let Some(word) = words.get_mut(word) else { return true };
        let before = *word & bit != 0;
        *word = if spent { *word | bit } else { *word & !bit };
        before
    }
}

impl Slip {
    /// Writes it as JSON.
    pub(super) fn write(self, w: &mut Writer<'_>) {
        w.str("[").uint(u64::from(self.boot)).str(",").uint(self.number).str("]");
    }

    /// Reads it back.
    pub(super) fn read(json: Value<'_>) -> Option<Self> {
        let mut numbers = json.elements().map(Value::as_u64);
        let (boot, number) = (numbers.next()??, numbers.next()??);
        Some(Self { boot: u32::try_from(boot).ok()?, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_spent_once() {
        let slips = Slips::new(7);
        let (first, second) = (slips.next(), slips.next());
        assert!(slips.spend(second) && slips.spend(first));
        assert!(!slips.spend(first) && !slips.spend(second));
    }

    #[test]
    fn those_that_were_not_given_out_are_no_good() {
        let slips = Slips::new(7);
        for number in [0, 1, 2, u64::MAX] {
            assert!(!slips.spend(Slip { boot: 7, number }), "{number}");
        }
        let given = slips.next();
        assert!(!slips.spend(Slip { boot: 8, ..given }), "of another start");
        assert!(!slips.spend(Slip { boot: 7, number: given.number + 1 }));
        assert!(!slips.spend(Slip { boot: 7, number: 0 }));
        assert!(slips.spend(given));
    }

    #[test]
    fn the_window_slides() {
        let slips = Slips::new(7);
        let old = slips.next();
        let kept: Vec<_> = (0..SLIPS_MAX).map(|_| slips.next()).collect();
        assert!(!slips.spend(old), "it is too old");
        for slip in kept {
            assert!(slips.spend(slip) && !slips.spend(slip), "{slip:?}");
        }
        for _ in 0..3 * SLIPS_MAX {
            let slip = slips.next();
            assert!(slips.spend(slip) && !slips.spend(slip), "{slip:?}");
        }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for slip in [Slip { boot: 0, number: 0 }, Slip { boot: u32::MAX, number: u64::MAX }] {
            let mut buf = [0; 64];
            let mut w = Writer::new(&mut buf);
            slip.write(&mut w);
            let written = w.written();
            assert_eq!(Slip::read(Value::new(&buf[..written])), Some(slip));
        }
        for json in ["[]", "[1]", "{}", "null", "[1,-1]", "[4294967296,1]", "[\"1\",1]", "[1,1.5]"] {
            assert_eq!(Slip::read(Value::new(json.as_bytes())), None, "{json}");
        }
    }
}
