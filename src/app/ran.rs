//! How handlers end.

use super::caught::Panicked;

/// How a handler ended, for those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It came to its end.
    Finished,
    /// It asked its client what another call will bring, and was dropped.
    Asked,
    /// It returned an error.
    Failed,
    /// It returned an error after a part of its answer had been sent, which was broken off.
    Broken,
    /// It panicked.
    Panicked,
}

impl Ran {
    /// How this result came about.
    pub(crate) const fn of<T, E>(result: &Result<Result<T, E>, Panicked>) -> Self {
        match result {
            Ok(Ok(_)) => Self::Finished,
            Ok(Err(_)) => Self::Failed,
            Err(Panicked) => Self::Panicked,
        }
    }

    /// The same, of one whose answer was broken off.
    pub(crate) const fn broken(self) -> Self {
        match self {
            Self::Failed => Self::Broken,
            other => other,
        }
    }
}
