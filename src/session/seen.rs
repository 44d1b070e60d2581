//! Ids that were verified, so that the next request of the same session need not be hashed.

use core::cell::Cell;

use super::id::{ID_CHARS, IdRefusal};
use super::{Key, PrincipalId, SessionId, equal_in_constant_time};
use crate::limits::SEEN_IDS;

/// The ids that were verified last. An id is found by the end of its text, which is random: two whose places are the same take turns.
pub(crate) struct Seen([Cell<Option<Entry>>; SEEN_IDS]);

#[derive(Clone, Copy)]
struct Entry {
    text: [u8; ID_CHARS],
    id: SessionId,
}

impl Seen {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self([const { Cell::new(None) }; SEEN_IDS])
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
        let place = self.place(chars);
        let entry = place.and_then(Cell::get).filter(|entry| equal_in_constant_time(&entry.text, chars));
        let id = match entry {
            Some(Entry { id, .. }) if id.principal() == principal => id,
            _ => SessionId::verify(key, text, principal, now_unix_s, u64::MAX)?,
        };
        if let Some(place) = place {
            place.set(Some(Entry { text: *chars, id }));
        }
        if id.is_older_than(max_age_s, now_unix_s) { Err(IdRefusal::Expired) } else { Ok(id) }
    }

    fn place(&self, text: &[u8; ID_CHARS]) -> Option<&Cell<Option<Entry>>> {
        // Of base64, the lower bits say more.
        let [.., a, b] = *text;
        self.0.get((usize::from(a) << 3 ^ usize::from(b)) % SEEN_IDS)
    }
}
