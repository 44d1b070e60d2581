//! The limits of confirmations.

/// Confirmations (2026-07-28) of which it is known whether they were used: those that were asked for last. One that is older lets nothing run any
/// more; its user is asked again. A bit each.
pub const SLIPS_MAX: usize = 1024;
const _: () = assert!(SLIPS_MAX.is_multiple_of(u64::BITS as usize), "whole words of bits");

/// Characters of a tool's arguments that are shown to the user who is to confirm it (`#[confirm]`); the rest is cut, and the text says so. More
/// than people read, and a fraction of a transmit buffer.
pub const CONFIRM_ARGUMENTS_CHARS_MAX: usize = 1_000;
