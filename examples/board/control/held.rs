//! For how long an output stays as it was set.

use std::cell::Cell;
use std::fmt;
use std::time::Instant;

use smol_mcp::{Call, ToolError};

use crate::config::Release;

/// Something that has a safe state.
pub(crate) trait Output {
    /// For how long it stays as it was set.
    fn held(&self) -> &Held;

    /// Brings it back to its safe state, if it was ever set up, and logs why.
    fn release(&self, why: &str);
}

/// Who set an output, and until when that holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    client: Cell<Option<u64>>,
    until: Cell<Option<Instant>>,
}

impl Held {
    /// Whether this call may set it, so that it can be told when to let go again.
    ///
    /// # Errors
    /// It is let go with its client, of whom nothing would tell that.
    pub(crate) fn can_hold(release: Release, call: &Call<'_>) -> Result<(), ToolError> {
        if release.with_client && release.hold.is_none() && call.client().is_none() {
            return Err(NO_SESSION.into());
        }
        Ok(())
    }

    /// It was set by this call; what holds from now on, in words.
    pub(crate) fn take(&self, release: Release, call: &Call<'_>) -> Until {
        self.client.set(if release.with_client { call.client() } else { None });
        self.until.set(release.hold.map(|hold| Instant::now() + hold));
        Until { with_client: self.client.get().is_some(), seconds: release.hold.map(|hold| hold.as_secs()) }
    }

    /// It is in its safe state.
    pub(crate) fn clear(&self) {
        self.client.set(None);
        self.until.set(None);
    }

    /// This client set it, and it goes with that.
    pub(crate) fn is_of(&self, client: u64) -> bool {
        self.client.get() == Some(client)
    }

    /// Until when it holds, if that is limited.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until.get()
    }

    /// Its time is over.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.until.get().is_some_and(|until| until <= now)
    }
}

/// What is said to a client that has no session.
const NO_SESSION: &str = "this output is let go when its client is gone, and clients of your protocol revision have no session that \
    would tell that; a pulse, which lasts no longer than its call, can be had";

/// For how long an output stays as it is, for whoever set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    with_client: bool,
    seconds: Option<u64>,
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.with_client, self.seconds) {
            (false, None) => Ok(()),
            (true, None) => f.write_str("; it returns to its safe state when your session ends"),
            (false, Some(seconds)) => write!(f, "; it returns to its safe state in {seconds} s unless it is set again"),
            (true, Some(seconds)) => {
                write!(
                    f,
                    "; it returns to its safe state in {seconds} s unless it is set again, or when your session ends"
                )
            }
        }
    }
}
