//! Tasks on the rim: who creates them, asks for them, ends them, and listens to them.

use std::cell::Cell;

use super::core::{Core, WORKERS};
use super::worker::Worker;
use crate::app::{Application, Context, Door};
use crate::endpoint::Job;
use crate::hub::{Audience, Kind};
use crate::json::{Text, Value};
use crate::mcp::input::Pass;
use crate::mcp::tasks::Verb;
use crate::mcp::{self, tools};
use crate::outlet::Out;
use crate::rpc::{Code, Envelope, Request};
use crate::session::{Principal, kept_text};
use crate::tasks::{self, NoTask, Now, Status, TaskId};

/// What is told when the server shuts down.
pub(super) const SHUT_DOWN: &str = "the server was shut down";

impl<A: Application> Worker<'_, '_, A> {
    /// Answers a call with a task, or, where there can be none and the tool may run without, as any call.
    pub(super) async fn task_of(
        &self,
        out: Out<'_>,
        request: &Request<'_>,
        tool: usize,
        principal: Principal,
        context: Context<'_>,
    ) {
        let created = self.core.create_task(request, tool, principal, b"", context.client);
        self.created(out, request, tool, created, context).await;
    }

    /// Runs a call, which becomes a task where its tool says so.
    pub(super) async fn task_later(
        &self,
        out: Out<'_>,
        request: &Request<'_>,
        tool: usize,
        (principal, pass): (Principal, &Pass<'_>),
        context: Context<'_>,
    ) {
        let core = self.core;
        let wanted = Cell::new(false);
        let has_room = || pass.with_kept(|kept| core.has_task_room(request.doc.len() + kept.len() + 2));
        let open = Context { door: Door::Open { wanted: &wanted, has_room: &has_room }, ..context };
        let called = tools::call(&core.app, out, request, tool, &core.identity, open).await;
        if called == tools::Called::Task {
            // There was room when it was asked for; nobody has had a turn since.
            let created = pass.with_kept(|kept| core.create_task(request, tool, principal, kept, context.client));
            self.created(out, request, tool, created, context).await;
        }
    }

    async fn created(
        &self,
        out: Out<'_>,
        request: &Request<'_>,
        tool: usize,
        created: Result<usize, NoTask>,
        context: Context<'_>,
    ) {
        let identity = &self.core.identity;
        let required = A::TOOLS.get(tool).and_then(|tool| tool.task).is_some_and(|task| task.required);
        match created {
            Ok(place) => mcp::tasks::created(out, request, &self.core.board, place, identity).await,
            Err(why) if required => {
                mcp::refuse(out, request, Code::INTERNAL_ERROR, mcp::tasks::no_task(why)).await;
            }
            Err(_) => {
                tools::call(&self.core.app, out, request, tool, identity, context).await;
            }
        }
    }

    /// Answers `tasks/get`, `tasks/update` or `tasks/cancel`.
    pub(super) async fn task(&self, out: Out<'_>, request: &Request<'_>, job: &Job, verb: Verb) {
        let (core, now) = (self.core, self.core.now());
        let id = mcp::tasks::asked(&request.envelope, request.doc).and_then(Text::plain);
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
                let before = core.board.news(place);
                let taken = mcp::tasks::responses(request)
                    .map(|responses| core.board.inputs.borrow_mut().answer(place, responses, now));
                let wrong = match taken {
                    Some(true) => None,
                    Some(false) => Some(mcp::tasks::MISFIT),
                    None => Some("tasks/update needs params.inputResponses, an object"),
                };
                if core.board.news(place) != before {
                    core.task_changed(place);
                }
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
        tool: usize,
        principal: Principal,
        kept: &[u8],
        client: Option<&str>,
    ) -> Result<usize, NoTask> {
        let random = super::random().filter(|_| !self.stopping.get()).ok_or(NoTask::Full)?;
        let mut envelope = request.envelope;
        // What the tool writes is no answer to the request: that is the task.
        envelope.id = None;
        let (bytes, client) = (request.doc.len(), kept_text(client.unwrap_or_default()));
        let job = tasks::Job { envelope, bytes, tool, client };
        let request = [request.doc, b"{", kept, b"}"];
        let place = self.board.tasks.borrow_mut().create(TaskId::of(random), principal, job, &request, self.now())?;
        // Who listened to the task that was here before has no business with this one.
        self.streams.borrow_mut().forget_task(tasks::bit(place));
        self.ready.set(self.task_bit(place));
        Ok(place)
    }

    fn cancel_task(&self, place: usize) {
        if self.board.tasks.borrow_mut().cancel(place, self.now()) {
            self.ready.set(self.task_bit(place));
            self.task_changed(place);
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
            self.task_changed(place);
        }
    }

    /// The tasks that a `subscriptions/listen` asks for: those that there are, and that are its caller's.
    pub(super) fn tasks_to_listen_to(&self, envelope: &Envelope, doc: &[u8], principal: Principal) -> u64 {
        let wanted = envelope.notifications.map(|member| Value::new(member.span.of(doc)));
        let Some(ids) = wanted.and_then(|wanted| wanted.get("taskIds")) else { return 0 };
        let tasks = self.board.tasks.borrow();
        let found = |id: Value<'_>| tasks.find(id.as_text()?.plain()?.as_bytes(), principal, self.now());
        ids.elements().filter_map(found).fold(0, |set, place| set | tasks::bit(place))
    }

    /// Somebody begins to listen to these tasks, and hears of those that have come on already.
    pub(super) fn tell_tasks(&self, set: u64) {
        for place in (0..u64::BITS as usize).filter(|place| set & tasks::bit(*place) != 0) {
            let waits = self.board.look(place, |view| !matches!(view.status, Status::Working));
            if waits == Some(true) {
                self.append_task(place);
            }
        }
    }

    /// A task has come on: who listens to it is told.
    pub(super) fn task_changed(&self, place: usize) {
        let bit = tasks::bit(place);
        let heard = self.streams.borrow().iter().any(|(_, stream)| stream.filter.tasks & bit != 0);
        if heard {
            self.append_task(place);
        }
    }

    fn append_task(&self, place: usize) {
        let news = self.board.news(place);
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        self.append(Kind::TaskChanged(place), Audience::All, &news);
    }
}
