//! What a worker does with a decision: runs requests, batches, and opens streams.

use std::cell::RefCell;

use super::conns::{ConnRef, State};
use super::core::index32;
use super::drive::{Outcome, Target, Watch};
use super::streams::{Open, StreamRef};
use super::worker::{After, Manner, Turn, Worker};
use crate::app::{Context, Tools};
use crate::endpoint::{Answer, Body, Decision, Job, Moment, Opening, Posted, Route, Work};
use crate::http::{self, Status};
use crate::hub::Filter;
use crate::json::{Span, Value, Writer};
use crate::limits::{BATCH_MAX, CLIENT_TEXT_BYTES_MAX, RETRY_MS};
use crate::mcp::{self, discover, subscriptions, tools};
use crate::outlet::{Out, Outlet, Wire};
use crate::rpc::{Code, Envelope, Request};
use crate::session::{Revision, SessionRef};
use crate::sse;

impl<A: Tools> Worker<'_, '_, A> {
    /// Does the work of a request and answers it, by its connection or (2024-11-05) on its session's stream.
    #[allow(clippy::too_many_arguments)] // all that a request consists of
    pub(super) async fn job(
        &self,
        conn: ConnRef,
        mut job: Job,
        route: Route,
        manner: &Manner<'_>,
        doc: &[u8],
        watch: &mut Watch<'_>,
        tx: &mut [u8],
    ) -> Turn {
        self.core.tell(job.changes);
        if self.slot().reserved && matches!(job.work, Work::ToolsCall(_)) {
            // The reserve is for what frees others; this request has waited for a buffer already.
            return self.answer(conn, Answer::unavailable("all calls of this server are taken"), manner, doc, tx).await;
        }
        if route == Route::Messages {
            return self.relay(conn, job, manner, doc, watch, tx).await;
        }
        let mut outlet = manner.outlet(tx);
        if let Some(id) = job.session_id.take() {
            outlet.set_session_id(id);
        }
        watch.cancels = job.revision.is_modern();
        let outlet = RefCell::new(outlet);
        let outcome = self.run_job(Target::Conn(conn), &outlet, &job, doc, Some(watch)).await;
        match outcome {
            Outcome::Sent if !manner.template.close => Turn::Next,
            Outcome::Sent => Turn::Done(After::Linger),
            _ => Turn::Done(After::Close),
        }
    }

    // 2024-11-05: 202 at once, and the answer on the session's stream.
    async fn relay(
        &self,
        conn: ConnRef,
        job: Job,
        manner: &Manner<'_>,
        doc: &[u8],
        watch: &mut Watch<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let stream = self.stream_of(job.session);
        let accepted = Answer::with(Status::ACCEPTED, Body::Plain("Accepted"));
        let turn = self.answer(conn, accepted, manner, doc, tx).await;
        let Some((stream, wire)) = stream else { return turn };
        // The connection is free for the next message, such as the one that cancels this call; unless that lies in this
        // worker's buffer already.
        let turn = match turn {
            Turn::Next if !watch.pipelined => {
                self.leave(conn, After::Idle);
                Turn::Done(After::Elsewhere)
            }
            Turn::Done(after) => {
                self.leave(conn, after);
                Turn::Done(After::Elsewhere)
            }
            Turn::Next => Turn::Next,
        };
        self.slot().relay.set(Some(stream));
        let outlet = RefCell::new(Outlet::relay(tx, wire));
        let mut nothing = [];
        let mut unwatched = Watch::new(&mut nothing, false);
        unwatched.cancels = true;
        self.run_job(Target::Stream(stream), &outlet, &job, doc, Some(&mut unwatched)).await;
        turn
    }

    fn stream_of(&self, session: Option<SessionRef>) -> Option<(StreamRef, Wire)> {
        let index = self.core.sessions.borrow().get(session?)?.stream()? as usize;
        let mut streams = self.core.streams.borrow_mut();
        let stream = streams.reference(index)?;
        let open = streams.get(stream)?;
        open.heard = true;
        Some((stream, open.wire))
    }

