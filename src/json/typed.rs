//! Rust types from JSON and to JSON: serde-json-core, kept from what it cannot take.
//!
//! serde-json-core 0.7 accepts much that is no JSON, so it reads only what was scanned. It panics where a type asks for something it has not
//! built: map keys other than its own kind of string when reading; `char`, `u128`, tuple variants of enums and any error of a `Serialize`
//! itself when writing. It sees those types through [`super::typed_de`] and [`super::typed_ser`] only, which make them errors.

use core::cell::Cell;
use core::fmt;

use serde::{Serialize, de};
use serde_json_core::de::{Deserializer, Error as ReadError};

use super::typed_sink::{Progress, Sink};
use super::{Writer, typed_de, typed_ser};

/// Why a value could not be read into a type, or a type could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum TypedError {
    /// Reading: the JSON is not of that type: another kind, out of range, a member missing, unknown or twice, text too long. Writing: the type
    /// says of itself that it cannot be written, or a number is none.
    Mismatch,
    /// Reading: a string with escapes is longer than the scratch buffer.
    ScratchFull,
    /// The type is of a shape that this server does not read or write.
    Unsupported,
    /// Writing: the buffer is full, and the rest is for another time.
    Full,
}

impl fmt::Display for TypedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "the value does not fit the type",
            Self::ScratchFull => "a string with escapes is too long",
            Self::Unsupported => "the type has no JSON form here",
            Self::Full => "the buffer is full",
        })
    }
}

impl core::error::Error for TypedError {}

/// Reads all of `raw`, the JSON text of one value that [`super::scan()`] let through, into a `T`.
///
/// `scratch` must hold the longest string of `raw` that still has escapes (after scanning: `\"`, `\\`, controls), decoded, also where it is in a
/// member that `T` ignores; as many bytes as `raw` has are always enough. Text goes into owned types (`heapless::String<N>`). Integers are read
/// from their plain form only (not `1.0`, nor `1e2`); `null` is no float, nor is what overflows one. Untagged and internally tagged enums and
/// `flatten` are [`TypedError::Unsupported`]. The value of an `id` is not for this: it is not normalised, so it may hold surrogate pairs, which
/// are a mismatch here.
///
/// # Errors
/// See [`TypedError`].
pub(crate) fn from_raw<'raw, T: de::Deserialize<'raw>>(raw: &'raw [u8], scratch: &mut [u8]) -> Result<T, TypedError> {
    let mut deserializer = Deserializer::new(raw, Some(scratch));
    // Spelled out: each `?` and each `map_err` has a place on the stack for the value, which may be large.
    match T::deserialize(typed_de::Guard(&mut deserializer)) {
        Ok(value) => match deserializer.end() {
            Ok(_) => Ok(value),
            Err(error) => Err(read_error(error)),
        },
        Err(error) => Err(read_error(error)),
    }
}

/// Writes `value` as JSON text. It must serialise to the same each time, as all that a [`Writer`] renders.
///
/// `Serializer::serialize_bytes` embeds JSON text as it is, less line breaks, once it was found valid. Keys of maps must be strings or variants
/// without data. NaN and the infinities are a [`TypedError::Mismatch`]; `char`, 128 bits, and tuple variants of enums are
/// [`TypedError::Unsupported`].
///
/// # Errors
/// See [`TypedError`]; a part was written then.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, w: &mut Writer<'_>) -> Result<(), TypedError> {
    value.serialize(typed_ser::Guard::new(&mut Sink::new(w, false)))
}

/// Writes `value` from `progress` on, which begins at [`Progress::START`], until the buffer is full: so a value that is rendered again and again, by a
/// writer that drops what was sent before, costs about as much as one that is rendered once. `w` must have nothing but the value. `quoted`: it is
/// escaped once more, as the inside of a JSON string.
///
/// # Errors
/// As [`write`](write()), and [`TypedError::Full`].
pub(crate) fn write_on<T: Serialize + ?Sized>(
    value: &T,
    w: &mut Writer<'_>,
    quoted: bool,
    progress: &Cell<Progress>,
) -> Result<(), TypedError> {
    let mut sink = Sink::going_on(w, quoted, progress.get());
    let written = value.serialize(typed_ser::Guard::new(&mut sink));
    progress.set(sink.progress());
    written
}

/// Whether [`write`](write()) can write `value`.
///
/// # Errors
/// As [`write`](write()).
pub(crate) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), TypedError> {
    write(value, &mut Writer::new(&mut []))
}

fn read_error(error: ReadError) -> TypedError {
    match error {
        ReadError::EscapedStringIsTooLong => TypedError::ScratchFull,
        ReadError::AnyIsUnsupported | ReadError::BytesIsUnsupported => TypedError::Unsupported,
        _ => TypedError::Mismatch,
    }
}
