//! What waits for a buffer, seen without reading it: how much of a request is there, and whether it frees others.

use super::conns::Sort;
use super::socket::Socket;
use crate::limits::{EVENT_BYTES_MAX, RECEIVE_BUFFER_BYTES};

/// What runs the application's code.
const CALLS: [&[u8]; 4] = [b"\"tools/call\"", b"\"resources/read\"", b"\"prompts/get\"", b"\"completion/complete\""];
/// What frees others, or is over in no time: so a client that only asks for this has a full house answered.
const FREES: [&[u8]; 5] =
    [b"\"notifications/", b"\"ping\"", b"\"server/discover\"", b"\"tasks/update\"", b"\"tasks/cancel\""];

/// Bytes that are looked at: fewer than the kernel holds for a connection, or else a longer request would never be seen to be one.
const SEEN_BYTES_MAX: usize = EVENT_BYTES_MAX;
const _: () = assert!(SEEN_BYTES_MAX <= RECEIVE_BUFFER_BYTES / 2);

/// Sorts what a connection has sent.
pub(super) fn sort(socket: &Socket, scratch: &mut [u8]) -> Sort {
    let length = scratch.len().min(SEEN_BYTES_MAX);
    let scratch = scratch.get_mut(..length).unwrap_or_default();
    let Some(seen) = socket.peek(scratch) else { return Sort::Unseen };
    if seen == 0 {
        // It has gone: its slot frees others too.
        return Sort::Frees;
    }
    let there = if seen == scratch.len() { socket.readable_bytes() } else { seen };
    sort_of(scratch.get(..seen).unwrap_or_default(), there)
}

/// Sorts a request of which this is the beginning, and so many bytes have come.
pub(super) fn sort_of(request: &[u8], there: usize) -> Sort {
    match whole(request, there) {
        Some(true) => judge(request),
        // As much as the server can wait for, without a buffer.
        _ if there > request.len() || expects(request) => Sort::Call,
        _ => Sort::Begun,
    }
}

// All of a request is there, of which this is the beginning; none where its end can't be seen.
fn whole(request: &[u8], there: usize) -> Option<bool> {
    let Some(head) = find(request, b"\r\n\r\n").map(|at| at + 4) else { return Some(false) };
    let fields = request.get(..head).unwrap_or_default();
    if field(fields, b"transfer-encoding").is_some() {
        return (there == request.len()).then(|| request.ends_with(b"\r\n0\r\n\r\n"));
    }
    let length = field(fields, b"content-length").map_or(Some(0), |value| str::from_utf8(value).ok()?.parse().ok());
    // What is wrong is refused at once.
    Some(length.is_none_or(|length: usize| there.saturating_sub(head) >= length))
}

// Its client waits for the word to send the rest.
fn expects(request: &[u8]) -> bool {
    find(request, b"\r\n\r\n").and_then(|head| field(request.get(..head + 2)?, b"expect")).is_some()
}

// The value of a field, in lower case, of a head.
fn field<'r>(head: &'r [u8], name: &[u8]) -> Option<&'r [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (known, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        known.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}

// What a whole request is.
fn judge(request: &[u8]) -> Sort {
    const METHOD: &[u8] = b"\"method\"";
    if !request.starts_with(b"POST ") {
        return if request.starts_with(b"DELETE ") { Sort::Frees } else { Sort::Light };
    }
    let mut sort = Sort::Frees;
    let mut rest = request;
    // A method that is spelled with escapes is found out when it is read.
    while let Some(at) = find(rest, METHOD) {
        rest = rest.get(at + METHOD.len()..).unwrap_or_default();
        let value = rest.trim_ascii_start().strip_prefix(b":").unwrap_or_default().trim_ascii_start();
        if CALLS.iter().any(|call| value.starts_with(call)) {
            return Sort::Call;
        }
        if !FREES.iter().any(|method| value.starts_with(method)) {
            sort = Sort::Light;
        }
    }
    sort
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
