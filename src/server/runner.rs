//! The runners of tasks, one for each slot: each runs the tool of its task beside all connections, until that is done, or must end.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{self, Poll};

use super::audit::AuditOutcome;
use super::core::Core;
use super::notices::Notice;
use super::tasks::SHUT_DOWN;
use crate::app::{
    Application, Ask, Client, Context, Door, InputError, Keyed, Question, QuestionKind, Ran, Ticket, Way, caught,
    is_yes,
};
use crate::json::{self, Value, Writer};
use crate::mcp;
use crate::mcp::input::Pass;
use crate::outlet::{Mark, Out, Pen, Turn};
use crate::rpc::Request;
use crate::session::{PrincipalId, Revision};
use crate::tasks::{End, Job, Tasks};

/// What a task is told whose tool was dropped for its time.
const TOO_LATE: &str = "the tool took too long and was stopped";
/// What is told when its result could not be written.
const BROKEN: &str = "the tool failed: what writes its result panicked. The server's log may say more";
/// What is told when a result is larger than its slot.
const TOO_LARGE: &str = "the result is too large for a task of this server (16 KiB)";

/// Runs the tasks of one slot.
pub(super) struct Runner<'w, 'm, A> {
    pub(super) core: &'w Core<'m, A>,
    pub(super) place: usize,
}

impl<A: Application> Runner<'_, '_, A> {
    /// Runs one task after the other, for ever. `request` is for their requests.
    pub(super) async fn run(&self, request: &mut [u8]) {
        loop {
            let begun = poll_fn(|_| self.core.board.tasks.borrow_mut().begin(self.place, request));
            let (job, bytes) = begun.await;
            self.core.board.inputs.borrow_mut().clear(self.place);
            let (doc, kept) =
                request.get(..bytes).and_then(|text| text.split_at_checked(job.bytes)).unwrap_or_default();
            let begun_ms = self.core.now_ms.get();
            let (end, ran) = pin!(self.perform(&job, doc, kept)).await;
            self.core.board.inputs.borrow_mut().clear(self.place);
            let ended = self.core.board.tasks.borrow_mut().end(self.place, end, self.core.now());
            let outcome = if ended { outcome_of(end, ran) } else { self.outcome_of_ended(&job) };
            self.core.audit_task(&job.principal, job.tool, outcome, begun_ms);
            if ended {
                self.count(end, ran);
                self.core.task_changed(self.place);
            }
        }
    }

    async fn perform(&self, job: &Job, doc: &[u8], kept: &[u8]) -> (End, Option<Ran>) {
        let core = self.core;
        let request = Request { doc, envelope: &job.envelope, revision: Revision::V2026_07_28 };
        let client = Client::named(&job.client);
        // No pass ends here, so none is signed for anybody.
        let secrets = (&core.endpoint.key, &core.slips);
        let pass = Pass::new(&request, secrets, &core.identity, PrincipalId::ANYONE, core.unix_s.get(), 0);
        let ask = TaskAsk { core, place: self.place, pass: &pass, kept, confirmed: Cell::new(0) };
        let context = Context {
            announce: core,
            client: Some(&client),
            session: None,
            ask: &ask,
            door: Door::Closed,
            principal: &job.principal,
        };
        let pen =
            TaskPen { tasks: &core.board.tasks, place: self.place, unix_s: &core.unix_s, turn: RefCell::default() };
        let handler = mcp::tasks::perform(&core.app, Out::to(&pen), &request, job.tool, &core.identity, &context);
        let mut handler = pin!(Some(handler));
        let mut how = None;
        let end = poll_fn(|cx| {
            if let Some(why) = self.ends() {
                return Poll::Ready(why);
            }
            let Some(running) = handler.as_mut().as_pin_mut() else { return Poll::Ready(End::Answered) };
            match caught(|| running.poll(cx)) {
                Some(Poll::Ready(ran)) => {
                    how = Some(ran);
                    Poll::Ready(self.ends().unwrap_or(End::Answered))
                }
                Some(Poll::Pending) => self.ends().map_or(Poll::Pending, Poll::Ready),
                // Its own panic was caught where it is told; this one came by writing that.
                None => {
                    how = Some(Ran::Panicked);
                    Poll::Ready(End::Failed(BROKEN))
                }
            }
        })
        .await;
        // A handler that is dropped before its end may panic in doing so: that is its own affair.
        if caught(|| handler.set(None)).is_none() {
            core.notice(Notice::Panicked, format_args!("a task panicked when it was dropped"));
        }
        (end, how)
    }

