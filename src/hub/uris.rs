//! The URIs that somebody is subscribed to, each once: subscribers keep a bit for each.

use crate::limits::{SUBSCRIBED_URI_BYTES_MAX, SUBSCRIBED_URIS_MAX};
use crate::pool::Pool;

/// A place for a URI.
pub(crate) struct Uri {
    text: heapless::String<SUBSCRIBED_URI_BYTES_MAX>,
    /// Where its latest event begins in the ring.
    latest: Option<u64>,
    /// Since then a stream that heard of it was closed: its client may come back, and ask for what it missed.
    left: bool,
}

impl Uri {
    /// A free place.
    pub(crate) const EMPTY: Self = Self { text: heapless::String::new(), latest: None, left: false };
}

/// A set of URIs, by their places.
pub(crate) type UriSet = u64;

const _: () = assert!(SUBSCRIBED_URIS_MAX <= UriSet::BITS as usize, "one bit for each URI");

/// The table over lent places. A place is free when nobody has its bit: who is subscribed is asked when one is needed, so there is
/// nothing to count, and nothing to forget.
pub(crate) struct Uris<'m> {
    places: Pool<'m, Uri>,
}

/// All places are taken, or the URI is too long for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// [`SUBSCRIBED_URIS_MAX`] others have subscribers.
    Full,
    /// It has more than [`SUBSCRIBED_URI_BYTES_MAX`] bytes.
    Long,
}

impl<'m> Uris<'m> {
    /// An empty table.
    pub(crate) fn new(places: impl Into<Pool<'m, Uri>>) -> Self {
        Self { places: places.into() }
    }

    /// The place of a URI, or a free one that becomes its own; `used` are those that somebody is subscribed to.
    pub(crate) fn intern(&mut self, uri: &str, used: UriSet) -> Result<usize, NoPlace> {
        if let Some(place) = self.find(uri) {
            return Ok(place);
        }
        let text = uri.try_into().map_err(|_| NoPlace::Long)?;
        let uri = Uri { text, latest: None, left: false };
        let places = self.places.iter_mut().enumerate().take(SUBSCRIBED_URIS_MAX);
        if let Some((at, place)) = places.into_iter().find(|(at, _)| used & bit(*at) == 0) {
            *place = uri;
            return Ok(at);
        }
        // A set has no bit for more, though there may be room.
        if self.places.len() >= SUBSCRIBED_URIS_MAX {
            return Err(NoPlace::Full);
        }
        self.places.add(uri).ok_or(NoPlace::Full)
    }

    /// The place of a URI that was subscribed to.
    pub(crate) fn find(&self, uri: &str) -> Option<usize> {
        self.places.iter().position(|place| place.text == uri && !uri.is_empty())
    }

    /// The URIs of a set.
    pub(crate) fn of(&self, set: UriSet) -> impl Iterator<Item = &str> {
        self.places(set).map(|(_, uri)| uri)
    }

    /// The same, each with its place.
    pub(crate) fn places(&self, set: UriSet) -> impl Iterator<Item = (usize, &str)> {
        let places = self.places.iter().enumerate().filter(move |(at, _)| set & bit(*at) != 0);
        places.map(|(at, place)| (at, place.text.as_str()))
    }

    /// Where the latest event of a URI begins in the ring.
    pub(crate) fn latest(&self, place: usize) -> Option<u64> {
        self.places.get(place)?.latest
    }

    pub(super) fn set_latest(&mut self, place: usize, position: u64) {
        if let Some(place) = self.places.get_mut(place) {
            place.latest = Some(position);
            place.left = false;
        }
    }

    /// A stream that heard of these was closed.
    pub(crate) fn leave(&mut self, set: UriSet) {
        let places = self.places.iter_mut().enumerate().filter(|(at, _)| set & bit(*at) != 0);
        places.for_each(|(_, place)| place.left = true);
    }

    /// A stream that heard of a URI was closed since its latest event.
    pub(crate) fn was_left(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|place| place.left)
    }
}

/// The set with this URI alone.
pub(crate) fn bit(place: usize) -> UriSet {
    u32::try_from(place).ok().and_then(|place| UriSet::checked_shl(1, place)).unwrap_or(0)
}
