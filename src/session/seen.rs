//! Ids that were verified, so that the next request of the same session need not be hashed.

use core::cell::Cell;

use super::id::{ID_CHARS, IdRefusal, RANDOM_BYTES};
use super::{Key, PrincipalId, SessionId, equal_in_constant_time};
use crate::limits::SEEN_IDS;

/// The ids that were verified last. Each is where its random part says (two characters of it, the mark), or at the next place that is free. Where none
/// is, at the next that nobody asked for since all were asked for: those of sessions that are over make room for those that are used.
pub(crate) struct Seen {
    /// The mark of what is there, or [`FREE`]: most of a search looks at nothing else, and learns nothing of the tags, which are secrets.
    marks: [Cell<u16>; SEEN_IDS],
    entries: [Cell<Option<Entry>>; SEEN_IDS],
    /// The places that were asked for, a bit each.
    asked: Cell<u64>,
}

const _: () = assert!(SEEN_IDS <= u64::BITS as usize, "each place has a bit");

/// Where the mark is: in the random part, whose bytes are 8 to 20.
const MARK_AT: usize = 24;
const _: () = assert!(MARK_AT * 3 / 4 >= 8 && (MARK_AT + 2) * 3 / 4 <= 8 + RANDOM_BYTES);

/// The mark of no text.
const FREE: u16 = 0;

#[derive(Clone, Copy)]
struct Entry {
    text: [u8; ID_CHARS],
    id: SessionId,
}

impl Seen {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self {
            marks: [const { Cell::new(FREE) }; SEEN_IDS],
            entries: [const { Cell::new(None) }; SEEN_IDS],
            asked: Cell::new(0),
        }
    }

    /// As [`SessionId::verify`], which it asks about what it has not seen. Where the mark is the same, all of the text is compared, in a time that does
    /// not tell where it differs: it ends in its tag.
    pub(crate) fn verify(
        &self,
        key: &Key,
        text: &[u8],
        principal: PrincipalId,
        now_unix_s: u64,
        max_age_s: u64,
    ) -> Result<SessionId, IdRefusal> {
        let chars: &[u8; ID_CHARS] = text.try_into().map_err(|_| IdRefusal::Malformed)?;
        let id = match self.find(chars) {
            Ok(id) if id.principal() == principal => id,
            other => {
                let id = SessionId::verify(key, text, principal, now_unix_s, u64::MAX)?;
                if let Err(place) = other {
                    self.put(place, Entry { text: *chars, id });
                }
                id
            }
        };
        if id.is_older_than(max_age_s, now_unix_s) { Err(IdRefusal::Expired) } else { Ok(id) }
    }

    /// The id of the text, or else the place for it.
    fn find(&self, text: &[u8; ID_CHARS]) -> Result<SessionId, usize> {
        let mark = mark(text);
        let home = usize::from(mark >> 5 ^ mark) % SEEN_IDS;
        for place in (home..SEEN_IDS).chain(0..home) {
            match self.marks.get(place).map_or(FREE, Cell::get) {
                FREE => return Err(place),
                other if other != mark => {}
                _ => {
                    let entry = self.entries.get(place).and_then(Cell::get);
                    if let Some(entry) = entry.filter(|entry| equal_in_constant_time(&entry.text, text)) {
                        self.asked.set(self.asked.get() | 1 << place);
                        return Ok(entry.id);
                    }
                }
            }
        }
        let asked = self.asked.get();
        Err((home..SEEN_IDS).chain(0..home).find(|place| asked & 1 << place == 0).unwrap_or(home))
    }

    fn put(&self, place: usize, entry: Entry) {
        if let (Some(there), Some(marks)) = (self.entries.get(place), self.marks.get(place)) {
            marks.set(mark(&entry.text));
            there.set(Some(entry));
            let asked = self.asked.get() | 1 << place;
            // Each has to be asked for anew.
            self.asked.set(if asked.count_ones() as usize == SEEN_IDS { 1 << place } else { asked });
        }
    }
}

const fn mark(text: &[u8; ID_CHARS]) -> u16 {
    u16::from_be_bytes([text[MARK_AT], text[MARK_AT + 1]])
}
