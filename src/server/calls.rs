//! What a worker does with a decision: runs requests, batches, and opens streams.

use std::cell::RefCell;
use std::pin::pin;

use super::conns::ConnRef;
use super::core::hash_id;
use super::drive::{Outcome, Target, Watch};
use super::inputs::Asking;
use super::notices::Notice;
use super::stream_table::StreamRef;
use super::worker::{After, Manner, Turn, Worker};
use crate::app::{Application, Ask, Client, Context, Door, Nobody, Ran, ToolError, requested};
use crate::endpoint::{Answer, Body, Cause, Findings, Job, Route, Work};
use crate::http::Status;
use crate::mcp::input::Pass;
use crate::mcp::pages::List;
use crate::mcp::{self, completion, discover, prompts, resources, scopes, subscriptions, tools};
use crate::outlet::{Mark, Out, Outlet, Wire};
use crate::rpc::{Code, Envelope, Request};
use crate::session::SessionRef;

/// What a call is told that came when all buffers were taken by others.
pub(super) const ALL_CALLS_TAKEN: &str = "all calls of this server are taken";
/// What a call is told whose tool was dropped for its time.
const TOO_LATE: &str = "the tool took too long and was stopped";
/// What is told instead where there is no tool.
const TOO_LATE_OTHERWISE: &str = "the request took too long and was stopped";

/// What a client of an older revision is told that calls a tool that only runs as a task.
const ONLY_AS_TASK: &str = "this tool runs only as a task: it needs a client of MCP 2026-07-28 with the extension io.modelcontextprotocol/tasks";

impl<A: Application> Worker<'_, '_, A> {
    /// Does the work of a request and answers it, by its connection or (2024-11-05) on its session's stream.
    #[allow(clippy::too_many_arguments)] // all that a request consists of
    pub(super) async fn job(
        &self,
        conn: ConnRef,
        job: &mut Job<'_>,
        findings: &Findings,
        route: Route,
        manner: &Manner<'_>,
        doc: &[u8],
        watch: &mut Watch<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let envelope = &findings.envelope;
        if self.is_beyond_reserve(job) {
            // It has waited for a buffer already.
            let mut answer = Answer::unavailable(ALL_CALLS_TAKEN).because(Cause::Calls);
            answer.answer_to(envelope);
            return self.answer(conn, answer, manner, doc, tx).await;
        }
        self.hold_tool(job);
        if route == Route::Messages {
            return pin!(self.relay(conn, job, envelope, manner, doc, watch, tx)).await;
        }
        let mut outlet = manner.outlet(tx);
        if matches!(job.work, Work::Initialize) {
            outlet.get_mut().set_session_id(findings.session_id.take());
        }
        watch.cancels = job.revision.is_modern();
        let request = Request { doc, envelope, revision: job.revision };
        let session = job.session.filter(|_| job.work.is_call());
        let resumable = self.core.make_resumable(outlet.get_mut(), &request, session, conn);
        self.slot.resumable.set(resumable);
        let outcome = pin!(self.run_job(&Target::Conn(conn), &outlet, job, envelope, doc, Some(watch))).await;
        if let Some(call) = self.slot.resumable.take() {
            self.end_resumable(call, &outlet);
        }
        match outcome {
            _ if self.slot.detached.get() => Turn::Done(After::Elsewhere),
            Outcome::Sent if !manner.template.close && !outlet.borrow().ends_with_connection() => Turn::Next,
            Outcome::Sent => Turn::Done(After::Linger),
            _ => Turn::Done(After::Close),
        }
    }

    #[allow(clippy::too_many_arguments)] // all that a request consists of
    // 2024-11-05: 202 at once, and the answer on the session's stream.
    async fn relay(
        &self,
        conn: ConnRef,
        job: &Job<'_>,
        envelope: &Envelope,
        manner: &Manner<'_>,
        doc: &[u8],
        watch: &mut Watch<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let stream = self.stream_of(job.session);
        // From here on the end of the stream is the end of the call.
        self.slot.relay.set(stream.map(|(stream, _)| stream));
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
        if self.core.streams.borrow_mut().get(stream).is_none() {
            return turn;
        }
        let outlet = RefCell::new(Outlet::relay(tx, wire));
        let mut nothing = [];
        let mut unwatched = Watch::new(&mut nothing, false);
        unwatched.cancels = true;
        pin!(self.run_job(&Target::Stream(stream), &outlet, job, envelope, doc, Some(&mut unwatched))).await;
        turn
    }

