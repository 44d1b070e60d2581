//! The limits of how often.

/// Addresses whose requests are counted at once, and as many whose wrong tokens are: more than a household's network has, at 4 KiB for each of the
/// two tables.
pub const RATED_ADDRESSES_MAX: usize = 256;

/// Principals whose requests are counted at once: twice the tokens that there can be, for those whom the application knows.
pub const RATED_PRINCIPALS_MAX: usize = 128;
const _: () = assert!(RATED_PRINCIPALS_MAX >= super::TOKENS_MAX, "each holder of a token is counted");

/// Seconds over which a rate can be said: a day.
pub const RATE_SECONDS_MAX: u32 = 24 * 60 * 60;

/// Wrong tokens that an address may bring at once before it is slowed down, where the configuration does not say: a client that is set up wrong
/// tries a few times, and stays readable in the log.
pub const WRONG_TOKENS_DEFAULT: u32 = 10;

/// Seconds in which an address that brought so many wrong tokens may bring as many again: one in six seconds, 14,400 a day.
pub const WRONG_TOKENS_SECONDS_DEFAULT: u32 = 60;
