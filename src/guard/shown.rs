//! What of a peer's input may be repeated to it, and in a log.

use core::fmt;

use crate::limits::REFUSED_VALUE_CHARS_MAX;

/// The beginning of what a peer sent, made harmless: printable ASCII, fit to stand between
/// quotation marks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shown {
    text: heapless::String<REFUSED_VALUE_CHARS_MAX, u8>,
    whole: bool,
}

impl Shown {
    /// Nothing to show.
    pub(super) const EMPTY: Self = Self { text: heapless::String::new(), whole: true };

    pub(super) fn new(sent: &[u8]) -> Self {
        let mut shown = Self::EMPTY;
        for byte in sent {
            let plain = matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            let character = if plain { char::from(*byte) } else { '?' };
            if shown.text.push(character).is_err() {
                shown.whole = false;
                break;
            }
        }
        shown
    }

    /// The text, if nothing of it was cut off, and if it can be given to a shell: somebody who
    /// reads a refusal may do what it says, and who sent the request may have counted on that.
    pub(super) fn fit_for_a_command(&self) -> Option<&str> {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte);
        let fit = self.whole && !self.text.starts_with('-') && self.text.bytes().all(harmless);
        fit.then_some(self.text.as_str())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}{}\"", self.text, if self.whole { "" } else { "..." })
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
