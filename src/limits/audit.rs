//! The limits of the audit ring.

/// Entries of the audit ring at least: one of four is for refusals.
pub const AUDIT_ENTRIES_MIN: usize = 4;

/// Entries of the audit ring at most: it is for what happened lately. A log keeps more.
pub const AUDIT_ENTRIES_MAX: usize = 4096;

/// Of so many entries one is for refusals, so that whoever is refused again and again does not push out the calls.
pub const AUDIT_REFUSALS_SHARE: usize = 4;
const _: () = assert!(AUDIT_ENTRIES_MIN >= AUDIT_REFUSALS_SHARE);
