//! Chunks whose data is in the buffer already (RFC 9112, section 7.1).

use crate::http::Framing;

/// A chunk head of fixed width: six hexadecimal digits and CRLF. Leading zeros are legal.
pub(crate) const CHUNK_HEAD_BYTES: usize = 8;
/// How bytes behind a head that names no length are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// HTTP/1.1: chunks.
    Chunked,
    /// HTTP/1.0: up to the end of the connection.
    UntilClose,
}

impl Wire {
    pub(super) fn framing(self) -> Framing {
        match self {
            Wire::Chunked => Framing::Chunked,
            Wire::UntilClose => Framing::UntilClose,
        }
    }
}

/// What stands behind a chunk's data.
pub(super) const CRLF: &[u8] = b"\r\n";

/// Makes a chunk of `buf[begin..end]`: writes its head in front and CRLF behind, for which there must be room. Gives the
/// end of all.
pub(crate) fn chunk(buf: &mut [u8], begin: usize, end: usize) -> usize {
    let mut size = end.saturating_sub(begin);
    let mut head = *b"000000\r\n";
    for digit in head.iter_mut().take(6).rev() {
        *digit = b"0123456789abcdef".get(size & 15).copied().unwrap_or(b'0');
        size >>= 4;
    }
    put(buf, begin.saturating_sub(CHUNK_HEAD_BYTES), &head);
    put(buf, end, CRLF);
    end + CRLF.len()
}

/// Copies `bytes` to their place; what does not fit is left out.
pub(super) fn put(buf: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = buf.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}
