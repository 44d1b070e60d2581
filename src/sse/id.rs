//! Ids of events (MCP 2025-03-26 to 2025-11-25, "Resumability and Redelivery"): what a client repeats as `Last-Event-ID`.
//!
//! ```text
//! 5f0c21aa-17-g4-90210          boot, client, stream 4 of a GET, and the place in the ring behind the event
//! 5f0c21aa-17-c9-3-n42          boot, client, stream 9 of a call, its third event, and the id of the request: 42
//! 5f0c21aa-17-c9-end-n42        the same: its answer
//! ```
//! An id says where it comes from, so one from before a restart, or of another client, is recognised. It is not signed: all that it can do is
//! to name a place among the events of the session whose signed id came with it.

use core::fmt;
use core::str::FromStr;

use crate::limits::REQUEST_TAIL_CHARS_MAX;

/// The number of a call's last event: its answer.
pub(crate) const END: u32 = u32::MAX;

/// The id of an event, or of the beginning of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventId {
    /// Which start of the server: a random number.
    pub(crate) boot: u32,
    /// The client's number.
    pub(crate) client: u64,
    /// The stream's number, never used twice while the server runs.
    pub(crate) stream: u64,
    /// Where in the stream.
    pub(crate) place: Place,
    /// The request that the stream answers.
    pub(crate) request: RequestTail,
}

/// Where in its stream an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the stream of a GET: the position in the ring behind the event.
    Ring(u64),
    /// On the stream of a call: events so far, 0 at its beginning, [`END`] with its answer.
    Call(u32),
}

/// A JSON-RPC id as it is repeated in event ids, so that a call can still be answered when nothing else is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestTail(heapless::String<REQUEST_TAIL_CHARS_MAX>);

impl EventId {
    /// Reads what a client sent as `Last-Event-ID`. `None` for whatever this server does not write.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = str::from_utf8(text).ok()?.splitn(5, '-');
        let boot = parts.next().filter(|boot| boot.len() == 8 && boot.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let boot = u32::from_str_radix(boot, 16).ok()?;
        let client = number(parts.next()?)?;
        let stream = parts.next()?;
        let place = parts.next()?;
        let request = parts.next();
        let (stream, place) = match (stream.strip_prefix('c'), stream.strip_prefix('g')) {
            (Some(stream), _) if place == "end" => (stream, Place::Call(END)),
            (Some(stream), _) => (stream, Place::Call(number(place).filter(|at| *at != END)?)),
            (None, Some(stream)) if request.is_none() => (stream, Place::Ring(number(place)?)),
            _ => return None,
        };
        let request = request.map_or(Some(RequestTail::default()), RequestTail::parse)?;
        Some(Self { boot, client, stream: number(stream)?, place, request })
    }

    /// The same stream, at another place.
    pub(crate) fn at(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { boot, client, stream, place, request } = self;
        match place {
            Place::Ring(position) => return write!(f, "{boot:08x}-{client}-g{stream}-{position}"),
            Place::Call(END) => write!(f, "{boot:08x}-{client}-c{stream}-end")?,
            Place::Call(event) => write!(f, "{boot:08x}-{client}-c{stream}-{event}")?,
        }
        if request.0.is_empty() { Ok(()) } else { write!(f, "-{}", request.0) }
    }
}

impl RequestTail {
    /// That of a request, given its id as JSON; empty where the id is long or has other characters than most have.
    pub(crate) fn of(id: &[u8]) -> Self {
        let tail = || {
            let id = str::from_utf8(id).ok()?;
            let (kind, text) = match id.strip_prefix('"').and_then(|id| id.strip_suffix('"')) {
                Some(text) => ('s', text),
                None => ('n', id),
            };
            let mut tail = heapless::String::<REQUEST_TAIL_CHARS_MAX>::new();
            tail.push(kind).ok()?;
            tail.push_str(text).ok()?;
            Self::parse(&tail)
        };
        tail().unwrap_or_default()
    }

    /// The text as it stands in an event id.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the text as it stands in an event id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let valid = match (text.strip_prefix('n'), text.strip_prefix('s')) {
            (Some(digits), _) => number::<u64>(digits.strip_prefix('-').unwrap_or(digits)).is_some(),
            (None, Some(text)) => is_plain(text),
            _ => false,
        };
        valid.then_some(())?;
        Some(Self(text.parse().ok()?))
    }

    /// The JSON-RPC id: what stands before it, itself, and what stands behind it. `None` where it is not known.
    pub(crate) fn json(&self) -> Option<[&str; 3]> {
        match (self.0.strip_prefix('n'), self.0.strip_prefix('s')) {
            (Some(digits), _) => Some(["", digits, ""]),
            (None, Some(text)) => Some(["\"", text, "\""]),
            _ => None,
        }
    }
}

// Digits only, as they are written: no sign, no needless zero.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}