    // It came to its end by itself: one that was cancelled is counted where that is done.
    fn count(&self, end: End, ran: Option<Ran>) {
        let tally = &self.core.tally.tasks;
        match (end, ran) {
            (_, Some(Ran::Panicked)) => {
                tally.failed.add();
                self.core.notice(Notice::Panicked, format_args!("a task panicked"));
            }
            (End::Failed(TOO_LATE), _) => {
                tally.timed_out.add();
                self.core.notice(Notice::Late, format_args!("a task was stopped: it took longer than it may"));
            }
            (End::Failed(_), _) => tally.failed.add(),
            (End::Answered, _) => tally.finished.add(),
        }
    }

    // How a task is told of that somebody ended: its client, or the server, for which it is over, or whose owner is out.
    fn outcome_of_ended(&self, job: &Job) -> AuditOutcome {
        let is_in = self.core.endpoint.guard.knows(job.principal.id(), self.core.unix_s.get());
        if is_in && !self.core.stopping.get() { AuditOutcome::Cancelled } else { AuditOutcome::Ended }
    }

    // Why a task must end before its handler does.
    fn ends(&self) -> Option<End> {
        let tasks = self.core.board.tasks.borrow();
        if !tasks.is_wanted(self.place) {
            // It was ended; this is not told.
            return Some(End::Failed(SHUT_DOWN));
        }
        if tasks.is_too_large(self.place) {
            return Some(End::Failed(TOO_LARGE));
        }
        tasks.is_late(self.place, self.core.now()).then_some(End::Failed(TOO_LATE))
    }
}

// How a task that came to its end by itself is told of.
fn outcome_of(end: End, ran: Option<Ran>) -> AuditOutcome {
    match (end, ran) {
        (_, Some(Ran::Panicked)) => AuditOutcome::Panicked,
        (End::Failed(TOO_LATE), _) => AuditOutcome::TimedOut,
        (End::Failed(_), _) | (_, Some(Ran::Failed | Ran::Broken)) => AuditOutcome::Failed,
        (End::Answered, _) => AuditOutcome::Finished,
    }
}

/// Where a task's questions are held. What was answered before it became a task came with the request.
struct TaskAsk<'w, 'm, A> {
    core: &'w Core<'m, A>,
    place: usize,
    pass: &'w Pass<'w>,
    /// What the pass keeps that ended when the call became a task.
    kept: &'w [u8],
    /// The members of it, a bit each, that were a yes and let something run already.
    confirmed: Cell<u64>,
}

/// The second number of the tickets of the task's own questions: places in the request, which are not empty, end behind it.
const HERE: u32 = 0;
/// That of what was kept since the request was sent, whose first number is the place of its member.
const KEPT: u32 = u32::MAX;

impl<A> Ask for TaskAsk<'_, '_, A> {
    fn way(&self) -> Way {
        Way::Hold
    }

    fn capabilities(&self) -> u16 {
        self.pass.capabilities()
    }

    fn kept(&self, key: &str) -> Option<Ticket> {
        let since = Value::new(self.kept).members().position(|(name, _)| self.pass.names(key, name));
        let since = since.and_then(|at| u32::try_from(at).ok()).map(|at| Ticket(at, KEPT));
        since.or_else(|| self.pass.kept(key))
    }

    fn used(&self, what: Keyed, key: &str) -> Result<(), InputError> {
        // What is made here, or asked (see `open`), is not looked for again.
        let was_kept = what == Keyed::Kept && self.kept(key).is_some();
        if was_kept { self.pass.used(what, key) } else { Ok(()) }
    }

    fn is_confirmed(&self, words: u64) -> bool {
        let before = self.confirmed.get();
        // One that has no bit can't be used up: it lets nothing run.
        let mut bits = (0..u64::BITS).map(|at| 1 << at).zip(Value::new(self.kept).members());
        let found = bits.find(|(bit, (name, value))| before & bit == 0 && is_yes(*name, *value, words));
        self.confirmed.set(before | found.map_or(0, |(bit, _)| bit));
        found.is_some()
    }

