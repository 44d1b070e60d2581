//! From an HTTP request to a decision, pure: who may come in, which revision a message belongs to, and what is to be
//! done about it. The decision table is section 2.3 of the project's protocol notes, in code:
//!
//! ```text
//!   head ── guard (Host, Origin) ─┬─ Answer        404, preflight, healthz, ...
//!                                 └─ token ─┬──── Answer    401
//!                                           ├──── Ask ──┐   the application's own check
//!                                           └──── Known ┴─ route ─┬─ Answer      405, ...
//!                                                                 ├─ Open        GET: a stream
//!                                                                 └─ Body        POST: read it, then
//!   body ── scan ── era ladder ───────────────────┬─ Answer      202, 400, 404, ...
//!                                                  ├─ Work        a request: answer it
//!                                                  └─ Listen      subscriptions/listen
//! ```

mod answer;
mod cause;
mod head;
mod job;
mod message;
mod metadata;
mod modern;
mod preflight;
mod rates;
mod sessions;
mod work;

pub(crate) use answer::{Answer, Body};
pub(crate) use cause::Cause;
pub(crate) use head::{Admission, LastSeen, MESSAGES_PATH, Opening, Passage, Posted, Route, denied};
pub(crate) use job::{Job, Needed, Work};
pub(crate) use message::{Decision, Findings};

use core::cell::RefCell;
use core::net::SocketAddr;

use crate::app::Catalog;
use crate::guard::Guard;
use crate::http::ProtectedResource;
use crate::rate::Rates;
use crate::rpc::KeptRequests;
use crate::session::{Evicted, Key, RANDOM_BYTES, RestoreRefusal, Seen, SessionRef, Table, Transport};

/// What decides, and does not change while the server runs, but for its tokens and counts.
pub(crate) struct Endpoint {
    pub(crate) guard: Guard,
    /// What challenges say besides, where access tokens let in.
    pub(crate) resource: Option<ProtectedResource>,
    /// Who came how often.
    pub(crate) rates: Rates,
    pub(crate) key: Key,
    /// Session ids that it was found to have signed.
    pub(crate) seen: Seen,
    /// The last requests that could be kept.
    pub(crate) kept_requests: RefCell<KeptRequests>,
    pub(crate) catalog: Catalog,
    /// The path under which a proxy publishes this server, without a slash at its end.
    pub(crate) public_path: String,
    /// 2024-11-05's own transport is served.
    pub(crate) http_sse: bool,
    /// A known older revision in the header of a 2026-07-28 request is let through.
    pub(crate) lenient_version_header: bool,
    /// A session id that the table does not know is restored up to this age.
    pub(crate) session_age_max_s: u64,
}

/// What is true at this moment, as the rim knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Milliseconds of the server's monotonic clock.
    pub(crate) now_ms: u64,
    /// Seconds of the wall clock.
    pub(crate) unix_s: u64,
    /// The address that the client connected to.
    pub(crate) local: Option<SocketAddr>,
    /// By what a request is counted for its address, where it is: its household's key or, of an IPv6 peer on the server's own link, one of its own.
    pub(crate) counted: Option<u64>,
    /// The server is shutting down.
    pub(crate) stopping: bool,
    /// Gives fresh random bytes for a session id; `None` when the system has none.
    pub(crate) random: fn() -> Option<[u8; RANDOM_BYTES]>,
}

/// Why a session can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSession {
    /// Not ours, or ended: 404.
    Unknown,
    /// No slot for it now: 503.
    Full,
}

/// A session that was found, and who had to make room if it had to be restored first.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) session: SessionRef,
    pub(crate) changes: Changes,
}

/// Clients that came or went by a decision: to be told to the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// A session that has just been opened or restored.
    pub(crate) came: Option<SessionRef>,
    /// A session that made room.
    pub(crate) evicted: Option<Evicted>,
}

impl Endpoint {
    /// The live session that an id names; one that the table forgot is restored (DESIGN D5).
    fn session(
        &self,
        text: &[u8],
        transport: Transport,
        principal: crate::session::PrincipalId,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<Found, NoSession> {
        let id = self.seen.verify(&self.key, text, principal, moment.unix_s, u64::MAX);
        let id = id.ok().filter(|id| id.fields().transport == transport).ok_or(NoSession::Unknown)?;
        if let Some(session) = table.find(&id) {
            table.touch(session, moment.now_ms);
            return Ok(Found { session, changes: Changes::default() });
        }
        if id.is_older_than(self.session_age_max_s, moment.unix_s) {
            return Err(NoSession::Unknown);
        }
        match table.restore(id, moment.now_ms) {
            Ok(admitted) => Ok(Found { session: admitted.session, changes: sessions::changes(&admitted) }),
            Err(RestoreRefusal::Full) => Err(NoSession::Full),
            Err(RestoreRefusal::Ended | RestoreRefusal::StreamGone) => Err(NoSession::Unknown),
        }
    }
}
