//! The second decision, from a message that was read whole: which revision it belongs to, and what it wants.

use super::answer::{Answer, Body, Data};
use super::head::no_session;
use super::{Changes, Endpoint, Moment, NoSession, Posted, Route};
use crate::http::{self, Known, Status};
use crate::hub::Filter;
use crate::json::{Kind, ScanError, Text};
use crate::limits::CLIENT_TEXT_BYTES_MAX;
use crate::mcp::{Method, discover, tools};
use crate::rpc::{self, Code, Envelope, Message};
use crate::session::{
    IdText, LogLevel, Principal, Revision, Session, SessionFields, SessionId, SessionRef, Table, Transport,
};

/// What is to be done about a message.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Answer at once.
    Answer(Answer<'static>),
    /// A notification that asks for a running call to be dropped; then 202.
    Cancel { session: SessionRef, request: crate::json::Span },
    /// Do the work, and answer with its result.
    Job(Job),
    /// Open the stream of a `subscriptions/listen`.
    Listen { envelope: Envelope, filter: Filter },
    /// An array of messages (2025-03-26): each is decided on its own.
    Batch(SessionRef),
}

/// A request that is to be answered.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) envelope: Envelope,
    pub(crate) revision: Revision,
    pub(crate) work: Work,
    /// The session that it belongs to (none in 2026-07-28).
    pub(crate) session: Option<SessionRef>,
    /// The id of a session that was opened by this request, for the head of its answer.
    pub(crate) session_id: Option<IdText>,
    pub(crate) changes: Changes,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Initialize,
    Discover,
    Ping,
    ToolsList,
    ToolsCall(usize),
    SetLevel,
    /// A JSON-RPC error, as the answer to the request.
    Refuse(Code, &'static str),
}

/// What surrounds a message.
#[derive(Clone, Copy)]
pub(super) struct Around<'a, 'r> {
    pub(super) head: http::Request<'r>,
    pub(super) posted: Posted,
    pub(super) moment: &'a Moment,
    /// The message is an element of a batch of this session.
    pub(super) batch: Option<SessionRef>,
}

impl Endpoint {
    /// Decides on the body of a POST. Scans it, and normalises its strings in place.
    pub(crate) fn message(
        &self,
        head: http::Request<'_>,
        posted: Posted,
        doc: &mut [u8],
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Decision {
        let around = Around { head, posted, moment, batch: None };
        let decided = if doc.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            self.batch(&around, doc, table)
        } else {
            self.decide(&around, doc, table)
        };
        decided.unwrap_or_else(Decision::Answer)
    }

    /// Decides on one message of a batch.
    pub(crate) fn element(
        &self,
        head: http::Request<'_>,
        posted: Posted,
        doc: &mut [u8],
        session: SessionRef,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Decision {
        let around = Around { head, posted, moment, batch: Some(session) };
        self.decide(&around, doc, table).unwrap_or_else(Decision::Answer)
    }

    fn decide(
        &self,
        around: &Around<'_, '_>,
        doc: &mut [u8],
        table: &mut Table<'_>,
    ) -> Result<Decision, Answer<'static>> {
        let (kind, envelope) = Envelope::scan(doc).map_err(not_json)?;
        if kind != Kind::Object {
            return Err(invalid("a message must be a JSON object"));
        }
        if envelope.duplicate {
            return Err(invalid("a member of the message came twice"));
        }
        let Some(message) = envelope.message(doc) else {
            return Err(invalid_in(
                &envelope,
                doc,
                "not a JSON-RPC 2.0 message: it needs \"jsonrpc\": \"2.0\", and a \"method\" (with an \"id\" that is a string or \
                 an integer, unless it is a notification), or an \"id\" and one of \"result\" and \"error\"",
            ));
        };
        if around.posted.route == Route::Messages {
            return self.on_stream(around, message, envelope, doc, table);
        }
        let version = around.head.header(Known::McpProtocolVersion);
        let named = version.map(Revision::parse);
        let enveloped = envelope.meta_version.is_some() && message != Message::Response;
        if enveloped && around.batch.is_some() {
            return Err(invalid_in(&envelope, doc, "a 2026-07-28 message can't be part of a batch"));
        }
        match (message, named) {
            (Message::Request, _) if enveloped => self.modern(around, envelope, doc),
            (Message::Notification, _) if enveloped => Err(Answer::empty(Status::ACCEPTED)),
            (Message::Notification, Some(Some(Revision::V2026_07_28))) => Err(Answer::empty(Status::ACCEPTED)),
            (Message::Request, Some(Some(Revision::V2026_07_28))) => Err(super::modern::no_envelope(&envelope, doc)),
            (Message::Response, Some(Some(Revision::V2026_07_28))) => {
                Err(invalid("2026-07-28 has no posted responses: answer in inputResponses"))
            }
            (_, Some(None)) => Err(Answer::refusal(
                Status::BAD_REQUEST,
                Code::REFUSED,
                "the MCP-Protocol-Version header names no revision of the protocol that this server knows",
            )),
            _ => self.legacy(around, message, envelope, doc, table),
        }
    }