    fn open(&self, question: &Question<'_>) -> Result<Ticket, InputError> {
        let before = if let QuestionKind::Confirm(_) = question.kind { None } else { self.pass.find(question) };
        if let Some(answered) = before {
            return self.pass.used(Keyed::Question, question.key).map(|()| answered);
        }
        let opened = self.core.board.inputs.borrow_mut().open(self.place, question, self.core.now());
        self.core.task_changed(self.place);
        opened
    }

    fn poll_answer(&self, cx: &mut task::Context<'_>, ticket: Ticket) -> Poll<Result<(), InputError>> {
        if ticket.1 != HERE {
            return Poll::Ready(Ok(()));
        }
        self.core.board.inputs.borrow_mut().poll_answer(self.place, cx, ticket)
    }

    fn read(&self, ticket: Ticket, look: &mut dyn FnMut(&[u8])) {
        match ticket.1 {
            HERE => {
                if let Some(answer) = self.core.board.inputs.borrow().read(self.place, ticket) {
                    look(answer);
                }
            }
            KEPT => {
                if let Some((_, value)) = Value::new(self.kept).members().nth(ticket.0 as usize) {
                    look(value.raw());
                }
            }
            _ => self.pass.read(ticket, look),
        }
    }

    fn forget(&self, ticket: Ticket) {
        if ticket.1 == HERE {
            self.core.board.inputs.borrow_mut().forget(self.place, ticket, self.core.now());
        }
    }
}

/// The pen of a task: what is written stays in its slot.
struct TaskPen<'t, 'm> {
    tasks: &'t RefCell<Tasks<'m>>,
    place: usize,
    unix_s: &'t Cell<u64>,
    turn: RefCell<Turn>,
}

impl TaskPen<'_, '_> {
    // Where there is no room the handler waits; its runner sees why, and drops it.
    fn poll_fill(&self, fill: impl FnOnce(&mut [u8]) -> (usize, bool)) -> Poll<()> {
        if self.tasks.borrow_mut().fill(self.place, fill) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Pen for TaskPen<'_, '_> {
    fn poll_turn(&self, cx: &task::Context<'_>) -> Poll<()> {
        self.turn.borrow_mut().poll(cx)
    }

    fn poll_write(&self, _: &task::Context<'_>, skip: &mut usize, render: &dyn Fn(&mut Writer<'_>)) -> Poll<()> {
        self.poll_fill(|free| {
            let mut w = Writer::resume(free, *skip);
            render(&mut w);
            (w.written(), w.is_complete())
        })
    }

    fn poll_escaped(&self, _: &task::Context<'_>, rest: &mut &[u8]) -> Poll<()> {
        self.poll_fill(|free| {
            let (consumed, written) = json::escape_into(rest, free);
            (written, consumed == rest.len())
        })
    }

    fn poll_base64(&self, _: &task::Context<'_>, rest: &mut &[u8]) -> Poll<()> {
        self.poll_fill(|free| {
            let (consumed, written) = json::base64_into(rest, free);
            (written, consumed == rest.len())
        })
    }

    fn poll_notify(&self, _: &task::Context<'_>, _: &dyn Fn(&mut Writer<'_>)) -> Poll<bool> {
        // Tasks have no progress and no messages.
        Poll::Ready(false)
    }

    fn poll_idle(&self, _: &task::Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn is_gone(&self, _: &task::Context<'_>) -> bool {
        false
    }

    fn note(&self, text: &str) -> bool {
        self.tasks.borrow_mut().note(self.place, text, self.unix_s.get());
        true
    }

    fn break_off(&self) {
        self.tasks.borrow_mut().rewind(self.place, 0);
    }

    fn mark(&self) -> Mark {
        Mark::at(self.tasks.borrow().written(self.place))
    }

    fn rewind(&self, mark: Mark) -> bool {
        self.tasks.borrow_mut().rewind(self.place, mark.bytes());
        true
    }

    fn set_status(&self, _: crate::http::Status) {}

    fn lend(&self, look: &mut dyn FnMut(&mut [u8])) {
        self.tasks.borrow_mut().fill(self.place, |free| {
            look(free);
            (0, true)
        });
    }
}