    fn stream_of(&self, session: Option<SessionRef>) -> Option<(StreamRef, Wire)> {
        let index = self.core.sessions.borrow().get(session?)?.stream()? as usize;
        let mut streams = self.core.streams.borrow_mut();
        let stream = streams.reference(index)?;
        let open = streams.get(stream)?;
        open.hear();
        Some((stream, open.wire))
    }

    // Runs a request to its end, whatever end that is.
    async fn run_job(
        &self,
        target: &Target,
        outlet: &RefCell<Outlet<'_>>,
        job: &Job<'_>,
        envelope: &Envelope,
        doc: &[u8],
        watch: Option<&mut Watch<'_>>,
    ) -> Outcome {
        let request = Request { doc, envelope, revision: job.revision };
        let client = self.begin_call(job, &request);
        let handler = pin!(Some(self.respond(Out::new(outlet), &request, job, &client)));
        let outcome = self.drive(target, outlet, handler, watch).await;
        self.end_call(job, outcome);
        match outcome {
            Outcome::Late if outlet.borrow_mut().rewind(Mark::START) => {
                let handler = pin!(Some(self.fail(Out::new(outlet), &request, job.work)));
                self.drive(target, outlet, handler, None).await
            }
            // Nothing more is said for a cancelled call; only its HTTP exchange must end.
            Outcome::Cancelled if matches!(target, Target::Conn(_)) && outlet.borrow_mut().rewind(Mark::START) => {
                self.set_cut_off(&mut outlet.borrow_mut(), job.principal);
                self.drive(target, outlet, pin!(Some(async {})), None).await
            }
            _ => outcome,
        }
    }

