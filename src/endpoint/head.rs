//! The first decision, from the head of a request alone: before a body is waited for.

use super::preflight::{Granted, grant_of, preflight};
use super::{Answer, Body, Cause, Changes, Endpoint, Moment, NoSession, metadata};
use crate::app::Denied;
use crate::guard::{BearerRefusal, OriginGrant, OriginRefusal};
use crate::http::{Accept, Challenge, Cors, Known, Media, Method, Request, Status};
use crate::rpc::Code;
use crate::session::{Principal, PrincipalId, Revision, Session, SessionRef, Table, Transport};
use crate::sse::EventId;

/// Where the requests of 2024-11-05's transport go, behind the public path.
pub(crate) const MESSAGES_PATH: &str = "/messages";

/// Whether somebody may come in.
pub(crate) enum Passage<'r> {
    /// There is nothing to come in for: answer at once.
    Answer(Answer<'r>),
    /// The principal may, who was told.
    Known,
    /// The application is to say; this is why its tokens let nobody in.
    Ask(BearerRefusal),
}

/// What to do about a request that is not answered at once, as far as its head tells.
pub(crate) enum Admission<'p> {
    /// Answer, after a session was ended by its client: its stream closes.
    Ended(crate::session::Ended),
    /// Read the body, then ask again.
    Body(Posted<'p>),
    /// Open a stream.
    Open(Opening),
}

/// A POST whose body is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted<'p> {
    /// Which endpoint it came to.
    pub(crate) route: Route,
    /// Who sent it.
    pub(crate) principal: &'p Principal,
}

/// The endpoints that take messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Streamable HTTP, all revisions.
    Mcp,
    /// 2024-11-05: the answer goes to the session's stream.
    Messages,
}

/// A GET that opens a stream.
#[derive(Debug)]
pub(crate) enum Opening {
    /// 2024-11-05: a new session, whose stream begins with `endpoint`.
    HttpSse(PrincipalId),
    /// The stream of a session of 2025, and where its client left off.
    Session(SessionRef, Changes, LastSeen),
}

/// What a client says of the events that it has (`Last-Event-ID`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LastSeen {
    /// Nothing: it has none, or its revision has no event ids.
    Nothing,
    /// Something that is no event id of this server.
    Unknown,
    /// This event.
    Event(EventId),
}

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Mcp,
    Sse,
    Messages,
    Health,
    /// The metadata of a protected resource.
    Metadata,
    Elsewhere,
}