    // Runs a request to its end, whatever end that is.
    async fn run_job(
        &self,
        target: Target,
        outlet: &RefCell<Outlet<'_>>,
        job: &Job,
        doc: &[u8],
        mut watch: Option<&mut Watch<'_>>,
    ) -> Outcome {
        let request = Request { doc, envelope: job.envelope, revision: job.revision };
        let now_ms = self.core.now_ms.get();
        let session = job.session.filter(|_| matches!(job.work, Work::ToolsCall(_)));
        if let Some(session) = session {
            self.core.sessions.borrow_mut().call_started(session, now_ms);
            self.slot().call.set(Some((session, self.core.hash_id(request.id()))));
        }
        let client = self.client_name(job);
        let handler = self.respond(Out::new(outlet), &request, job.work, &client);
        let mut outcome = self.drive(target, outlet, handler, watch.as_deref_mut()).await;
        if let Some(session) = session {
            self.slot().call.set(None);
            self.core.sessions.borrow_mut().call_ended(session, self.core.now_ms.get());
        }
        self.slot().cancelled.set(false);
        match outcome {
            Outcome::Late if outlet.borrow_mut().rewind() => {
                let late = "the tool took too long and was stopped";
                let handler = tools::fail(Out::new(outlet), &request, late, &self.core.identity);
                self.drive(target, outlet, handler, None).await
            }
            Outcome::Cancelled if outlet.borrow_mut().rewind() => {
                // Nothing more is said for a cancelled call; only its HTTP exchange must end.
                outlet.borrow_mut().set_status(Status::ACCEPTED);
                if matches!(target, Target::Conn(_)) {
                    outcome = self.drive(target, outlet, async {}, None).await;
                }
                outcome
            }
            _ => outcome,
        }
    }

    fn client_name(&self, job: &Job) -> heapless::String<CLIENT_TEXT_BYTES_MAX> {
        let sessions = self.core.sessions.borrow();
        let name = job.session.and_then(|session| sessions.get(session)).map(|session| session.client_name());
        name.and_then(|name| name.parse().ok()).unwrap_or_default()
    }

    async fn respond(&self, out: Out<'_>, request: &Request<'_>, work: Work, client: &str) {
        let identity = &self.core.identity;
        match work {
            Work::Initialize => discover::initialize(out, request, identity).await,
            Work::Discover => discover::discover(out, request, identity).await,
            Work::Ping | Work::SetLevel => mcp::empty(out, request).await,
            Work::ToolsList => tools::list(out, request, A::TOOLS, identity).await,
            Work::Refuse(code, message) => mcp::refuse(out, request, code, message).await,
            Work::ToolsCall(index) => {
                let client = Some(client).filter(|name| !name.is_empty());
                let context = Context { announce: self.core, client };
                tools::call(&self.core.app, out, request, index, identity, context).await;
            }
        }
    }

    /// Answers an array of messages (2025-03-26) with an array of responses.
    #[allow(clippy::too_many_arguments)] // all that a request consists of
    pub(super) async fn batch(
        &self,
        conn: ConnRef,
        session: SessionRef,
        head: http::Request<'_>,
        posted: Posted,
        manner: &Manner<'_>,
        doc: &mut [u8],
        watch: &mut Watch<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let Some(spans) = elements(doc) else {
            let answer = Answer::refusal(
                Status::BAD_REQUEST,
                Code::INVALID_REQUEST,
                "a batch must have at least one message, and at most 16",
            );
            return self.answer(conn, answer, manner, doc, tx).await;
        };
        let moment = self.core.moment(conn);
        let mut outlet = manner.outlet(tx);
        // The responses come as one array.
        outlet.set_json_only();
        let outlet = RefCell::new(outlet);
        let out = Out::new(&outlet);
        let mut answered = false;
        for span in spans {
            let Some(element) = doc.get_mut(span.start as usize..span.end as usize) else { continue };
            let decision = {
                let mut sessions = self.core.sessions.borrow_mut();
                self.core.endpoint.element(head, posted, element, session, &mut sessions, &moment)
            };
            let separator = if answered { "," } else { "[" };
            let separate = |w: &mut Writer<'_>| drop(w.str(separator));
            let outcome = match decision {
                Decision::Job(job) => {
                    let request = Request { doc: element, envelope: job.envelope, revision: job.revision };
                    let client = self.client_name(&job);
                    let handler = async {
                        out.write(separate).await;
                        self.respond(out, &request, job.work, &client).await;
                    };
                    answered = true;
                    self.drive_part(conn, &outlet, handler, watch).await
                }
                Decision::Answer(answer) if answer.has_body() => {
                    answered = true;
                    let handler = out.write(|w| {
                        separate(w);
                        answer.write(w, element);
                    });
                    self.drive_part(conn, &outlet, handler, watch).await
                }
                Decision::Cancel { session, request } => {
                    self.core.cancel(session, request.of(element));
                    Outcome::Sent
                }
                _ => Outcome::Sent,
            };
            if outcome != Outcome::Sent {
                return Turn::Done(After::Close);
            }
        }
        let end = async {
            if answered {
                out.write(|w| drop(w.str("]"))).await;
            } else {
                out.set_status(Status::ACCEPTED);
            }
        };
        match self.drive(Target::Conn(conn), &outlet, end, None).await {
            Outcome::Sent if !manner.template.close => Turn::Next,
            Outcome::Sent => Turn::Done(After::Linger),
            _ => Turn::Done(After::Close),
        }
    }

