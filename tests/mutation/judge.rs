//! What a connection sent and what it received, held against each other.

use super::answers::{self, Response};
use super::framing::{self, End, Reading};

/// A connection, as it ended or as it is now.
pub(crate) struct Talk<'a> {
    pub(crate) sent: &'a [u8],
    pub(crate) received: &'a [u8],
    /// The server ended its direction.
    pub(crate) closed: bool,
    /// The client broke off or closed its direction: what came may be less than all.
    pub(crate) gone: bool,
}

/// What the judge found.
pub(crate) struct Verdict {
    pub(crate) responses: Vec<Response>,
    pub(crate) reading: Reading,
}

impl Talk<'_> {
    /// Reads both directions.
    ///
    /// # Errors
    /// What can't be.
    pub(crate) fn judge(&self) -> Result<Verdict, String> {
        let closed = self.closed || self.gone;
        let responses = answers::read(self.received, self.sent, closed)?;
        let reading = framing::read(self.sent);
        let answered = responses.len();
        // One more where the last was refused for its beginning.
        if answered > reading.requests + usize::from(reading.end != End::Nothing) {
            return Err("answers to nothing".into());
        }
        let waits = answered < reading.requests || responses.last().is_some_and(|last| !last.whole);
        if reading.end == End::Doubt && !waits && !closed {
            return Err("in doubt, and not closed".into());
        }
        let refused = responses.last().is_none_or(|last| last.closes);
        if answered > reading.requests && !refused && !self.gone {
            return Err("half a request was answered as if it were whole".into());
        }
        Ok(Verdict { responses, reading })
    }
}

/// Both directions, to be read by people.
pub(crate) fn shown(sent: &[u8], received: &[u8]) -> String {
    format!("--- sent\n{}\n--- received\n{}\n", sent.escape_ascii(), received.escape_ascii())
}