impl Endpoint {
    /// Who comes. Guarding is first, and a preflight before the token is asked for. The order is: Host, Origin; the tokens of the configuration;
    /// then, where those say nothing, the application's own check. `principal` is none, and becomes who it is, where that is known; none with
    /// [`Passage::Known`] is anyone. `passage` is that, and becomes what it is. Gives the origin that may read the answer in a browser.
    pub(crate) fn enter<'r>(
        &self,
        request: Request<'r>,
        moment: &Moment,
        principal: &mut Option<Principal>,
        passage: &mut Passage<'r>,
    ) -> Option<Cors<'r>> {
        let local = moment.local;
        let is_known = request.authority().is_none() && self.guard.is_last_host(request.header(Known::Host), local);
        let called = if is_known { Ok(()) } else { self.guard.host(request.host(), request.authority(), local) };
        if let Err(refusal) = called {
            let answer = Answer::refusal(
                Status(refusal.status()),
                Code::REFUSED,
                super::answer::Sentence::of(format_args!("{refusal}")),
            )
            .because(Cause::Host);
            *passage = Passage::Answer(answer);
            return None;
        }
        if request.is_secured() && !self.guard.is_behind_tls() {
            let message =
                "an https target was sent without TLS: use http://, or name the proxy's URL by Config::public_base";
            let answer = Answer::refusal(Status::MISDIRECTED_REQUEST, Code::REFUSED, message).because(Cause::Host);
            *passage = Passage::Answer(answer);
            return None;
        }
        let place = self.place(request);
        let granted = self.origin(request, moment);
        let is_local = granted.is_ok();
        let cors = match granted {
            Ok(grant) => grant.and_then(grant_of).or(metadata::cors(place)),
            // It is for everybody to read.
            Err(_) if place == Place::Metadata => metadata::cors(place),
            Err(refusal) => {
                let message = super::answer::Sentence::of(format_args!("{refusal}"));
                let answer = Answer::refusal(Status::FORBIDDEN, Code::REFUSED, message).because(Cause::Origin);
                *passage = Passage::Answer(answer);
                return None;
            }
        };
        let granted = Granted { any: cors.is_some(), private_network: is_local };
        match self.pass(request, place, granted, moment, principal) {
            Ok(None) => {}
            Ok(Some(refusal)) => *passage = Passage::Ask(refusal),
            Err(answer) => *passage = Passage::Answer(answer),
        }
        cors
    }

    /// The CORS grant of a request whose head was admitted.
    pub(crate) fn cors<'r>(&self, request: Request<'r>, moment: &Moment) -> Option<Cors<'r>> {
        self.origin(request, moment).ok().flatten().and_then(grant_of)
    }

    // What the page may do that sent a request; most are sent by no page.
    fn origin<'r>(&self, request: Request<'r>, moment: &Moment) -> Result<Option<OriginGrant<'r>>, OriginRefusal> {
        if request.count(Known::Origin) == 0 {
            return Ok(None);
        }
        self.guard.origin(request.all(Known::Origin), moment.local)
    }

    // None for the principal that it was found to be; else why the tokens let nobody in, for the application to say.
    fn pass<'r>(
        &self,
        request: Request<'r>,
        place: Place,
        granted: Granted,
        moment: &Moment,
        principal: &mut Option<Principal>,
    ) -> Result<Option<BearerRefusal>, Answer<'r>> {
        let method = request.method();
        if method == Method::Options {
            return Err(preflight(request, place, granted));
        }
        if place == Place::Elsewhere {
            return Err(not_found());
        }
        if place == Place::Health {
            return Err(health(method, moment.stopping));
        }
        if place == Place::Metadata {
            return Err(self.metadata(method));
        }
        self.may_come(moment)?;
        if self.guard.is_open() {
            return Ok(None); // anyone
        }
        if request.query_param("access_token").is_some() {
            return Err(refused(BearerRefusal::InQuery));
        }
        match self.guard.bearer(request.all(Known::Authorization), moment.unix_s) {
            Ok(known) => {
                *principal = Some(known);
                Ok(None)
            }
            Err(refusal) if self.guard.is_checked() && refusal.may_be_asked() => Ok(Some(refusal)),
            Err(refusal) => {
                if refusal.is_guess() {
                    self.came_wrong(moment);
                }
                Err(refused(refusal))
            }
        }
    }

    /// Decides on the head of a request of somebody who may come in.
    ///
    /// # Errors
    /// What is answered at once.
    pub(crate) fn admit<'r, 'p>(
        &self,
        request: Request<'r>,
        principal: &'p Principal,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<Admission<'p>, Answer<'r>> {
        let (place, method) = (self.place(request), request.method());
        if moment.stopping {
            let mut answer = Answer::unavailable("the server is shutting down");
            answer.close = true;
            return Err(answer);
        }
        if method == Method::Get {
            self.may_ask(principal, moment)?;
        }
        match (place, method) {
            (Place::Mcp, Method::Post) => posted(request, Route::Mcp, principal),
            (Place::Messages, Method::Post) if self.http_sse => posted(request, Route::Messages, principal),
            (Place::Mcp, Method::Get) => self.open(request, principal.id(), table, moment),
            (Place::Sse, Method::Get) if self.http_sse => Ok(Admission::Open(Opening::HttpSse(principal.id()))),
            (Place::Mcp, Method::Delete) => self.delete(request, principal.id(), table, moment),
            (Place::Mcp, _) => Err(Answer::not_allowed("POST", "this endpoint takes POST (MCP Streamable HTTP)")),
            (Place::Sse, _) if self.http_sse => {
                Err(Answer::not_allowed("GET", "this endpoint takes GET (MCP 2024-11-05, HTTP+SSE)"))
            }
            (Place::Messages, _) if self.http_sse => {
                Err(Answer::not_allowed("POST", "this endpoint takes POST (MCP 2024-11-05, HTTP+SSE)"))
            }
            _ => Err(not_found()),
        }
    }

    // GET /mcp: the stream of a session; without one 2024-11-05's own (DESIGN D6), or 405.
    fn open<'r, 'p>(
        &self,
        request: Request<'r>,
        principal: PrincipalId,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<Admission<'p>, Answer<'r>> {
        if let Some(id) = single(request, Known::McpSessionId)? {
            let found = self.session(id, Transport::Streamable, principal, table, moment).map_err(no_session)?;
            let revision = table.get(found.session).map(Session::revision);
            let last =
                match single(request, Known::LastEventId)?.filter(|_| revision.is_some_and(Revision::is_resumable)) {
                    Some(id) => EventId::parse(id).map_or(LastSeen::Unknown, LastSeen::Event),
                    None => LastSeen::Nothing,
                };
            return Ok(Admission::Open(Opening::Session(found.session, found.changes, last)));
        }
        let asked = single(request, Known::McpProtocolVersion)?.map(Revision::parse);
        let old = !matches!(asked, Some(None | Some(Revision::V2026_07_28)));
        let only_events =
            request.accepts(Media::EventStream) == Accept::Yes && request.accepts(Media::Json) == Accept::No;
        if self.http_sse && old && only_events {
            return Ok(Admission::Open(Opening::HttpSse(principal)));
        }
        Err(Answer::not_allowed("POST", "there is no stream to GET without an Mcp-Session-Id; send messages by POST"))
    }

    fn delete<'r, 'p>(
        &self,
        request: Request<'r>,
        principal: PrincipalId,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<Admission<'p>, Answer<'r>> {
        let Some(text) = single(request, Known::McpSessionId)? else {
            return Err(Answer::not_allowed("POST", "DELETE ends a session and needs its Mcp-Session-Id"));
        };
        let id = self
            .seen
            .verify(&self.key, text, principal, moment.unix_s, u64::MAX)
            .ok()
            .filter(|id| id.fields().transport == Transport::Streamable)
            .ok_or_else(|| no_session(NoSession::Unknown))?;
        if table.is_ended(&id) {
            return Err(no_session(NoSession::Unknown));
        }
        if let Some(ended) = table.find(&id).and_then(|session| table.end(session)) {
            return Ok(Admission::Ended(ended));
        }
        table.end_unknown(&id);
        Err(Answer::empty(Status::OK))
    }
}

/// The value of a header that is there once or not at all: of two, one reader would take the first, and another the last.
pub(super) fn single(request: Request<'_>, known: Known) -> Result<Option<&[u8]>, Answer<'static>> {
    if request.count(known) > 1 {
        let message = match known {
            Known::McpSessionId => "Mcp-Session-Id was sent more than once",
            Known::McpProtocolVersion => "MCP-Protocol-Version was sent more than once",
            _ => "a header was sent more than once",
        };
        return Err(Answer::refusal(Status::BAD_REQUEST, Code::REFUSED, message));
    }
    Ok(request.header(known))
}

/// The answer to a request whose session is not to be had.
pub(super) fn no_session<'r>(why: NoSession) -> Answer<'r> {
    match why {
        NoSession::Unknown => {
            let message = "session not found: it ended, or this server did not issue it; send initialize without an Mcp-Session-Id";
            Answer::refusal(Status::NOT_FOUND, Code::SESSION_NOT_FOUND, message).because(Cause::Session)
        }
        NoSession::Full => Answer::unavailable("all sessions of this server are in use").because(Cause::Sessions),
    }
}

/// What a path leads to, on every server.
pub(super) fn place_of(path: &[u8]) -> Place {
    match path {
        b"/mcp" | b"/mcp/" => Place::Mcp,
        b"/sse" | b"/sse/" => Place::Sse,
        b"/healthz" => Place::Health,
        path if path == MESSAGES_PATH.as_bytes() => Place::Messages,
        _ => Place::Elsewhere,
    }
}

// Clients look for OAuth metadata under /.well-known and want JSON, or they take the page for an error of another kind.
fn not_found<'r>() -> Answer<'r> {
    Answer::with(
        Status::NOT_FOUND,
        Body::Json(r#"{"error":"not_found","error_description":"nothing here; the MCP endpoint is /mcp"}"#),
    )
}

fn health<'r>(method: Method, stopping: bool) -> Answer<'r> {
    if !matches!(method, Method::Get | Method::Head) {
        return Answer::not_allowed("GET, HEAD", "healthz takes GET or HEAD");
    }
    let mut answer = Answer::with(Status::OK, Body::Plain("ok\n"));
    if stopping {
        answer = Answer::with(Status::SERVICE_UNAVAILABLE, Body::Plain("shutting down\n"));
        answer.close = true;
    }
    answer
}

/// The answer to somebody whose credentials do not let in.
fn refused<'r>(refusal: BearerRefusal) -> Answer<'r> {
    let message = super::answer::Sentence::of(format_args!("{refusal}"));
    let mut answer = Answer::refusal(Status(refusal.status()), Code::REFUSED, message).because(Cause::Token);
    if refusal == BearerRefusal::NoClock {
        answer.retry_after_seconds = Some(crate::limits::RETRY_AFTER_S);
    } else {
        answer.www_authenticate = Some(Challenge { error: refusal.error(), scopes: &[] });
    }
    answer
}

/// The answer to somebody whom the application does not let in. `refusal`: why the tokens did not either.
pub(crate) fn denied<'r>(denied: &Denied, refusal: BearerRefusal) -> Answer<'r> {
    let message = match denied.text() {
        "" if denied.is_known() => "you may not use this server",
        "" => "this server asks who you are",
        text => text,
    };
    let status = if denied.is_known() { Status::FORBIDDEN } else { Status::UNAUTHORIZED };
    let mut answer = Answer::refusal(status, Code::REFUSED, message).because(Cause::Token);
    answer.www_authenticate = (!denied.is_known()).then_some(Challenge { error: refusal.error(), scopes: &[] });
    answer
}

fn posted<'r, 'p>(request: Request<'r>, route: Route, principal: &'p Principal) -> Result<Admission<'p>, Answer<'r>> {
    // A page of another origin can send other types without a preflight.
    // The clients of 2024-11-05 need not say what they send; what a page sends has an Origin.
    let json = request.content_type_is_json().unwrap_or(route == Route::Messages);
    if !json {
        let message = "the Content-Type of a message must be application/json";
        return Err(Answer::refusal(Status::UNSUPPORTED_MEDIA_TYPE, Code::REFUSED, message));
    }
    // What somebody else would read in another way is not read at all (RFC 9110, 15.5.16).
    if !request.all(Known::ContentEncoding).all(|coding| coding.eq_ignore_ascii_case(b"identity")) {
        let message = "a message must have no Content-Encoding: send it as it is";
        return Err(Answer::refusal(Status::UNSUPPORTED_MEDIA_TYPE, Code::REFUSED, message));
    }
    Ok(Admission::Body(Posted { route, principal }))
}
