//! Tasks on the rim: who creates them, asks for them, ends them, and listens to them.

use std::cell::Cell;
use std::pin::pin;

use super::core::{Core, WORKERS};
use super::worker::Worker;
use crate::app::{Application, Client, Context, Door, Ran};
use crate::endpoint::{Job, Work};
use crate::hub::{Audience, Kind};
use crate::json::{Text, Value};
use crate::mcp::input::Pass;
use crate::mcp::tasks::{Reply, Verb};
use crate::mcp::{self, tools};
use crate::outlet::Out;
use crate::rpc::{Code, Envelope, Request};
use crate::session::{Principal, PrincipalId, kept_text};
use crate::tasks::{self, NoTask, Now, Status, TaskId};

/// What is told when the server shuts down.
pub(super) const SHUT_DOWN: &str = "the server was shut down";

impl<A: Application> Worker<'_, '_, A> {
    /// Answers a call of a tool, which may be, or become, a task, and what is asked about tasks. One function, so that a program without tasks
    /// has little of it.
    pub(super) async fn call(
        &self,
        out: Out<'_>,
        request: &Request<'_>,
        job: &Job<'_>,
        pass: &Pass<'_>,
        context: &Context<'_>,
    ) -> Ran {
        let (core, wanted) = (self.core, Cell::new(false));
        let mut reply = core.task_reply(request, job, context.client);
        if let (None, Work::ToolsCall(tool) | Work::TaskOf(tool) | Work::TaskLater(tool)) = (reply, job.work) {
            let has_room = || pass.with_kept(|kept| core.has_task_room(request.doc.len() + kept.len() + 2));
            let door = match job.work {
                Work::TaskLater(_) if A::HAS_TASKS => Door::Open { wanted: &wanted, has_room: &has_room },
                _ => Door::Closed,
            };
            let context = Context { door, ..*context };
            let ran = pin!(tools::call(&core.app, out, request, tool, &core.identity, &context)).await;
            if A::HAS_TASKS && wanted.get() {
                out.unseal();
                // There was room when it was asked for; nobody has had a turn since.
                let created = pass.with_kept(|kept| core.create_task(request, job, tool, kept, context.client));
                reply = Some(created.map_or_else(no_task, Reply::Created));
            } else {
                // What acts before it asks (by `once`) has been called; what asked alone is counted when it comes with the answer.
                if ran == Ran::Asked && !pass.has_made() {
                    core.give_back_call(tool, self.slot.begun_ms.get());
                }
                return ran;
            }
        }
        if let Some(reply) = reply {
            mcp::tasks::answer(out, request, reply, &core.board, &core.identity).await;
        }
        Ran::Finished
    }
}

fn no_task(why: NoTask) -> Reply {
    Reply::Refused(Code::INTERNAL_ERROR, mcp::tasks::no_task(why))
}

