//! The chunked coding, decoded in place (RFC 9112, 7.1).
//!
//! ```text
//!   Size -CR-> SizeEnd -LF-> Data (n bytes) -> DataCr -CR-> DataLf -LF-> Size
//!    +-;--> Extension -CR-^   +- n = 0: Line -CR-> LastLf -LF-> whole
//!                                        +- trailer's byte -> Name, Value -CR-> TrailerLf -LF-> Line
//! ```
//! All framing is taken as it comes and leaves nothing in the buffer but data.

use super::class::{TOKEN, VALUE, is};
use super::refusal::Refusal;
use crate::limits::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, TRAILER_BYTES_MAX};

/// How far a chunked body has been decoded.
#[derive(Debug)]
pub(super) struct Chunked {
    place: Place,
    /// Of the chunk being read: its size while the size is read, then what is still to come of its data.
    remaining: usize,
    /// Digits of the chunk size, in this chunk.
    digits: usize,
    /// Bytes of extensions, in the whole body.
    extension_bytes: usize,
    /// Bytes of trailers.
    trailer_bytes: usize,
    /// Whether a byte has been taken.
    begun: bool,
}

/// What one call left in the slice that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Bytes of data, at the front.
    pub(super) data: usize,
    /// Bytes behind the data that belong to the next request.
    pub(super) rest: usize,
    /// Whether the body has come to its end.
    pub(super) whole: bool,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Size,
    /// White space behind a size, in front of the `;` of an extension.
    SizeSpace,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    /// The first byte of a line behind the last chunk.
    Line,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Whole,
}

impl Chunked {
    /// At the first byte of a chunked body.
    pub(super) const fn new() -> Self {
        Self { place: Place::Size, remaining: 0, digits: 0, extension_bytes: 0, trailer_bytes: 0, begun: false }
    }

    /// Whether any byte of the body has been taken.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes the bytes that came, moving data to the front and what follows the body right behind it. `room` is how
    /// many bytes of data may still come. Each byte is moved twice at most.
    ///
    /// # Errors
    /// Malformed framing; a chunk size beyond the room, as soon as its digits say so.
    pub(super) fn decode(&mut self, raw: &mut [u8], room: usize) -> Result<Decoded, Refusal> {
        let (mut at, mut data) = (0, 0);
        while let Some(&byte) = raw.get(at) {
            self.begun = true;
            if self.place == Place::Data {
                // Not beyond the end of raw; data <= at, as each byte of data was one of raw.
                let run = self.remaining.min(raw.len() - at);
                raw.copy_within(at..at + run, data);
                at += run;
                data += run;
                self.remaining -= run;
                if self.remaining == 0 {
                    self.place = Place::DataCr;
                }
                continue;
            }
            self.take(byte, room.saturating_sub(data))?;
            at += 1;
            if self.place == Place::Whole {
                let rest = raw.len() - at;
                raw.copy_within(at.., data);
                return Ok(Decoded { data, rest, whole: true });
            }
        }
        Ok(Decoded { data, rest: 0, whole: false })
    }

    /// A byte of framing.
    fn take(&mut self, byte: u8, room: usize) -> Result<(), Refusal> {
        self.place = match (self.place, byte) {
            (Place::Size, b'\r') if self.digits > 0 => Place::SizeEnd,
            (Place::Size | Place::SizeSpace, b';') if self.digits > 0 => Place::Extension,
            // White space that a recipient must put up with (RFC 9112, 7.1.1; RFC 9110, 5.6.3), there and nowhere else.
            (Place::Size | Place::SizeSpace, b' ' | b'\t') if self.digits > 0 => {
                self.extension(byte)?;
                Place::SizeSpace
            }
            (Place::SizeSpace, _) => return Err(Refusal::ChunkSize),
            (Place::Size, _) => self.size_digit(byte, room)?,
            (Place::Extension, b'\r') => Place::SizeEnd,
            (Place::Extension, _) => self.extension(byte)?,
            (Place::SizeEnd, b'\n') if self.remaining == 0 => Place::Line,
            (Place::SizeEnd, b'\n') => Place::Data,
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => {
                self.digits = 0;
                Place::Size
            }
            (Place::DataCr | Place::DataLf, _) => return Err(Refusal::ChunkEnd),
            (Place::Line, b'\r') => Place::LastLf,
            (Place::LastLf, b'\n') => Place::Whole,
            (Place::TrailerValue, b'\r') => Place::TrailerLf,
            (Place::TrailerLf, b'\n') => Place::Line,
            (Place::SizeEnd | Place::TrailerLf | Place::LastLf, _) => return Err(Refusal::BareCr),
            _ => self.trailer(byte)?,
        };
        Ok(())
    }

    /// A digit of a chunk size. The size never exceeds the room, so that nothing overflows.
    fn size_digit(&mut self, byte: u8, room: usize) -> Result<Place, Refusal> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\n' => return Err(Refusal::BareLf),
            _ => return Err(Refusal::ChunkSize),
        };
        if self.digits >= CHUNK_SIZE_DIGITS_MAX {
            return Err(Refusal::ChunkSize);
        }
        self.digits += 1;
        self.remaining = self
            .remaining
            .checked_mul(16)
            .and_then(|size| size.checked_add(usize::from(digit)))
            .filter(|size| *size <= room)
            .ok_or(Refusal::BodyTooLarge)?;
        Ok(Place::Size)
    }

    /// A byte of an extension, ignored (RFC 9112, 7.1.1).
    fn extension(&mut self, byte: u8) -> Result<Place, Refusal> {
        self.extension_bytes += 1;
        if byte == b'\n' {
            Err(Refusal::BareLf)
        } else if !is(byte, VALUE) || self.extension_bytes > CHUNK_EXTENSION_BYTES_MAX {
            Err(Refusal::ChunkExtension)
        } else {
            Ok(Place::Extension)
        }
    }

    /// A byte of a trailer line, dropped (RFC 9112, 7.1.2).
    fn trailer(&mut self, byte: u8) -> Result<Place, Refusal> {
        self.trailer_bytes += 1;
        let next = match self.place {
            Place::TrailerName if byte == b':' => Place::TrailerValue,
            Place::Line | Place::TrailerName if is(byte, TOKEN) => Place::TrailerName,
            Place::TrailerValue if is(byte, VALUE) => Place::TrailerValue,
            _ if byte == b'\n' => return Err(Refusal::BareLf),
            _ => return Err(Refusal::Trailer),
        };
        if self.trailer_bytes > TRAILER_BYTES_MAX { Err(Refusal::TrailersTooLong) } else { Ok(next) }
    }
}
