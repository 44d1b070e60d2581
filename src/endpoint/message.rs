//! The second decision, from a message that was read whole: which revision it belongs to, and what it wants.

use core::cell::Cell;

use super::answer::{Answer, Body, Data};
use super::head::{no_session, single};
use super::job::{Job, Work};
use super::{Changes, Endpoint, Moment, NoSession, Posted, Route};
use crate::http::{self, Known, Status};
use crate::hub::Filter;
use crate::json::{Kind, ScanError};
use crate::mcp::{Method, input};
use crate::rpc::{Code, Envelope, Message};
use crate::session::{IdText, LogLevel, Revision, Session, SessionRef, Table, Transport};

/// What is to be done about a message that is not answered at once.
#[derive(Debug)]
pub(crate) enum Decision<'p> {
    /// A notification that asks for a running call to be dropped; then 202.
    Cancel { session: SessionRef, request: crate::json::Span },
    /// A client's answer to a question of this server (`None`: it refuses); then 202.
    Reply { session: SessionRef, id: crate::json::Span, result: Option<crate::json::Span> },
    /// Do the work, and answer with its result.
    Job(Job<'p>),
    /// Open the stream of a `subscriptions/listen`.
    Listen { filter: Filter },
    /// An array of messages (2025-03-26): each is decided on its own.
    Batch(SessionRef),
}

/// What was found out about a message on the way to its decision.
#[derive(Default)]
pub(crate) struct Findings {
    /// Where in it things are.
    pub(crate) envelope: Envelope,
    /// Who came and went by the decision.
    pub(crate) changes: Changes,
    /// The id of a session that was opened by it, for the head of its answer.
    pub(crate) session_id: Cell<Option<IdText>>,
}

/// What surrounds a message.
pub(super) struct Around<'a, 'r, 'p> {
    pub(super) head: http::Request<'r>,
    pub(super) posted: Posted<'p>,
    pub(super) moment: &'a Moment,
    /// The message is an element of a batch of this session.
    pub(super) batch: Option<SessionRef>,
    /// Who came and went by the decision.
    pub(super) changes: Cell<Changes>,
    /// As in [`Findings`].
    pub(super) session_id: &'a Cell<Option<IdText>>,
}

