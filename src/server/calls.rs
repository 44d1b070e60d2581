//! What a worker does with a decision: runs requests, batches, and opens streams.

use std::cell::RefCell;

use super::conns::ConnRef;
use super::drive::{Outcome, Target, Watch};
use super::streams::StreamRef;
use super::worker::{After, Manner, Turn, Worker};
use crate::app::{Context, Tools};
use crate::endpoint::{Answer, Body, Job, Route, Work};
use crate::http::Status;
use crate::limits::CLIENT_TEXT_BYTES_MAX;
use crate::mcp::{self, discover, tools};
use crate::outlet::{Out, Outlet, Wire};
use crate::rpc::Request;
use crate::session::{Session, SessionRef};

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
        watch: Option<&mut Watch<'_>>,
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
        let mut outcome = self.drive(target, outlet, handler, watch).await;
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

    /// The name of the client whose request it is; empty where it told none.
    pub(super) fn client_name(&self, job: &Job) -> heapless::String<CLIENT_TEXT_BYTES_MAX> {
        let sessions = self.core.sessions.borrow();
        let name = job.session.and_then(|session| sessions.get(session)).map(Session::client_name);
        name.and_then(|name| name.parse().ok()).unwrap_or_default()
    }

    /// Writes the response to a request.
    pub(super) async fn respond(&self, out: Out<'_>, request: &Request<'_>, work: Work, client: &str) {
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
}
