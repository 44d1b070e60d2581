//! What clients call themselves, each name and version stored once: many clients are of one kind. There are fewer places than there can be
//! clients: one whose name has none is served as one that did not say its name.

use crate::limits::{CLIENT_NAMES_MAX, CLIENT_TEXT_BYTES_MAX, NAME_BYTES_MAX};
use crate::pool::Pool;

/// A name or version as it is kept: at most [`CLIENT_TEXT_BYTES_MAX`] bytes, fit for one line of a
/// log.
pub(crate) type ClientText = heapless::String<CLIENT_TEXT_BYTES_MAX, u8>;

/// A name and a version, and how many clients have them.
#[derive(Debug)]
pub(crate) struct Name {
    text: ClientText,
    version: ClientText,
    clients: u32,
}

impl Name {
    /// A place with no name in it.
    pub(crate) const EMPTY: Self = Self { text: ClientText::new(), version: ClientText::new(), clients: 0 };
}

const _: () = assert!(size_of::<Name>() <= NAME_BYTES_MAX);

/// Where a client's name and version are kept. It must be let go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NameRef(u8);

impl NameRef {
    /// A client that did not say its name, or whose name has no place.
    pub(crate) const NONE: Self = Self(u8::MAX);
}

const _: () =
    assert!(CLIENT_NAMES_MAX <= NameRef::NONE.0 as usize, "a reference has 8 bits, and one that is of no name");

/// All names.
#[derive(Debug)]
pub(crate) struct Names<'m>(Pool<'m, Name>);

impl<'m> Names<'m> {
    /// No names.
    pub(crate) fn new(places: Pool<'m, Name>) -> Self {
        Self(places)
    }

    /// Keeps a client's name and version (any length and content) until it is let go, if there is a place for them.
    pub(crate) fn keep(&mut self, name: &str, version: &str) -> NameRef {
        let (name, version) = (kept_text(name), kept_text(version));
        if name.is_empty() && version.is_empty() {
            return NameRef::NONE;
        }
        let known = self.0.iter().position(|it| it.clients > 0 && it.text == name && it.version == version);
        let place = known.or_else(|| self.0.iter().position(|it| it.clients == 0)).or_else(|| self.add());
        let place = place.and_then(|place| Some((u8::try_from(place).ok()?, self.0.get_mut(place)?)));
        let Some((place, kept)) = place else { return NameRef::NONE };
        *kept = Name { text: name, version, clients: kept.clients.saturating_add(1) };
        NameRef(place)
    }

    fn add(&mut self) -> Option<usize> {
        if self.0.len() < CLIENT_NAMES_MAX { self.0.add(Name::EMPTY) } else { None }
    }

    /// A client that had this name is gone, or has another.
    pub(crate) fn let_go(&mut self, name: NameRef) {
        if let Some(kept) = self.0.get_mut(usize::from(name.0)) {
            kept.clients = kept.clients.saturating_sub(1);
        }
    }

    /// The name and the version.
    pub(crate) fn get(&self, name: NameRef) -> (&str, &str) {
        self.0.get(usize::from(name.0)).map_or(("", ""), |kept| (&kept.text, &kept.version))
    }
}

/// Shortens a client's text at a character boundary, and replaces what could break or disguise a
/// line of a log.
pub(crate) fn kept_text(text: &str) -> ClientText {
    let mut kept = ClientText::new();
    for character in text.chars() {
        let shown = if is_hidden(character) { '?' } else { character };
        if kept.push(shown).is_err() {
            break;
        }
    }
    kept
}

/// Control characters, and those that end a line or change the direction of writing without being
/// seen.
fn is_hidden(character: char) -> bool {
    let invisible = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    character.is_control() || invisible
}
