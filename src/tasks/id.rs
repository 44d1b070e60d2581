//! The ids of tasks: random, so that nobody guesses one.

use core::fmt;

use crate::json::base64_into;
use crate::session::RANDOM_BYTES;

/// Characters of an id: base64url (RFC 4648, section 5) of 96 random bits, without padding and with no bits left over.
const ID_CHARS: usize = RANDOM_BYTES / 3 * 4;
const _: () = assert!(RANDOM_BYTES.is_multiple_of(3), "whole groups only");

/// A task's id. It is as good as a key to the task, so it is shown in no log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskId([u8; ID_CHARS]);

impl TaskId {
    /// That of no task.
    pub(crate) const NONE: Self = Self([b' '; ID_CHARS]);

    /// The id of these bytes, which must come from the system's random source.
    pub(crate) fn of(random: [u8; RANDOM_BYTES]) -> Self {
        let mut chars = [0; ID_CHARS];
        base64_into(&random, &mut chars);
        Self(chars.map(|char| match char {
            b'+' => b'-',
            b'/' => b'_',
            char => char,
        }))
    }

    /// What a client says is an id; `None` when it can be none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let is_char = |char: &u8| char.is_ascii_alphanumeric() || matches!(char, b'-' | b'_');
        text.try_into().ok().map(Self).filter(|id| id.0.iter().all(is_char))
    }

    /// Whether it is this one, in a time that does not depend on where they differ.
    pub(crate) fn is(&self, other: &Self) -> bool {
        crate::session::equal_in_constant_time(&self.0, &other.0)
    }

    /// Its text.
    pub(crate) fn as_str(&self) -> &str {
        // All of it is ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskId(..)")
    }
}