    // One response of a batch: more follows, so the outlet is not finished by it.
    async fn drive_part(
        &self,
        conn: ConnRef,
        outlet: &RefCell<Outlet<'_>>,
        handler: impl Future<Output = ()>,
        watch: &mut Watch<'_>,
    ) -> Outcome {
        let outcome = self.drive(Target::Conn(conn), outlet, handler, Some(watch)).await;
        outlet.borrow_mut().resume();
        outcome
    }

    /// Opens the stream of a GET.
    pub(super) async fn open(
        &self,
        conn: ConnRef,
        opening: Opening,
        head: http::Request<'_>,
        manner: &Manner<'_>,
        moment: &Moment,
        tx: &mut [u8],
    ) -> Turn {
        if !self.make_room() {
            return self.answer(conn, no_stream(), manner, &[], tx).await;
        }
        let (session, http_sse, endpoint) = match opening {
            Opening::Session(session, changes) => {
                self.core.tell(changes);
                (session, false, None)
            }
            Opening::HttpSse(principal) => {
                let opened = {
                    let mut sessions = self.core.sessions.borrow_mut();
                    self.core.endpoint.open_http_sse(principal, &mut sessions, moment)
                };
                match opened {
                    Ok((session, id, changes)) => {
                        self.core.tell(changes);
                        (session, true, Some(id))
                    }
                    Err(answer) => return self.answer(conn, answer, manner, &[], tx).await,
                }
            }
        };
        let wire = if head.is_http10() { Wire::UntilClose } else { Wire::Chunked };
        let mut stream =
            Open::new(conn, wire, self.session_filter(session), self.core.hub.borrow().head(), moment.now_ms);
        stream.session = Some(session);
        stream.http_sse = http_sse;
        let retry_ms = self.retry_ms(conn);
        let public_path = &self.core.endpoint.public_path;
        let first = |w: &mut Writer<'_>| {
            if let Some(id) = &endpoint {
                w.raw(sse::ENDPOINT).str(public_path).str(crate::endpoint::MESSAGES_PATH).str("?sessionId=").str(id);
                w.raw(sse::END);
            }
            w.str("retry: ").uint(u64::from(retry_ms)).str("\n").raw(sse::OPENED);
        };
        self.begin_stream(conn, stream, manner, first, tx).await
    }

    /// Opens the stream of a `subscriptions/listen`.
    pub(super) async fn listen(
        &self,
        conn: ConnRef,
        envelope: &Envelope,
        mut filter: Filter,
        manner: &Manner<'_>,
        doc: &[u8],
        tx: &mut [u8],
    ) -> Turn {
        if !self.make_room() {
            let mut answer = no_stream();
            answer.answer_to(envelope);
            return self.answer(conn, answer, manner, doc, tx).await;
        }
        let id = envelope.id_raw(doc);
        filter.client = self.core.sessions.borrow_mut().next_client().0;
        let wire = if manner.http10 { Wire::UntilClose } else { Wire::Chunked };
        let head = self.core.hub.borrow().head();
        let mut stream = Open::new(conn, wire, filter, head, self.core.now_ms.get());
        stream.listen(id);
        let (name, _) = crate::rpc::implementation(envelope.meta_client_info, doc);
        self.core.came(filter.client, &crate::endpoint::client_text(name), Revision::V2026_07_28);
        let first = |w: &mut Writer<'_>| subscriptions::acknowledge(w, filter, id);
        self.begin_stream(conn, stream, manner, first, tx).await
    }

    // Writes the head and the first event, and gives the connection to the streams.
    async fn begin_stream(
        &self,
        conn: ConnRef,
        stream: Open,
        manner: &Manner<'_>,
        first: impl FnOnce(&mut Writer<'_>),
        tx: &mut [u8],
    ) -> Turn {
        let (session, http_sse) = (stream.session, stream.http_sse);
        let opened = self.core.streams.borrow_mut().open(stream);
        let Some(stream) = opened else { return self.answer(conn, no_stream(), manner, &[], tx).await };
        if let Some(session) = session {
            let now_ms = self.core.now_ms.get();
            let replaced = self.core.sessions.borrow_mut().stream_opened(session, index32(stream.index), now_ms);
            let replaced = replaced.ok().flatten();
            let old = replaced.and_then(|index| self.core.streams.borrow().reference(index as usize));
            if let Some(old) = old {
                self.core.close_stream(old, true);
            }
        }
        if let Some(socket) = self.core.conns.borrow_mut().get(conn).and_then(|slot| slot.socket.as_ref()) {
            socket.prepare_stream();
        }
        let mut outlet = manner.outlet(tx);
        outlet.set_event_stream();
        outlet.open_stream(first);
        let outlet = RefCell::new(outlet);
        // The stream is not finished by this: only what is queued is written.
        if self.write_out(conn, &outlet).await {
            let mut conns = self.core.conns.borrow_mut();
            if let Some(slot) = conns.get(conn) {
                slot.state = State::Stream(stream.index);
                slot.since_ms = self.core.now_ms.get();
                self.core.ready.set(self.core.conn_bit(conn.index));
                return Turn::Done(After::Elsewhere);
            }
        }
        log::debug!("a stream could not be opened (session: {}, HTTP+SSE: {http_sse})", session.is_some());
        self.core.close_stream(stream, false);
        Turn::Done(After::Close)
    }

    // There is a slot for a stream, or one could be freed.
    fn make_room(&self) -> bool {
        if !self.core.streams.borrow().is_full() {
            return true;
        }
        let victim = self.core.streams.borrow().victim(self.core.now_ms.get());
        if let Some(victim) = victim {
            self.core.close_stream(victim, true);
        }
        victim.is_some()
    }

    fn session_filter(&self, session: SessionRef) -> Filter {
        let sessions = self.core.sessions.borrow();
        let session = sessions.get(session);
        Filter {
            tools: true,
            prompts: false,
            resources: false,
            messages: session.and_then(|session| session.log_level()).or(Some(crate::session::LogLevel::Debug)),
            client: session.map_or(0, |session| session.client().0),
        }
    }

    // Clients that were cut off together shall not come back together.
    fn retry_ms(&self, conn: ConnRef) -> u32 {
        let spread = u32::try_from(conn.index % 8).unwrap_or_default();
        RETRY_MS + spread * (RETRY_MS / 16)
    }
}

fn no_stream() -> Answer<'static> {
    Answer::unavailable("all streams of this server are taken")
}

// Where the messages of a batch lie; `None` when there are none, or too many.
fn elements(doc: &[u8]) -> Option<heapless::Vec<Span, BATCH_MAX>> {
    let mut spans = heapless::Vec::new();
    for element in Value::new(doc).elements() {
        let start = element.raw().as_ptr().addr() - doc.as_ptr().addr();
        spans.push(Span::new(start, start + element.raw().len())).ok()?;
    }
    (!spans.is_empty()).then_some(spans)
}