    // An array: only a session of 2025-03-26 may send one.
    fn batch(
        &self,
        around: &Around<'_, '_>,
        doc: &mut [u8],
        table: &mut Table<'_>,
    ) -> Result<Decision, Answer<'static>> {
        crate::json::validate(doc).map_err(not_json)?;
        let refusal = || invalid("a batch (an array of messages) is taken only in a session of revision 2025-03-26");
        let Some(text) = around.head.header(Known::McpSessionId).filter(|_| around.posted.route == Route::Mcp) else {
            return Err(refusal());
        };
        let found = self.session(text, around.posted.principal, table, around.moment).map_err(no_session)?;
        match table.get(found.session) {
            Some(session) if session.revision() == Revision::V2025_03_26 => Ok(Decision::Batch(found.session)),
            _ => Err(refusal()),
        }
    }

    fn legacy(
        &self,
        around: &Around<'_, '_>,
        message: Message,
        envelope: Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision, Answer<'static>> {
        if message == Message::Request && envelope.method_name(doc) == b"initialize" {
            if around.batch.is_some() {
                return Err(invalid_in(&envelope, doc, "initialize can't be part of a batch"));
            }
            return self.initialize(around, envelope, doc, table);
        }
        let (session, changes) = match (around.batch, around.head.header(Known::McpSessionId)) {
            (Some(session), _) => (session, Changes::default()),
            (None, None) => {
                let id = envelope.id.map(|id| id.span);
                let message = "the Mcp-Session-Id header is missing: send initialize first, and then the id that its answer gives in each request".into();
                let body = Body::Error { id, code: Code::REFUSED, message, data: Data::None };
                return Err(Answer::with(Status::BAD_REQUEST, body));
            }
            (None, Some(text)) => {
                let found = self.session(text, around.posted.principal, table, around.moment).map_err(no_session)?;
                (found.session, found.changes)
            }
        };
        let revision = table.get(session).map(Session::revision);
        let revision = revision.ok_or_else(|| no_session(NoSession::Unknown))?;
        Ok(self.in_session(message, envelope, doc, table, session, revision, changes))
    }

    // A message of a session, over either transport.
    #[allow(clippy::too_many_arguments)] // the session's parts, known to both callers
    fn in_session(
        &self,
        message: Message,
        envelope: Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
        session: SessionRef,
        revision: Revision,
        changes: Changes,
    ) -> Decision {
        match message {
            Message::Response => Decision::Answer(Answer::empty(Status::ACCEPTED)),
            Message::Notification => {
                let method = envelope.method_name(doc);
                match envelope.request_id {
                    Some(request) if method == b"notifications/cancelled" => {
                        Decision::Cancel { session, request: request.span }
                    }
                    _ => Decision::Answer(Answer::empty(Status::ACCEPTED)),
                }
            }
            Message::Request => {
                let work = self.work(Method::of(revision, envelope.method_name(doc)), &envelope, doc);
                if work == Work::SetLevel {
                    let level = Envelope::text(envelope.level, doc).and_then(LogLevel::parse);
                    table.set_log_level(session, level);
                }
                Decision::Job(Job { envelope, revision, work, session: Some(session), session_id: None, changes })
            }
        }
    }

    /// What a request of a known method asks for.
    pub(super) fn work(&self, method: Option<Method>, envelope: &Envelope, doc: &[u8]) -> Work {
        match method {
            Some(Method::Initialize) => Work::Refuse(Code::INVALID_REQUEST, "this session is initialized already"),
            Some(Method::Discover) => Work::Discover,
            Some(Method::Ping) => Work::Ping,
            Some(Method::ToolsList) => Work::ToolsList,
            Some(Method::ToolsCall) => match tools::find(envelope, doc, self.tools) {
                Ok(index) => Work::ToolsCall(index),
                Err(message) => Work::Refuse(Code::INVALID_PARAMS, message),
            },
            Some(Method::SetLevel) => match Envelope::text(envelope.level, doc).and_then(LogLevel::parse) {
                Some(_) => Work::SetLevel,
                None => Work::Refuse(
                    Code::INVALID_PARAMS,
                    "params.level must be one of debug, info, notice, warning, error, critical, alert, emergency",
                ),
            },
            Some(Method::Listen) | None => Work::Refuse(Code::METHOD_NOT_FOUND, "method not found"),
        }
    }

    // `initialize` over Streamable HTTP: a new session, whatever id came with it.
    fn initialize(
        &self,
        around: &Around<'_, '_>,
        envelope: Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision, Answer<'static>> {
        let moment = around.moment;
        let revision = discover::negotiate(&envelope, doc);
        let fields = SessionFields {
            revision,
            transport: Transport::Streamable,
            capabilities: discover::capabilities(&envelope, doc),
            issued_unix_s: moment.unix_s,
        };
        let random = (moment.random)().ok_or_else(|| no_session(NoSession::Full))?;
        let (id, text) = SessionId::issue(&self.key, fields, around.posted.principal, random);
        let (name, version) = client(&envelope, doc);
        let admitted = table.open(id, &name, &version, moment.now_ms).map_err(|_| no_session(NoSession::Full))?;
        let changes =
            Changes { came: Some(admitted.session), evicted: admitted.evicted.map(|evicted| evicted.client.0) };
        Ok(Decision::Job(Job {
            envelope,
            revision,
            work: Work::Initialize,
            session: Some(admitted.session),
            session_id: Some(text),
            changes,
        }))
    }

    // POST /messages: a message of a 2024-11-05 session, whose answer goes to its stream.
    fn on_stream(
        &self,
        around: &Around<'_, '_>,
        message: Message,
        envelope: Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision, Answer<'static>> {
        let text = around.head.query_param("sessionId").unwrap_or_default();
        let found = self.session(text.as_bytes(), around.posted.principal, table, around.moment).map_err(no_session)?;
        let session = found.session;
        let live = table.get(session).filter(|session| session.stream().is_some());
        let Some(mut revision) = live.map(Session::revision) else {
            return Err(no_session(NoSession::Unknown));
        };
        if message == Message::Request && envelope.method_name(doc) == b"initialize" {
            revision = discover::negotiate(&envelope, doc);
            let (name, version) = client(&envelope, doc);
            table.set_negotiated(session, revision, &name, &version);
            return Ok(Decision::Job(Job {
                envelope,
                revision,
                work: Work::Initialize,
                session: Some(session),
                session_id: None,
                changes: Changes { came: Some(session), evicted: None },
            }));
        }
        Ok(self.in_session(message, envelope, doc, table, session, revision, Changes::default()))
    }

    /// Opens the session of a 2024-11-05 stream; gives the reference to POST to.
    pub(crate) fn open_http_sse(
        &self,
        principal: Principal,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<(SessionRef, IdText, Changes), Answer<'static>> {
        let fields = SessionFields {
            revision: Revision::V2024_11_05,
            transport: Transport::HttpSse,
            capabilities: 0,
            issued_unix_s: moment.unix_s,
        };
        let random = (moment.random)().ok_or_else(|| no_session(NoSession::Full))?;
        let (id, text) = SessionId::issue(&self.key, fields, principal, random);
        let admitted = table.open(id, "", "", moment.now_ms).map_err(|_| no_session(NoSession::Full))?;
        let evicted = admitted.evicted.map(|evicted| evicted.client.0);
        Ok((admitted.session, text, Changes { came: None, evicted }))
    }
}

