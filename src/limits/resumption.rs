//! The limits of streams and calls that are resumed.

use super::EVENT_BYTES_MAX;

/// Characters of a request's id that are repeated in the event ids of its call: a UUID in quotes, and a little more. Where it is longer, or has
/// other characters than letters, digits, `-` and `_`, a client whose answer is lost is not told so.
pub const REQUEST_TAIL_CHARS_MAX: usize = 40;

/// Bytes of the line with an event's id: `id: `, four numbers, and the request's id.
pub const EVENT_ID_LINE_BYTES_MAX: usize = 112;
const _: () = assert!(4 + 8 + 21 + 22 + 11 + 1 + REQUEST_TAIL_CHARS_MAX < EVENT_ID_LINE_BYTES_MAX, "it must fit");

/// Bytes of a message, such as the answer, of a call whose connection broke: an event less its id and framing. A longer answer is lost.
pub const KEPT_BYTES_MAX: usize = EVENT_BYTES_MAX - 512;
const _: () = assert!(KEPT_BYTES_MAX + EVENT_ID_LINE_BYTES_MAX + 64 <= EVENT_BYTES_MAX, "it must fit an event");
