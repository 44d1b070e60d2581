//! Framing of an event stream (WHATWG HTML, 9.2.6): the lines around the JSON, never the JSON itself.
//!
//! An event is `event: message`, one `data:` line, and an empty line; without the empty line every client
//! waits for ever. Lines end in LF. The data is JSON as the bounded writer makes it, in which no raw CR or LF can be.

mod id;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_id;

pub(crate) use id::{END as END_OF_CALL, EventId, Place, RequestTail};

use core::fmt::Write;

/// What comes before the JSON of a message.
pub(crate) const MESSAGE: &[u8] = b"event: message\ndata: ";

/// What comes before the URI in the first event of a 2024-11-05 stream.
pub(crate) const ENDPOINT: &[u8] = b"event: endpoint\ndata: ";

/// What comes behind the data of an event: the end of its line, and the empty line that dispatches it.
pub(crate) const END: &[u8] = b"\n\n";

/// The first bytes of a stream: some proxies hold the response's head back until there is a body.
pub(crate) const OPENED: &[u8] = b": ok\n\n";

/// What is said while there is nothing to say, so that no proxy or client takes the stream for dead.
pub(crate) const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// The line with an event's id.
pub(crate) fn write_id(w: &mut impl Write, id: &EventId) {
    // What the writers here do not take, they count.
    let _ = writeln!(w, "id: {id}");
}

/// Primes a client of 2025-11-25 to come back: an event with an id and without data, and after how many milliseconds to.
pub(crate) fn write_priming(w: &mut impl Write, id: &EventId, retry_ms: u32) {
    let _ = write!(w, "id: {id}\nretry: {retry_ms}\ndata:\n\n");
}
