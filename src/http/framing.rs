//! How long the body of a request is, and whether that is certain (RFC 9112, 6).

use super::decode::Limits;
use super::index::Head;
use super::kept::{REQUEST_LINE, bits};
use super::known::Known;
use super::refusal::Refusal;
use super::request::Request;

/// How the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// After this many bytes; 0 when there is no body.
    Length(usize),
    /// With the last chunk.
    Chunked,
}

/// What the framing is told from, and what of that makes the `Host` right.
const FRAMING: u32 = HOST | EXPECT | bits(&[Known::ContentLength, Known::TransferEncoding]);
const HOST: u32 = REQUEST_LINE | bits(&[Known::Host]);
const EXPECT: u32 = bits(&[Known::Expect]);

/// Judges a whole head, before anything of the body is waited for, and tells it how the body ends. `room` is what the buffer has behind the head.
///
/// # Errors
/// Any doubt about the framing; a body that is declared larger than the limit or the room.
pub(super) fn frame(head: &mut Head, text: &[u8], room: usize, limits: &Limits) -> Result<(), Refusal> {
    let has_room = match head.told.framing {
        BodyFraming::Length(length) => length <= limits.body_bytes_max.min(room),
        BodyFraming::Chunked => room > 0,
    };
    // The last head was right.
    if !has_room || head.has_changed(FRAMING) {
        head.told.framing = assess(head, text, room, limits)?;
    }
    Ok(())
}

fn assess(head: &Head, text: &[u8], room: usize, limits: &Limits) -> Result<BodyFraming, Refusal> {
    let request = Request::new(head, text);
    if head.has_changed(HOST) {
        host(request)?;
    }
    let framing = match (request.count(Known::ContentLength), request.count(Known::TransferEncoding)) {
        (0, 0) => BodyFraming::Length(0),
        (0, _) => {
            transfer_encoding(request)?;
            BodyFraming::Chunked
        }
        (_, 1..) => return Err(Refusal::LengthAndCoding),
        (1, 0) => {
            let text = request.header(Known::ContentLength).unwrap_or_default();
            BodyFraming::Length(content_length(text, limits.body_bytes_max.min(room))?)
        }
        (_, 0) => return Err(Refusal::ContentLengthRepeated),
    };
    // Without a byte of room the framing itself could not be read.
    if framing == BodyFraming::Chunked && room == 0 {
        return Err(Refusal::BodyTooLarge);
    }
    if head.has_changed(EXPECT) {
        expectation(request)?;
    }
    Ok(framing)
}

/// Exactly one `Host` in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112, 3.2). Whether it is ours is for the guard to say.
fn host(request: Request<'_>) -> Result<(), Refusal> {
    match request.count(Known::Host) {
        0 if request.is_http10() => Ok(()),
        0 => Err(Refusal::HostMissing),
        1 => match request.header(Known::Host) {
            Some(host) if host.iter().all(u8::is_ascii_graphic) => Ok(()),
            _ => Err(Refusal::Host),
        },
        _ => Err(Refusal::HostRepeated),
    }
}

/// The number in a `Content-Length`, when it is at most `max`. A number of any length is read without overflow.
fn content_length(text: &[u8], max: usize) -> Result<usize, Refusal> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::ContentLength);
    }
    text.iter()
        .try_fold(0_usize, |value, digit| value.checked_mul(10)?.checked_add(usize::from(digit - b'0')))
        .filter(|length| *length <= max)
        .ok_or(Refusal::BodyTooLarge)
}

/// `Transfer-Encoding: chunked`, once and alone, is all that passes.
fn transfer_encoding(request: Request<'_>) -> Result<(), Refusal> {
    if request.is_http10() {
        return Err(Refusal::CodingInHttp10);
    }
    let (mut chunked, mut others, mut ends_chunked) = (0, 0, false);
    for value in request.all(Known::TransferEncoding) {
        for coding in value.split(|byte| *byte == b',') {
            ends_chunked = coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if ends_chunked {
                chunked += 1;
            } else {
                others += 1;
            }
        }
    }
    match (chunked, others, ends_chunked) {
        (1, 0, true) => Ok(()),
        // RFC 9112, 6.3: where chunked is not the last coding, 400 is a MUST, known coding or not.
        (_, _, false) | (2.., _, _) => Err(Refusal::Coding),
        _ => Err(Refusal::CodingUnknown),
    }
}

/// `100-continue` is the only expectation there is (RFC 9110, 10.1.1).
fn expectation(request: Request<'_>) -> Result<(), Refusal> {
    if request.all(Known::Expect).all(|value| value.eq_ignore_ascii_case(b"100-continue")) {
        Ok(())
    } else {
        Err(Refusal::Expectation)
    }
}