/// A client's own name or version, cut.
type ClientText = heapless::String<CLIENT_TEXT_BYTES_MAX>;

fn client(envelope: &Envelope, doc: &[u8]) -> (ClientText, ClientText) {
    let (name, version) = rpc::implementation(envelope.client_info, doc);
    (client_text(name), client_text(version))
}

/// A client's text, decoded and cut.
pub(crate) fn client_text(text: Option<Text<'_>>) -> ClientText {
    let mut cut = ClientText::new();
    // The first character that does not fit ends it.
    let _ = text.and_then(|text| text.chars().try_for_each(|char| cut.push(char)).ok());
    cut
}

pub(super) fn invalid(message: &str) -> Answer<'static> {
    Answer::refusal(Status::BAD_REQUEST, Code::INVALID_REQUEST, message)
}

fn invalid_in(envelope: &Envelope, doc: &[u8], message: &str) -> Answer<'static> {
    let id = envelope.id.filter(|_| envelope.id_raw(doc) != b"null").map(|id| id.span);
    Answer::with(
        Status::BAD_REQUEST,
        Body::Error { id, code: Code::INVALID_REQUEST, message: message.into(), data: Data::None },
    )
}

fn not_json(error: ScanError) -> Answer<'static> {
    let message = super::answer::Sentence::of(format_args!("not JSON: {error}"));
    Answer::refusal(Status::BAD_REQUEST, Code::PARSE_ERROR, message)
}
