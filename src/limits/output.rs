//! Answers without limit, and the time that they and the requests may take.

/// Bytes of a file that are read at once while it is sent. They lie in the future of the handler that reads, and half of a transmit buffer is
/// filled by four.
pub const SOURCE_PIECE_BYTES: usize = 2 * 1024;

/// Milliseconds of patience with a client that is to send a body, or to take an answer: it loses the buffer when they are used up. What it moves
/// earns it new ones, at the rate below.
pub const TRANSFER_GRACE_MS: u64 = 10_000;

/// Bytes a second that a client must send of a body, or take of an answer: what a bad radio link still does.
pub const TRANSFER_RATE_MIN: u64 = 1_024;

/// The patience while a request waits for the buffer.
pub const TRANSFER_PRESSED_MS: u64 = 2_000;
const _: () = assert!(
    TRANSFER_PRESSED_MS + 2 * super::TICK_MS as u64 <= super::QUEUE_TIMEOUT_MS,
    "one that waits must see it end"
);

/// The rate while a request waits for the buffer: a body of 64 KiB is there within the ten seconds that are had without haste.
pub const TRANSFER_PRESSED_RATE_MIN: u64 = 8 * 1024;

/// The least that is left of patience when many wait: twice the round trip of a satellite link.
pub const PATIENCE_MS_MIN: u64 = 250;

/// Milliseconds between two looks at all deadlines while a request waits for a buffer.
pub const TICK_PRESSED_MS: u32 = 100;
const _: () = assert!((TICK_PRESSED_MS as u64) < PATIENCE_MS_MIN);

/// Waiting connections that are looked at in one turn, without reading them, for what came since.
pub const PEEKS_PER_TURN: usize = 32;

/// Milliseconds after which a waiting request that can't be looked at may have the reserve.
pub const RESERVE_AFTER_MS: u64 = 500;
