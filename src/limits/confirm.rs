//! The limits of confirmations.

/// Confirmations (2026-07-28) of one principal of which it is known whether they were used: those that were asked for last. The answer to an older
/// one lets nothing run any more: its client is told to call the tool anew, which asks the user again. A bit each, of one word.
pub const SLIPS_MAX: u64 = 64;
const _: () = assert!(SLIPS_MAX == u64::BITS as u64, "the bits of a word");

/// Principals whose confirmations are known at once; those of the one who asked for none for longest are void when another comes. More than a
/// household has people who confirm within the same minutes, in 1 KiB.
pub const SLIP_HOLDERS_MAX: usize = 32;

/// Characters of a tool's arguments that are shown to the user who is to confirm it (`#[confirm]`); the rest is cut, and the text says so. More
/// than people read, and a fraction of a transmit buffer.
pub const CONFIRM_ARGUMENTS_CHARS_MAX: usize = 1_000;
