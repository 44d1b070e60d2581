//! Tasks on the rim: who creates them, and the runners, one for each slot, that run their tools beside all connections.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{self, Poll};

use super::core::{Core, WORKERS};
use super::worker::Worker;
use crate::app::{Application, Ask, Context, Door, InputError, Question, Ticket, Way};
use crate::endpoint::Job;
use crate::json::{self, Writer};
use crate::mcp::tasks::Verb;
use crate::mcp::{self, discover, tools};
use crate::outlet::{Mark, Out, Pen};
use crate::rpc::{Code, Request};
use crate::session::{Principal, kept_text};
use crate::tasks::{self, End, NoTask, Now, TaskId, Tasks};

/// What a task is told whose tool was dropped for its time.
const TOO_LATE: &str = "the tool took too long and was stopped";
/// What is told when a result is larger than its slot.
const TOO_LARGE: &str = "the result is too large for a task of this server (16 KiB)";
/// What is told when the server shuts down.
const SHUT_DOWN: &str = "the server was shut down";

impl<A: Application> Worker<'_, '_, A> {
    /// Answers a call with a task, or, where there can be none and the tool may run without, as any call.
    pub(super) async fn task_of(
        &self,
        out: Out<'_>,
        request: &Request<'_>,
        job: &Job,
        tool: usize,
        context: Context<'_>,
    ) {
        let identity = &self.core.identity;
        let required = A::TOOLS.get(tool).and_then(|tool| tool.task).is_some_and(|task| task.required);
        match self.core.create_task(request, job.principal, tool, context.client) {
            Ok(place) => mcp::tasks::created(out, request, &self.core.board, place, identity).await,
            Err(why) if required => {
                mcp::refuse(out, request, Code::INTERNAL_ERROR, mcp::tasks::no_task(why)).await;
            }
            Err(_) => {
                tools::call(&self.core.app, out, request, tool, identity, context).await;
            }
        }
    }

    /// Runs a call, which becomes a task where its tool says so.
    pub(super) async fn task_later(
        &self,
        out: Out<'_>,
        request: &Request<'_>,
        job: &Job,
        tool: usize,
        context: Context<'_>,
    ) {
        let wanted = Cell::new(false);
        let has_room = || self.core.has_task_room(request.doc.len());
        let open = Context { door: Door::Open { wanted: &wanted, has_room: &has_room }, ..context };
        let called = tools::call(&self.core.app, out, request, tool, &self.core.identity, open).await;
        if called == tools::Called::Task {
            // There was room when it was asked for; nobody has had a turn since.
            self.task_of(out, request, job, tool, context).await;
        }
    }

    /// Answers `tasks/get`, `tasks/update` or `tasks/cancel`.
    pub(super) async fn task(&self, out: Out<'_>, request: &Request<'_>, job: &Job, verb: Verb) {
        let (core, now) = (self.core, self.core.now());
        let id = mcp::tasks::asked(&request.envelope, request.doc).and_then(json::Text::plain);
        let Some(id) = id else {
            return mcp::refuse(out, request, Code::INVALID_PARAMS, "params.taskId must be a string").await;
        };
        let principal = job.principal;
        let found = core.board.tasks.borrow().find(id.as_bytes(), principal, now);
        let Some(place) = found else {
            return mcp::refuse(out, request, Code::INVALID_PARAMS, mcp::tasks::UNKNOWN).await;
        };
        match verb {
            Verb::Get => {
                core.board.tasks.borrow_mut().tell(place, now);
                return mcp::tasks::get(out, request, &core.board, place, &core.identity).await;
            }
            Verb::Update => {
                let taken = mcp::tasks::responses(request)
                    .map(|responses| core.board.inputs.borrow_mut().answer(place, responses, now));
                let wrong = match taken {
                    Some(true) => None,
                    Some(false) => Some(mcp::tasks::MISFIT),
                    None => Some("tasks/update needs params.inputResponses, an object"),
                };
                if let Some(wrong) = wrong {
                    return mcp::refuse(out, request, Code::INVALID_PARAMS, wrong).await;
                }
            }
            Verb::Cancel => core.cancel_task(place),
        }
        mcp::tasks::acknowledge(out, request, &core.identity).await;
    }
}

