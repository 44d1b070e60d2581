//! Why requests are refused, for those who count.

use crate::http::Status;
use crate::rate::Limit;

/// Why a request is refused; the public names and explanations are those of `stats::Refused`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It is no HTTP that is spoken here.
    Wire,
    /// Its body is too large.
    Body,
    /// It calls the server by a name that is none of its own.
    Host,
    /// It comes from a page from elsewhere.
    Origin,
    /// Its token is missing or wrong.
    Token,
    /// It lacks a scope for this tool, resource or prompt.
    Scope(&'static str),
    /// It is one too many.
    Rate(Limit),
    /// There is no such endpoint, or not for this method or type.
    Path,
    /// Its session is not known.
    Session,
    /// It holds no message, or one that its head contradicts.
    Message,
    /// All calls are taken.
    Calls,
    /// All sessions are in use.
    Sessions,
    /// All streams are taken.
    Streams,
    /// Its address has its share of the streams.
    StreamsShare,
    /// The server is shutting down.
    Stopping,
}

impl Cause {
    /// What a status means where nothing else is said; `None` where nothing is refused, and for 408, which is not the endpoint's.
    pub(super) const fn of(status: Status) -> Option<Self> {
        match status.0 {
            ..400 | 408 => None,
            400 => Some(Self::Message),
            401 => Some(Self::Token),
            403 => Some(Self::Origin),
            404 | 405 | 415 => Some(Self::Path),
            503 => Some(Self::Stopping),
            _ => Some(Self::Wire),
        }
    }
}
