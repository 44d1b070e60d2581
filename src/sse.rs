//! Framing of an event stream (WHATWG HTML, 9.2.6): the lines around the JSON, never the JSON itself.
//!
//! An event is `event: message`, maybe `id:`, one `data:` line, and an empty line; without the empty line every client
//! waits for ever. Lines end in LF. The data is JSON as the bounded writer makes it, in which no raw CR or LF can be.

/// The type of the stream, for `Content-Type`.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// What comes before the JSON of a message.
pub(crate) const MESSAGE: &[u8] = b"event: message\ndata: ";

/// What comes before the URI in the first event of a 2024-11-05 stream.
pub(crate) const ENDPOINT: &[u8] = b"event: endpoint\ndata: ";

/// What comes before the data of an event whose `event:` line was left out or written before.
pub(crate) const DATA: &[u8] = b"data: ";

/// What comes behind the data of an event: the end of its line, and the empty line that dispatches it.
pub(crate) const END: &[u8] = b"\n\n";

/// An event with no data behind an `id:` line: it sets the client's last event id, and tells it nothing else
/// (MCP 2025-11-25, streamable HTTP: the priming event).
pub(crate) const EMPTY_DATA: &[u8] = b"data: \n\n";

/// The first bytes of a stream: some proxies hold the response's head back until there is a body.
pub(crate) const OPENED: &[u8] = b": ok\n\n";

/// What is said while there is nothing to say, so that no proxy or client takes the stream for dead.
pub(crate) const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Bytes of the longest `retry:` line.
pub(crate) const RETRY_LINE_BYTES: usize = "retry: 4294967295\n".len();

/// Writes `id: ...` and returns its length.
///
/// None when it does not fit, or for an id that a client would cut or ignore: one with CR, LF or NUL, or with a space
/// at its front, which the client strips.
pub(crate) fn id_line(id: &[u8], out: &mut [u8]) -> Option<usize> {
    if id.starts_with(b" ") || id.contains(&0) {
        return None;
    }
    line(b"id: ", id, out)
}

/// Writes `event: ...` and returns its length. None when it does not fit, or for a name with CR, LF or NUL.
pub(crate) fn event_line(name: &[u8], out: &mut [u8]) -> Option<usize> {
    if name.contains(&0) {
        return None;
    }
    line(b"event: ", name, out)
}

/// Writes `: ...`, a comment, with an empty line behind it, and returns its length. None when it does not fit, or for
/// a text with CR or LF.
pub(crate) fn comment(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = line(b": ", text, out)?;
    *out.get_mut(len)? = b'\n';
    Some(len + 1)
}

/// Writes `retry: ...`, the milliseconds after which a client that lost the stream comes back, and returns its length.
/// None when it does not fit.
pub(crate) fn retry_line(milliseconds: u32, out: &mut [u8]) -> Option<usize> {
    let mut digits = [b'0'; 10]; // u32::MAX has 10
    let (mut value, mut used) = (milliseconds, 0);
    for place in digits.iter_mut().rev() {
        // A remainder of ten fits a byte.
        *place = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    line(b"retry: ", digits.get(digits.len() - used..)?, out)
}

/// Whether bytes can be the value of one line: no CR and no LF.
pub(crate) fn is_one_line(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
}

/// Writes one line.
fn line(field: &[u8], value: &[u8], out: &mut [u8]) -> Option<usize> {
    if !is_one_line(value) {
        return None;
    }
    let value_end = field.len().checked_add(value.len())?;
    let line = out.get_mut(..value_end.checked_add(1)?)?;
    // The line is exactly as long as its three parts.
    let (start, rest) = line.split_at_mut(field.len());
    start.copy_from_slice(field);
    let (text, end) = rest.split_at_mut(value.len());
    text.copy_from_slice(value);
    end.copy_from_slice(b"\n");
    Some(value_end + 1)
}

#[cfg(test)]
mod tests;
