//! For how long an output stays as it was set.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use smol_mcp::{Call, ToolError};

use crate::config::Release;

/// How long after its safe state could not be set that is tried again, at first; then after twice as long each time, up to the last.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(32);

/// Something that has a safe state.
pub(crate) trait Output {
    /// For how long it stays as it was set.
    fn held(&self) -> &Held;

    /// Brings it back to its safe state, if it was ever set up, and logs why.
    fn release(&self, why: &str);

    /// Tries again what [`failed`](Held::failed).
    fn again(&self) {
        self.release("tried again");
    }
}

/// Who set an output, and until when that holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    client: Cell<Option<u64>>,
    until: Cell<Option<Instant>>,
    /// Its safe state could not be set: when that is tried again, and after how long the next time.
    again: Cell<Option<(Instant, Duration)>>,
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
        self.again.set(None);
        Until { with_client: self.client.get().is_some(), seconds: release.hold.map(|hold| hold.as_secs()) }
    }

    /// It is in its safe state.
    pub(crate) fn clear(&self) {
        self.client.set(None);
        self.until.set(None);
        self.again.set(None);
    }

    /// It should be in its safe state, and could not be brought there: that is tried again, whoever held it. The keeper is to be told.
    pub(crate) fn failed(&self) {
        let after = self.again.get().map_or(AGAIN_AFTER, |(_, after)| after);
        self.clear();
        self.again.set(Some((Instant::now() + after, (after * 2).min(AGAIN_AFTER_MAX))));
    }

    /// It is time to try again what failed.
    pub(crate) fn is_due_again(&self, now: Instant) -> bool {
        self.again.get().is_some_and(|(at, _)| at <= now)
    }

    /// This client set it, and it goes with that.
    pub(crate) fn is_of(&self, client: u64) -> bool {
        self.client.get() == Some(client)
    }

    /// When there is something to do, if that is known: its time is over, or what failed is tried again.
    pub(crate) fn until(&self) -> Option<Instant> {
        let again = self.again.get().map(|(at, _)| at);
        self.until.get().into_iter().chain(again).min()
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
