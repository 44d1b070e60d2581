//! Answers without limit, and the time that they and the requests may take.

/// Bytes of a file that are read at once while it is sent. They lie in the future of the handler that reads, and half of a transmit buffer is
/// filled by four.
pub const SOURCE_PIECE_BYTES: usize = 2 * 1024;