impl<A: Application> Core<'_, A> {
    // What a request is answered with that needs no tool to run now.
    fn task_reply(&self, request: &Request<'_>, job: &Job<'_>, client: Option<&Client<'_>>) -> Option<Reply> {
        match job.work {
            Work::TaskOf(tool) if A::HAS_TASKS => match self.create_task(request, job, tool, b"", client) {
                Ok(place) => Some(Reply::Created(place)),
                Err(why) => {
                    let required = A::TOOLS.get(tool).and_then(|tool| tool.task).is_some_and(|task| task.required);
                    required.then(|| no_task(why))
                }
            },
            Work::Task(verb) if A::HAS_TASKS => Some(self.task(request, job, verb)),
            _ => None,
        }
    }

    // `tasks/get`, `tasks/update`, `tasks/cancel`.
    fn task(&self, request: &Request<'_>, job: &Job<'_>, verb: Verb) -> Reply {
        let wrong = |message| Reply::Refused(Code::INVALID_PARAMS, message);
        let id = mcp::tasks::asked(request.envelope, request.doc).and_then(Text::plain);
        let Some(id) = id else { return wrong("params.taskId must be a string") };
        let now = self.now();
        let Some(place) = self.find_task(id, job.principal) else { return wrong(mcp::tasks::UNKNOWN) };
        match verb {
            Verb::Get => {
                // What changes while it is written to somebody would break that stream.
                if !self.is_being_told(place) {
                    self.board.tasks.borrow_mut().tell(place, now);
                }
                Reply::Shown(place)
            }
            Verb::Update => {
                let Some(responses) = mcp::tasks::responses(request) else {
                    return wrong("tasks/update needs params.inputResponses, an object");
                };
                let before = self.board.news(place);
                let taken = self.board.inputs.borrow_mut().answer(place, responses, now);
                if self.board.news(place) != before {
                    self.task_changed(place);
                }
                if taken { Reply::Done } else { wrong(mcp::tasks::MISFIT) }
            }
            Verb::Cancel => {
                self.cancel_task(place);
                Reply::Done
            }
        }
    }

    // A task that is this one's, and that it may still ask about: tasks belong to whoever holds a token, but a token may have fewer scopes than
    // the one that created it.
    fn find_task(&self, id: &str, principal: &Principal) -> Option<usize> {
        let tasks = self.board.tasks.borrow();
        let place = tasks.find(id.as_bytes(), principal.id(), self.now())?;
        let tool = A::TOOLS.get(tasks.tool(place)?)?;
        principal.has_all(tool.scopes).then_some(place)
    }

    fn has_task_room(&self, bytes: usize) -> bool {
        !self.stopping.get() && self.board.tasks.borrow().room(bytes, self.now()).is_ok()
    }

    fn create_task(
        &self,
        request: &Request<'_>,
        job: &Job<'_>,
        tool: usize,
        kept: &[u8],
        client: Option<&Client<'_>>,
    ) -> Result<usize, NoTask> {
        let created = self.try_create_task(request, job, tool, kept, client);
        let tally = &self.tally.tasks;
        match created {
            Ok(_) => {
                tally.started.add();
                tally.most.reach(self.board.tasks.borrow().len());
            }
            Err(_) => tally.refused.add(),
        }
        created
    }

    fn try_create_task(
        &self,
        request: &Request<'_>,
        job: &Job,
        tool: usize,
        kept: &[u8],
        client: Option<&Client<'_>>,
    ) -> Result<usize, NoTask> {
        let random = super::random().filter(|_| !self.stopping.get()).ok_or(NoTask::Full)?;
        let mut envelope = *request.envelope;
        // What the tool writes is no answer to the request: that is the task.
        envelope.id = None;
        let (bytes, client) = (request.doc.len(), kept_text(client.and_then(Client::name).unwrap_or_default()));
        let task = tasks::Job { envelope, bytes, tool, client, principal: job.principal.clone() };
        let request = [request.doc, b"{", kept, b"}"];
        let place = self.board.tasks.borrow_mut().create(TaskId::of(random), task, &request, self.now())?;
        // Who listened to the task that was here before has no business with this one.
        self.streams.borrow_mut().forget_task(tasks::bit(place));
        self.ready.set(self.task_bit(place));
        Ok(place)
    }

    fn cancel_task(&self, place: usize) {
        if self.board.tasks.borrow_mut().cancel(place, self.now()) {
            self.tally.tasks.cancelled.add();
            self.ready.set(self.task_bit(place));
            self.task_changed(place);
        }
    }

    /// The tasks of these principals are ended: they may not come in any more.
    pub(super) fn end_tasks_where(&self, which: impl Fn(PrincipalId) -> bool) {
        let places = if A::HAS_TASKS { self.board.tasks.borrow().capacity() } else { 0 };
        for place in 0..places {
            let owner = self.board.tasks.borrow().runs_for(place);
            if owner.is_some_and(&which) {
                self.cancel_task(place);
            }
        }
    }

    /// Tasks that run are looked at, those whose life is over are forgotten.
    pub(super) fn keep_tasks(&self) {
        if !A::HAS_TASKS {
            return;
        }
        let mut tasks = self.board.tasks.borrow_mut();
        tasks.expire(self.now());
        (0..tasks.capacity()).filter(|place| tasks.is_wanted(*place)).for_each(|place| {
            self.ready.set(self.task_bit(place));
        });
    }

    /// The server shuts down: nobody will come for a result any more.
    pub(super) fn end_tasks(&self) {
        if !A::HAS_TASKS {
            return;
        }
        let ended = self.board.tasks.borrow_mut().end_all(SHUT_DOWN, self.now());
        for place in (0..u64::BITS as usize).filter(|place| ended & tasks::bit(*place) != 0) {
            self.ready.set(self.task_bit(place));
            self.task_changed(place);
        }
    }

    /// The tasks that a `subscriptions/listen` asks for: those that there are, that are its caller's, and whose tools it may call.
    pub(super) fn tasks_to_listen_to(&self, envelope: &Envelope, doc: &[u8], principal: &Principal) -> u64 {
        let wanted = envelope.notifications.filter(|_| A::HAS_TASKS).map(|member| Value::of_span(member.span.of(doc)));
        let Some(ids) = wanted.and_then(|wanted| wanted.get("taskIds")) else { return 0 };
        let found = |id: Value<'_>| self.find_task(id.as_text()?.plain()?, principal);
        ids.elements().filter_map(found).fold(0, |set, place| set | tasks::bit(place))
    }

    /// A client begins to listen to these tasks, and hears of those that have come on already.
    pub(super) fn tell_tasks(&self, set: u64, client: u64) {
        if !A::HAS_TASKS {
            return;
        }
        for place in (0..u64::BITS as usize).filter(|place| set & tasks::bit(*place) != 0) {
            let waits = self.board.look(place, |view| !matches!(view.status, Status::Working));
            if waits == Some(true) {
                self.append_task(place, Audience::Client(client));
            }
        }
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

    /// A task has come on: who listens to it is told.
    pub(super) fn task_changed(&self, place: usize) {
        let bit = tasks::bit(place);
        let heard = self.streams.borrow().hears_task(bit);
        if heard {
            self.append_task(place, Audience::All);
        }
    }

    // An event that may be of this task is on its way.
    fn is_being_told(&self, place: usize) -> bool {
        self.streams.borrow().is_telling(tasks::bit(place))
    }

    fn append_task(&self, place: usize, audience: Audience) {
        let news = self.board.news(place);
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        self.append(Kind::TaskChanged(place), audience, &news);
    }
}
