//! Slips: what makes a confirmation of 2026-07-28 good for one time only.
//!
//! A `requestState` can be sent twice: by a client that did not get the answer, or by whoever saw it pass by. So the state of a call that asks
//! its user to confirm holds a slip, which is spent when the answer is used. Each principal's slips are numbered, and a window of bits tells which
//! of its last [`SLIPS_MAX`] were spent: those before count as spent too, so that nothing has to be kept for ever. One who asks without end moves
//! no window but its own.

use core::cell::RefCell;

use crate::json::{Value, Writer};
use crate::limits::{SLIP_HOLDERS_MAX, SLIPS_MAX};
use crate::session::PrincipalId;

/// One of them: the start of the server that gave it out, and its number among its holder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    boot: u32,
    number: u64,
}

/// All of a server.
pub(crate) struct Slips {
    boot: u32,
    books: RefCell<[Book; SLIP_HOLDERS_MAX]>,
}

/// Those of one principal.
#[derive(Clone, Copy)]
struct Book {
    holder: PrincipalId,
    /// The last one that was given out; before the first, 0.
    last: u64,
    /// Which of the last were spent; the lowest bit is that of `last`.
    spent: u64,
    /// How many times a slip had been given out, by all books together, when one was by this.
    since: u64,
}

impl Slips {
    /// Those of this start of the server: none yet. What an earlier start gave out, or another server with the same key, is no good here.
    pub(crate) const fn new(boot: u32) -> Self {
        let none = Book { holder: PrincipalId::ANYONE, last: 0, spent: 0, since: 0 };
        Self { boot, books: RefCell::new([none; SLIP_HOLDERS_MAX]) }
    }

    /// Gives one out. Where all books are taken, a new holder gets that of the one who was not given any for longest, whose slips are void then.
    pub(super) fn next(&self, holder: PrincipalId) -> Slip {
        let mut books = self.books.borrow_mut();
        let since = books.iter().map(|book| book.since).max().unwrap_or_default().saturating_add(1);
        // Beyond all numbers, so that none that this holder had, in whichever book, can be mistaken for one of this.
        let unused = books.iter().map(|book| book.last).max().unwrap_or_default().saturating_add(SLIPS_MAX);
        let known = books.iter().position(|book| book.since > 0 && book.holder == holder);
        let oldest = || books.iter().enumerate().min_by_key(|(_, book)| book.since).map_or(0, |(at, _)| at);
        let at = known.unwrap_or_else(oldest);
        // There is one at each place.
        let Some(book) = books.get_mut(at) else { return Slip { boot: self.boot, number: 0 } };
        if known.is_none() {
            *book = Book { holder, last: unused, spent: u64::MAX, since };
        }
        book.last = book.last.saturating_add(1);
        book.spent <<= 1;
        book.since = since;
        Slip { boot: self.boot, number: book.last }
    }

    /// Spends one. False if that can't be: it was spent, or is too old, or not of this holder, or not of this start of this server.
    pub(super) fn spend(&self, slip: Slip, holder: PrincipalId) -> bool {
        let mut books = self.books.borrow_mut();
        let Some(book) = books.iter_mut().find(|book| book.since > 0 && book.holder == holder) else { return false };
        let age = book.last.checked_sub(slip.number).filter(|age| *age < SLIPS_MAX && slip.boot == self.boot);
        let bit = age.map_or(0, |age| 1_u64 << age);
        let is_good = bit & !book.spent != 0;
        book.spent |= bit;
        is_good
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

    fn holder(of: u8) -> PrincipalId {
        PrincipalId::of_token_hash(&[of; 32])
    }

    const ANA: PrincipalId = PrincipalId::ANYONE;

    #[test]
    fn each_is_spent_once() {
        let slips = Slips::new(7);
        let (first, second) = (slips.next(ANA), slips.next(ANA));
        assert!(slips.spend(second, ANA) && slips.spend(first, ANA));
        assert!(!slips.spend(first, ANA) && !slips.spend(second, ANA));
    }

    #[test]
    fn those_that_were_not_given_out_are_no_good() {
        let slips = Slips::new(7);
        for number in [0, 1, 2, u64::MAX] {
            assert!(!slips.spend(Slip { boot: 7, number }, ANA), "{number}");
        }
        let given = slips.next(ANA);
        assert!(!slips.spend(Slip { boot: 8, ..given }, ANA), "of another start");
        for number in [0, given.number - 1, given.number + 1] {
            assert!(!slips.spend(Slip { boot: 7, number }, ANA));
        }
        assert!(!slips.spend(given, holder(1)));
        assert!(slips.spend(given, ANA));
    }

    #[test]
    fn the_window_slides() {
        let slips = Slips::new(7);
        let old = slips.next(ANA);
        let kept: Vec<_> = (0..SLIPS_MAX).map(|_| slips.next(ANA)).collect();
        assert!(!slips.spend(old, ANA), "it is too old");
        for slip in kept {
            assert!(slips.spend(slip, ANA) && !slips.spend(slip, ANA), "{slip:?}");
        }
        for _ in 0..3 * SLIPS_MAX {
            let slip = slips.next(ANA);
            assert!(slips.spend(slip, ANA) && !slips.spend(slip, ANA), "{slip:?}");
        }
    }

    #[test]
    fn one_who_asks_without_end_keeps_nobody_from_confirming() {
        let slips = Slips::new(7);
        let asked = slips.next(ANA);
        (0..10 * SLIPS_MAX).for_each(|_| _ = slips.next(holder(1)));
        assert!(slips.spend(asked, ANA) && !slips.spend(asked, ANA));
    }

    #[test]
    fn who_comes_back_after_many_others_has_new_ones() {
        let slips = Slips::new(7);
        let mut had = Vec::new();
        for round in 0..3 {
            for _ in 0..(SLIPS_MAX >> round) {
                let slip = slips.next(ANA);
                assert!(!had.contains(&slip));
                had.push(slip);
                assert!(slips.spend(slip, ANA));
            }
            let others = u8::try_from(SLIP_HOLDERS_MAX).unwrap();
            (1..=others).for_each(|other| _ = (slips.next(holder(other)), slips.next(holder(other))));
            assert!(had.iter().all(|slip| !slips.spend(*slip, ANA)));
            had.push(slips.next(ANA));
            assert!(had.iter().filter(|slip| slips.spend(**slip, ANA)).count() == 1, "the new one");
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