impl<A> Core<'_, A> {
    /// What time it is.
    pub(super) fn now(&self) -> Now {
        Now { ms: self.now_ms.get(), unix_s: self.unix_s.get() }
    }

    /// The bit of a task's runner.
    pub(super) fn task_bit(&self, place: usize) -> usize {
        WORKERS + self.workers.len() + place
    }

    fn has_task_room(&self, bytes: usize) -> bool {
        !self.stopping.get() && self.board.tasks.borrow().room(bytes, self.now()).is_ok()
    }

    fn create_task(
        &self,
        request: &Request<'_>,
        principal: Principal,
        tool: usize,
        client: Option<&str>,
    ) -> Result<usize, NoTask> {
        if !self.has_task_room(request.doc.len()) {
            // Why, is for the table to say.
            self.board.tasks.borrow().room(request.doc.len(), self.now())?;
            return Err(NoTask::Full);
        }
        let Some(random) = super::random() else { return Err(NoTask::Full) };
        let mut envelope = request.envelope;
        // What the tool writes is no answer to the request: that is the task.
        envelope.id = None;
        let job = tasks::Job { envelope, tool, client: kept_text(client.unwrap_or_default()) };
        let place = self.board.tasks.borrow_mut().create(TaskId::of(random), principal, job, request.doc, self.now())?;
        self.ready.set(self.task_bit(place));
        Ok(place)
    }

    fn cancel_task(&self, place: usize) {
        if self.board.tasks.borrow_mut().cancel(place, self.now()) {
            self.ready.set(self.task_bit(place));
        }
    }

    /// Tasks that run are looked at, those whose life is over are forgotten.
    pub(super) fn keep_tasks(&self) {
        let mut tasks = self.board.tasks.borrow_mut();
        tasks.expire(self.now());
        (0..tasks.capacity()).filter(|place| tasks.is_wanted(*place)).for_each(|place| {
            self.ready.set(self.task_bit(place));
        });
    }

    /// The server shuts down: nobody will come for a result any more.
    pub(super) fn end_tasks(&self) {
        let ended = self.board.tasks.borrow_mut().end_all(SHUT_DOWN, self.now());
        for place in (0..u64::BITS as usize).filter(|place| ended & tasks::bit(*place) != 0) {
            self.ready.set(self.task_bit(place));
        }
    }
}

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
            let end = self.perform(&job, request.get(..bytes).unwrap_or_default()).await;
            self.core.board.inputs.borrow_mut().clear(self.place);
            self.core.board.tasks.borrow_mut().end(self.place, end, self.core.now());
        }
    }

    async fn perform(&self, job: &tasks::Job, doc: &[u8]) -> End {
        let core = self.core;
        let request = Request { doc, envelope: job.envelope, revision: crate::session::Revision::V2026_07_28 };
        let client = Some(job.client.as_str()).filter(|name| !name.is_empty());
        let ask = TaskAsk { core, place: self.place, capabilities: discover::declared(&job.envelope, doc) };
        let context = Context { announce: core, client, ask: &ask, door: Door::Closed };
        let pen = TaskPen { tasks: &core.board.tasks, place: self.place };
        let handler = mcp::tasks::perform(&core.app, Out::to(&pen), &request, job.tool, &core.identity, context);
        let mut handler = pin!(Some(handler));
        let end = poll_fn(|cx| {
            if let Some(why) = self.ends() {
                return Poll::Ready(why);
            }
            let Some(running) = handler.as_mut().as_pin_mut() else { return Poll::Ready(End::Answered) };
            match running.poll(cx) {
                Poll::Ready(()) => Poll::Ready(self.ends().unwrap_or(End::Answered)),
                Poll::Pending => self.ends().map_or(Poll::Pending, Poll::Ready),
            }
        })
        .await;
        // A handler that is dropped before its end may panic in doing so: that is its own affair.
        if catch_unwind(AssertUnwindSafe(|| handler.set(None))).is_err() {
            log::error!("a task panicked when it was dropped");
        }
        end
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

/// Where a task's questions are held.
struct TaskAsk<'w, 'm, A> {
    core: &'w Core<'m, A>,
    place: usize,
    capabilities: u16,
}

impl<A> Ask for TaskAsk<'_, '_, A> {
    fn way(&self) -> Way {
        Way::Hold
    }

    fn capabilities(&self) -> u16 {
        self.capabilities
    }

    fn open(&self, question: &Question<'_>) -> Result<Ticket, InputError> {
        self.core.board.inputs.borrow_mut().open(self.place, question, self.core.now())
    }

    fn poll_answer(&self, cx: &mut task::Context<'_>, ticket: Ticket) -> Poll<Result<(), InputError>> {
        self.core.board.inputs.borrow_mut().poll_answer(self.place, cx, ticket)
    }

    fn read(&self, ticket: Ticket, look: &mut dyn FnMut(&[u8])) {
        if let Some(answer) = self.core.board.inputs.borrow().read(self.place, ticket) {
            look(answer);
        }
    }

    fn forget(&self, ticket: Ticket) {
        self.core.board.inputs.borrow_mut().forget(self.place, ticket, self.core.now());
    }
}

/// The pen of a task: what is written stays in its slot.
struct TaskPen<'t, 'm> {
    tasks: &'t RefCell<Tasks<'m>>,
    place: usize,
}

impl TaskPen<'_, '_> {
    // Where there is no room the handler waits; its runner sees why, and drops it.
    fn poll_fill(&self, fill: impl FnOnce(&mut [u8]) -> (usize, bool)) -> Poll<()> {
        if self.tasks.borrow_mut().fill(self.place, fill) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Pen for TaskPen<'_, '_> {
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