impl Endpoint {
    /// Decides on the body of a POST. Scans it, and normalises its strings in place.
    ///
    /// # Errors
    /// What is answered at once.
    pub(crate) fn message<'p>(
        &self,
        head: http::Request<'_>,
        posted: Posted<'p>,
        doc: &mut [u8],
        findings: &mut Findings,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<Decision<'p>, Answer<'static>> {
        let Findings { envelope, session_id, .. } = findings;
        let around = Around { head, posted, moment, batch: None, changes: Cell::default(), session_id };
        let decided = if doc.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            self.batch(&around, doc, table)
        } else {
            self.decide(&around, doc, envelope, table)
        };
        findings.changes = around.changes.get();
        decided
    }

    /// Decides on one message of a batch.
    ///
    /// # Errors
    /// What is answered at once.
    #[allow(clippy::too_many_arguments)] // all that a message consists of
    pub(crate) fn element<'p>(
        &self,
        head: http::Request<'_>,
        posted: Posted<'p>,
        doc: &mut [u8],
        findings: &mut Findings,
        session: SessionRef,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<Decision<'p>, Answer<'static>> {
        let Findings { envelope, session_id, .. } = findings;
        let around = Around { head, posted, moment, batch: Some(session), changes: Cell::default(), session_id };
        let decided = self.decide(&around, doc, envelope, table);
        findings.changes = around.changes.get();
        decided
    }

    fn decide<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        doc: &mut [u8],
        envelope: &mut Envelope,
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        let message = self.read(around, doc, envelope)?;
        self.decided(around, message, doc, envelope, table)
    }

    // What kind of message it is, if it is one.
    fn read(
        &self,
        around: &Around<'_, '_, '_>,
        doc: &mut [u8],
        envelope: &mut Envelope,
    ) -> Result<Message, Answer<'static>> {
        let kind = envelope.scan(doc, &mut self.kept_requests.borrow_mut()).map_err(not_json)?;
        if kind != Kind::Object {
            return Err(invalid("a message must be a JSON object"));
        }
        if envelope.duplicate {
            return Err(invalid("a member of the message came twice"));
        }
        let Some(message) = envelope.message(doc) else {
            return Err(invalid_in(
                envelope,
                doc,
                "not a JSON-RPC 2.0 message: it needs \"jsonrpc\": \"2.0\", and a \"method\" (with an \"id\" that is a string or \
                 an integer, unless it is a notification) and no \"params\" but an object, or an \"id\" and one of \"result\" and \"error\"",
            ));
        };
        match if message == Message::Request { self.may_send(around) } else { Ok(()) } {
            Ok(()) => Ok(message),
            Err(mut answer) => {
                answer.answer_to(envelope);
                Err(answer)
            }
        }
    }

    // Jobs are small, and taken out of what may be an answer instead, which is large.
    fn decided<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        message: Message,
        doc: &mut [u8],
        envelope: &mut Envelope,
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        match self.route(around, message, envelope, doc, table) {
            Ok(Decision::Job(mut job)) => match self.with_state(around, &mut job, envelope, doc) {
                None => Ok(Decision::Job(job)),
                Some(answer) => Err(answer),
            },
            Err(mut answer) if message == Message::Request => {
                answer.answer_to(envelope);
                Err(answer)
            }
            decided => decided,
        }
    }

    // A call of 2026-07-28 that comes again brings its state, which is verified where it lies. An answer instead of a job that lacks scopes.
    fn with_state(
        &self,
        around: &Around<'_, '_, '_>,
        job: &mut Job<'_>,
        envelope: &mut Envelope,
        doc: &mut [u8],
    ) -> Option<Answer<'static>> {
        if let (Work::Forbidden(needed), None, Route::Mcp) = (job.work, around.batch, around.posted.route) {
            // Nothing was said yet, so the status can tell.
            return Some(Answer::insufficient(envelope, needed, job.principal));
        }
        let asks = matches!(
            job.work,
            Work::ToolsCall(_) | Work::TaskOf(_) | Work::TaskLater(_) | Work::Read(_) | Work::GetPrompt(_)
        );
        if asks && job.revision.is_modern() {
            let (principal, unix_s) = (around.posted.principal.id(), around.moment.unix_s);
            if let Err(why) = input::open(&self.key, envelope, doc, principal, unix_s) {
                job.work = Work::Refuse(Code::INVALID_PARAMS, why);
            }
        }
        None
    }

    // To which revision a message belongs: the rows of the table that tell by header and envelope.
    fn route<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        message: Message,
        envelope: &Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        if around.posted.route == Route::Messages {
            return self.on_stream(around, message, envelope, doc, table);
        }
        let enveloped = envelope.meta_version.is_some() && message != Message::Response;
        // The envelope's ladder has its own words for that.
        let version = if enveloped { None } else { single(around.head, Known::McpProtocolVersion)? };
        let named = version.map(Revision::parse);
        if enveloped && around.batch.is_some() {
            return Err(invalid("a 2026-07-28 message can't be part of a batch"));
        }
        match (message, named) {
            (Message::Request, _) if enveloped => self.modern(around, envelope, doc),
            (Message::Notification, _) if enveloped => Err(Answer::empty(Status::ACCEPTED)),
            (Message::Notification, Some(Some(Revision::V2026_07_28))) => Err(Answer::empty(Status::ACCEPTED)),
            (Message::Request, Some(Some(Revision::V2026_07_28))) => Err(super::modern::no_envelope(envelope, doc)),
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
    fn batch<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        doc: &mut [u8],
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        crate::json::validate(doc).map_err(not_json)?;
        let refusal = || invalid("a batch (an array of messages) is taken only in a session of revision 2025-03-26");
        let Some(text) = single(around.head, Known::McpSessionId)?.filter(|_| around.posted.route == Route::Mcp) else {
            return Err(refusal());
        };
        let session = self.find(around, text, Transport::Streamable, table)?;
        match table.get(session) {
            Some(live) if live.revision() == Revision::V2025_03_26 => Ok(Decision::Batch(session)),
            _ => Err(refusal()),
        }
    }

    fn legacy<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        message: Message,
        envelope: &Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        if message == Message::Request && envelope.method_name(doc) == b"initialize" {
            if around.batch.is_some() {
                return Err(invalid("initialize can't be part of a batch"));
            }
            return self.initialize(around, envelope, doc, table);
        }
        let session = match (around.batch, single(around.head, Known::McpSessionId)?) {
            (Some(session), _) => session,
            (None, Some(text)) => self.find(around, text, Transport::Streamable, table)?,
            (None, None) => {
                let message = "the Mcp-Session-Id header is missing: send initialize first, and then the id that its answer \
                               gives in each request";
                return Err(Answer::refusal(Status::BAD_REQUEST, Code::REFUSED, message));
            }
        };
        let revision = table.get(session).map(Session::revision);
        let revision = revision.ok_or_else(|| no_session(NoSession::Unknown))?;
        self.in_session(around, message, envelope, doc, table, session, revision)
    }

    // The session that a message names; who came back or made room for it is noted.
    pub(super) fn find(
        &self,
        around: &Around<'_, '_, '_>,
        text: &[u8],
        transport: Transport,
        table: &mut Table<'_>,
    ) -> Result<SessionRef, Answer<'static>> {
        let found = self.session(text, transport, around.posted.principal.id(), table, around.moment);
        let found = found.map_err(no_session)?;
        around.changes.set(found.changes);
        Ok(found.session)
    }

    // A message of a session, over either transport.
    #[allow(clippy::too_many_arguments)] // all that a message consists of
    pub(super) fn in_session<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        message: Message,
        envelope: &Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
        session: SessionRef,
        revision: Revision,
    ) -> Result<Decision<'p>, Answer<'static>> {
        match message {
            Message::Response => match envelope.id {
                Some(id) => {
                    let result = envelope.result.map(|result| result.span);
                    Ok(Decision::Reply { session, id: id.span, result })
                }
                None => Err(Answer::empty(Status::ACCEPTED)),
            },
            Message::Notification => {
                let method = envelope.method_name(doc);
                match envelope.request_id {
                    Some(request) if method == b"notifications/cancelled" => {
                        Ok(Decision::Cancel { session, request: request.span })
                    }
                    _ => Err(Answer::empty(Status::ACCEPTED)),
                }
            }
            Message::Request => {
                let work =
                    self.work(Method::of(revision, envelope.method_name(doc)), envelope, doc, around.posted.principal);
                let work = match work {
                    Work::ToolsCall(index) if self.only_as_task(index) => Work::OnlyAsTask,
                    work => work,
                };
                if work == Work::SetLevel {
                    let level = Envelope::text(envelope.level, doc).and_then(LogLevel::parse);
                    table.set_log_level(session, level);
                }
                let (principal, session) = (around.posted.principal, Some(session));
                Ok(Decision::Job(Job { revision, work, principal, session }))
            }
        }
    }
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