    /// A request is about to be answered: a call can be cancelled from here on, and its session stays. Gives the client.
    pub(super) fn begin_call<'a>(&self, job: &Job<'_>, request: &'a Request<'a>) -> Client<'a> {
        if job.work.is_call() {
            self.core.tally.call_begun();
            self.slot.begun_ms.set(self.core.now_ms.get());
        }
        let mut sessions = self.core.sessions.borrow_mut();
        let Some(session) = job.session else {
            return Client::of(request);
        };
        if job.work.is_call() && sessions.call_started(session, self.core.now_ms.get()) {
            let call = (session, hash_id(request.id()));
            self.slot.call.set(Some(call));
            if self.core.was_cancelled(call) {
                self.slot.cancelled.set(true);
            }
        }
        let name = sessions.get(session).map(|session| sessions.client(session).0);
        Client::named(name.unwrap_or_default())
    }

    /// It was answered, or never will be.
    pub(super) fn end_call(&self, job: &Job<'_>, outcome: Outcome) {
        let ran = self.slot.ran.take();
        if job.work.is_call() {
            self.audit_call(job, ran, outcome);
            self.count_call(job.work, ran, outcome);
        }
        if let (Some(session), Some(_)) = (job.session, self.slot.call.take()) {
            self.core.sessions.borrow_mut().call_ended(session, self.core.now_ms.get());
        }
        self.slot.cancelled.set(false);
    }

    // Each call is counted by one of its ends: its handler's, or else why that was dropped.
    fn count_call(&self, work: Work, ran: Option<Ran>, outcome: Outcome) {
        self.core.tally.call_over();
        let name = self.core.asked(work).map_or("a completion", |(_, name)| name);
        let calls = &self.core.tally.calls;
        let counter = match (ran, outcome) {
            (Some(Ran::Failed), _) => &calls.failed,
            (Some(Ran::Broken), _) => {
                self.core
                    .notice(Notice::Broken, format_args!("an answer of {name} was broken off: it failed half-way"));
                &calls.failed
            }
            (Some(Ran::Panicked), _) => {
                self.core.notice(Notice::Panicked, format_args!("{name} panicked"));
                &calls.panicked
            }
            (Some(Ran::Finished | Ran::Asked), _) | (None, Outcome::Sent) => &calls.finished,
            (None, Outcome::Late) => {
                self.core
                    .notice(Notice::Late, format_args!("a call of {name} was stopped: it took longer than it may"));
                &calls.timed_out
            }
            (None, Outcome::Cancelled) => &calls.cancelled,
            (None, Outcome::Gone) => &calls.abandoned,
        };
        counter.add();
    }

    /// The reserve is for what frees others.
    pub(super) fn is_beyond_reserve(&self, job: &Job<'_>) -> bool {
        self.slot.reserved && job.work.is_call()
    }

    /// Answers a request whose handler was dropped for its time.
    pub(super) async fn fail(&self, out: Out<'_>, request: &Request<'_>, work: Work) {
        match work {
            Work::ToolsCall(_) | Work::TaskOf(_) | Work::TaskLater(_) => {
                tools::fail(out, request, TOO_LATE.into(), &self.core.identity).await;
            }
            _ => mcp::refuse(out, request, Code::INTERNAL_ERROR, TOO_LATE_OTHERWISE).await,
        }
    }

    // `resources/subscribe` and `resources/unsubscribe`, which need a session.
    async fn subscribe(&self, out: Out<'_>, request: &Request<'_>, job: &Job<'_>) {
        let done = match (job.session, requested(request)) {
            (Some(session), Some(uri)) if job.work == Work::Subscribe => self.core.subscribe(session, uri),
            (Some(session), Some(uri)) => {
                self.core.unsubscribe(session, uri);
                Ok(())
            }
            _ => Ok(()),
        };
        match done {
            Ok(()) => mcp::empty(out, request).await,
            Err(why) => mcp::refuse(out, request, Code::INTERNAL_ERROR, subscriptions::no_place(why)).await,
        }
    }

    /// Writes the response to a request.
    pub(super) async fn respond(&self, out: Out<'_>, request: &Request<'_>, job: &Job<'_>, client: &Client<'_>) {
        let (app, identity) = (&self.core.app, &self.core.identity);
        let catalog = &self.core.endpoint.catalog;
        let (around, secrets) = ((&self.core.endpoint.key, identity), (&self.core.endpoint.key, &self.core.slips));
        let client = Some(client);
        let principal = job.principal;
        let (unix_s, body_bytes_max) = (self.core.unix_s.get(), self.core.limits.body_bytes_max);
        let pass = Pass::new(request, secrets, identity, job.principal.id(), unix_s, body_bytes_max);
        let asking = job.session.map(|session| Asking { core: self.core, worker: self.index, session });
        let ask: &dyn Ask = match &asking {
            _ if job.revision.is_modern() => &pass,
            Some(asking) if !self.slot.batch.get() => asking,
            _ => &Nobody,
        };
        let context =
            &Context { announce: self.core, client, session: job.session, ask, door: Door::Closed, principal };
        let ran = |ran| self.slot.ran.set(Some(ran));
        match job.work {
            Work::Subscribe | Work::Unsubscribe => self.subscribe(out, request, job).await,
            Work::Initialize => discover::initialize(out, request, identity, catalog).await,
            Work::Discover => discover::discover(out, request, identity, catalog).await,
            Work::SetLevel => {
                self.core.wishes_changed();
                mcp::empty(out, request).await;
            }
            Work::Ping => mcp::empty(out, request).await,
            Work::Audit => self.read_audit(out, request).await,
            Work::Forbidden((target, needed)) => {
                self.refused_request();
                self.audit_refused(Cause::Scope(target));
                scopes::refuse(out, request, needed, principal).await;
            }
            Work::Refuse(code, message) => {
                self.refused_request();
                mcp::refuse(out, request, code, message).await;
            }
            Work::ToolsCall(_) | Work::TaskOf(_) | Work::TaskLater(_) | Work::Task(_) => {
                ran(pin!(self.call(out, request, job, &pass, context)).await);
            }
            Work::OnlyAsTask | Work::TooOften(_) => tools::fail(out, request, self.not_run(out, job), identity).await,
            Work::List(page) => match page.list {
                List::Tools => tools::list(out, request, page, catalog, principal, around).await,
                List::Prompts => prompts::list(out, request, page, catalog.prompts, principal, around).await,
                List::Resources | List::Templates => {
                    resources::list(out, request, page, catalog, principal, around).await;
                }
            },
            Work::Read(index) => ran(pin!(resources::read(app, out, request, index, identity, context)).await),
            Work::NoResource => {
                self.refused_request();
                resources::not_found(out, request).await;
            }
            Work::GetPrompt(index) => ran(pin!(prompts::get(app, out, request, index, identity, context)).await),
            Work::Complete(subject) => ran(pin!(completion::complete(app, out, request, subject, identity)).await),
        }
    }

    // Why a tool is not run.
    fn not_run(&self, out: Out<'_>, job: &Job<'_>) -> ToolError {
        if let Work::TooOften(limited) = job.work {
            self.slot.refused.set(true);
            out.set_retry_after(limited.wait_s);
            return limited.into();
        }
        self.refused_request();
        ONLY_AS_TASK.into()
    }

    // It is answered with an error.
    fn refused_request(&self) {
        self.core.tally.refused.request.add();
        self.slot.refused.set(true);
    }
}
