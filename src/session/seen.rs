//! Ids that were verified, so that the next request of the same session need not be hashed.

use core::cell::Cell;

use super::id::{ID_CHARS, IdRefusal};
use super::{Key, PrincipalId, SessionId, equal_in_constant_time};
use crate::limits::SEEN_IDS;

/// The ids that were verified last. Each is where the end of its text, which is random, says, or at the next free place: as long as one is free,
/// nothing that was seen is forgotten. From then on, those whose places are the same take turns.
pub(crate) struct Seen {
    /// The end of the text of what is there, or [`FREE`]: most of a search looks at nothing else.
    tags: [Cell<u16>; SEEN_IDS],
    entries: [Cell<Option<Entry>>; SEEN_IDS],
}

/// No text ends so.
const FREE: u16 = 0;

#[derive(Clone, Copy)]
struct Entry {
    text: [u8; ID_CHARS],
    id: SessionId,
}

impl Seen {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self { tags: [const { Cell::new(FREE) }; SEEN_IDS], entries: [const { Cell::new(None) }; SEEN_IDS] }
    }

    /// As [`SessionId::verify`], which it asks about what it has not seen. All of a text is compared, in a time that does not tell where it differs:
    /// it ends in its tag, which is a secret.
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
        let (tag, home) = (tag(text), home(text));
        for place in (home..SEEN_IDS).chain(0..home) {
            match self.tags.get(place).map_or(FREE, Cell::get) {
                FREE => return Err(place),
                other if other != tag => {}
                _ => {
                    let entry = self.entries.get(place).and_then(Cell::get);
                    if let Some(entry) = entry.filter(|entry| equal_in_constant_time(&entry.text, text)) {
                        return Ok(entry.id);
                    }
                }
            }
        }
        Err(home)
    }

    fn put(&self, place: usize, entry: Entry) {
        if let (Some(there), Some(tags)) = (self.entries.get(place), self.tags.get(place)) {
            tags.set(tag(&entry.text));
            there.set(Some(entry));
        }
    }
}

const fn tag(text: &[u8; ID_CHARS]) -> u16 {
    let [.., a, b] = *text;
    u16::from_be_bytes([a, b])
}

fn home(text: &[u8; ID_CHARS]) -> usize {
    // Of base64, the lower bits say more.
    let [.., a, b] = *text;
    (usize::from(a) << 3 ^ usize::from(b)) % SEEN_IDS
}
