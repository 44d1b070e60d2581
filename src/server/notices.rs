//! What the log is told of things that peers can bring about in any number: of each kind one line at a time, and how many were left out.

use std::cell::Cell;
use std::fmt;

use log::Level;

use super::core::Core;
use crate::limits::NOTICE_INTERVAL_MS;

/// Declares the kinds once: name, severity, and what a line is called that only tells how many there were.
macro_rules! kinds {
    ($($(#[$about:meta])* $kind:ident $level:ident $name:literal,)*) => {
        /// A kind of event that is logged once in a while. What an operator should act on is a warning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Notice {
            $($(#[$about])* $kind,)*
        }

        impl Notice {
            const ALL: &'static [Self] = &[$(Self::$kind,)*];

            fn level(self) -> Level {
                match self {
                    $(Self::$kind => Level::$level,)*
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// All connections are taken.
    House Warn "connections refused, as all are taken",
    /// An address has its share of the connections.
    Share Info "connections refused, as their address has its share",
    /// A request waited in vain for a buffer.
    Buffers Warn "requests refused, as all buffers are taken",
    /// A call found only the reserve.
    Calls Warn "calls refused, as all are taken",
    /// All sessions are in use.
    Sessions Warn "sessions refused, as all are in use",
    /// A session with a log level or subscriptions made room.
    Evicted Info "sessions evicted that had a log level or subscriptions",
    /// All streams are taken.
    Streams Warn "streams refused, as all are taken",
    /// An address has its share of the streams.
    StreamsShare Info "streams refused, as their address has its share",
    /// A stream fell out of the ring.
    Lost Info "streams closed, as their clients read too slowly",
    /// The client of a stream reads nothing.
    Stalled Info "streams closed, as their clients read nothing",
    /// A silent stream made room.
    Reclaimed Info "silent streams closed to make room",
    /// A name that is not the server's.
    Host Info "requests refused for their Host",
    /// A page from elsewhere.
    Origin Info "requests refused for their Origin",
    /// No token, or a wrong one.
    Token Info "requests refused for their token",
    /// An address sent too many requests.
    AddressRate Info "requests refused, as their address sent too many",
    /// A principal did.
    PrincipalRate Info "requests refused, as their principal sent too many",
    /// An address brought too many wrong tokens.
    WrongTokens Warn "requests refused, as their address brought wrong tokens",
    /// A tool was called too often.
    ToolRate Info "calls refused, as their tool was called too often",
    /// `accept` fails.
    Accept Warn "failures to accept a connection",
    /// What happens to sockets can't be waited for.
    Deaf Warn "failures to wait for what clients send",
    /// A connection of the application's own was dropped.
    NotTaken Warn "connections of the application dropped, as the queue of commands is full",
    /// A client introduced itself, or came back.
    Came Info "clients came",
    /// A client ended its session, or its stream.
    Went Info "clients went",
    /// A handler had all of its time.
    Late Warn "calls stopped for their time",
    /// A handler failed when a part of its answer was sent.
    Broken Warn "answers broken off",
    /// A handler panicked, also in being dropped.
    Panicked Error "handlers panicked",
    /// The application's check of who comes in failed: it panicked, or named somebody that can't be.
    Check Error "failures of the check of who comes in",
    /// A file of keys can't be opened or read.
    Keys Error "failures to read keys",
    /// The application's ear for clients panicked.
    OnClient Error "panics of on_client",
}

/// What was said of each kind, and when.
pub(super) struct Notices([Said; Notice::ALL.len()]);

#[derive(Default)]
struct Said {
    /// When the last line was logged.
    at_ms: Cell<Option<u64>>,
    left_out: Cell<u32>,
}

/// What was left out before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct More {
    lines: u32,
    seconds: u64,
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines {
            0 => Ok(()),
            lines => write!(f, " ({lines} more in the last {} s)", self.seconds),
        }
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Said::default()))
    }
}

impl Notices {
    // Whether a line is logged now, with what was left out before it.
    fn take(&self, notice: Notice, now_ms: u64) -> Option<More> {
        let said = self.0.get(notice as usize)?;
        let since_ms = said.at_ms.get().map_or(u64::MAX, |at_ms| now_ms.saturating_sub(at_ms));
        if since_ms < NOTICE_INTERVAL_MS {
            said.left_out.set(said.left_out.get().saturating_add(1));
            return None;
        }
        said.at_ms.set(Some(now_ms));
        Some(More { lines: said.left_out.take(), seconds: since_ms / 1000 })
    }

    // What was left out of a kind of which nothing happened since for long.
    fn settle(&self, notice: Notice, now_ms: u64) -> Option<More> {
        let said = self.0.get(notice as usize).filter(|said| said.left_out.get() > 0)?;
        let since_ms = now_ms.saturating_sub(said.at_ms.get()?);
        if since_ms < 2 * NOTICE_INTERVAL_MS {
            return None;
        }
        said.at_ms.set(Some(now_ms));
        Some(More { lines: said.left_out.take(), seconds: since_ms / 1000 })
    }
}

impl<A> Core<'_, A> {
    /// Logs what happened, at most once each [`NOTICE_INTERVAL_MS`] for its kind; the next line tells how many were left out. Those are seen
    /// at the level of debugging.
    pub(super) fn notice(&self, notice: Notice, text: fmt::Arguments<'_>) {
        if !log::log_enabled!(notice.level()) {
            return;
        }
        match self.notices.take(notice, self.now_ms.get()) {
            Some(more) => log::log!(notice.level(), "{text}{more}"),
            None => log::debug!("{text}"),
        }
    }

    /// Tells what was left out of kinds of which nothing more happens.
    pub(super) fn settle_notices(&self) {
        for notice in Notice::ALL {
            if let Some(More { lines, seconds }) = self.notices.settle(*notice, self.now_ms.get()) {
                log::log!(notice.level(), "{}: {lines} more in the last {seconds} s", notice.name());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1000;

    #[test]
    fn one_line_at_a_time_tells_of_those_left_out() {
        let notices = Notices::default();
        let lines = |lines, seconds| Some(More { lines, seconds });
        assert_eq!(notices.take(Notice::House, 0).unwrap().to_string(), "");
        for at_ms in [1, 500, 9_999] {
            assert_eq!(notices.take(Notice::House, at_ms), None);
        }
        // Another kind has its own.
        assert_eq!(notices.take(Notice::Host, 9_999).unwrap().lines, 0);
        let next = notices.take(Notice::House, 12 * S);
        assert_eq!(next, lines(3, 12));
        assert_eq!(next.unwrap().to_string(), " (3 more in the last 12 s)");
        assert_eq!(notices.take(Notice::House, 12 * S), None);
        // Nothing follows: it is told all the same, once.
        assert_eq!(notices.settle(Notice::House, 31 * S), None);
        assert_eq!(notices.settle(Notice::House, 32 * S), lines(1, 20));
        assert_eq!(notices.settle(Notice::House, 99 * S), None);
        assert_eq!(notices.take(Notice::House, 40 * S), None, "that was a line too");
        assert_eq!(notices.settle(Notice::Went, 99 * S), None);
    }

    #[test]
    fn each_kind_has_its_place() {
        for (place, notice) in Notice::ALL.iter().enumerate() {
            assert_eq!(*notice as usize, place);
            assert!(!notice.name().is_empty());
        }
    }
}
