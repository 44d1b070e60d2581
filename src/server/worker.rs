//! A worker: one request buffer and one transmit buffer, lent to the connection that has bytes. It serves what is there,
//! request by request, and gives the connection back when nothing is left.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::conns::{ConnRef, State};
use super::core::{Core, WorkerSlot};
use super::drive::{Outcome, Target, Watch};
use super::lease::Read;
use super::refuse::{ended_meanwhile, late, refused};
use crate::app::Application;
use crate::endpoint::{Admission, Answer, Decision, Findings, Moment, Passage, Posted};
use crate::guard::Peer;
use crate::http::{
    self, Accept, CONTINUE, Cors, Decoder, Framing, HttpDate, Known, Media, Method, ResponseHead, Status, Step,
};
use crate::limits::{HEAD_GRACE_MS, HEAD_TIMEOUT_MS, PIPELINED_MAX, TRANSFER_GRACE_MS, TRANSFER_PRESSED_MS};
use crate::outlet::{Out, Outlet};
use crate::session::Principal;

/// A worker, by its place.
pub(super) struct Worker<'w, 'm, A> {
    pub(super) core: &'w Core<'m, A>,
    pub(super) index: usize,
    pub(super) slot: &'w WorkerSlot,
}

/// What becomes of a connection when its worker leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It waits for the next request.
    Idle,
    /// The same, as nothing was there to read.
    Silent,
    /// It is closed.
    Close,
    /// It is closed once its client had a moment to read the answer.
    Linger,
    /// It is a stream now, or was given back already.
    Elsewhere,
}

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The next request, which may be there already.
    Next,
    /// The connection goes.
    Done(After),
}

enum Heading {
    Whole,
    Idle,
    Silent,
    Gone,
    Refused(http::Refusal),
    Slow,
}

/// How a request wants to be answered.
pub(super) struct Manner<'r> {
    pub(super) template: ResponseHead<'r>,
    pub(super) http10: bool,
    /// Its request, which says whether event streams are accepted.
    pub(super) accepts: Option<http::Request<'r>>,
    pub(super) head_only: bool,
    /// Who sent it.
    pub(super) peer: Option<Peer>,
}

impl<'r> Manner<'r> {
    /// The answer in the making, which is made in its place.
    pub(super) fn outlet<'b>(&self, tx: &'b mut [u8]) -> RefCell<Outlet<'b>>
    where
        'r: 'b,
    {
        let events = self.accepts.is_some_and(|request| request.accepts(Media::EventStream) != Accept::No);
        let mut outlet = RefCell::new(Outlet::new(tx, self.template, events));
        if self.http10 {
            outlet.get_mut().set_http10();
        }
        if self.head_only {
            outlet.get_mut().set_head_only();
        }
        outlet
    }
}

impl<'w, 'm, A: Application> Worker<'w, 'm, A> {
    /// The worker of this slot. The engine makes one for each.
    pub(super) fn new(core: &'w Core<'m, A>, index: usize) -> Self {
        Self { core, index, slot: &core.workers[index] }
    }

    /// Serves one connection after the other, for ever.
    ///
    /// On the way from here to the application's handler each future is pinned where it is awaited: one that is awaited by value passes through the
    /// stack, and each of them is as large as the handler, with its arguments.
    pub(super) async fn run(&self, rx: &mut [u8], tx: &mut [u8]) {
        let mut decoder = Decoder::new();
        loop {
            let conn = poll_fn(|_| self.slot.job.get().map_or(Poll::Pending, Poll::Ready)).await;
            let after = pin!(self.serve(conn, &mut decoder, rx, tx)).await;
            decoder.restart();
            self.calm();
            self.leave(conn, after);
            self.slot.job.set(None);
            self.core.tally.buffer_returned();
            self.core.worker_is_free(self.index);
        }
    }

    async fn serve(&self, conn: ConnRef, decoder: &mut Decoder, rx: &mut [u8], tx: &mut [u8]) -> After {
        let mut served = 0;
        loop {
            match self.heading(conn, decoder, rx).await {
                Heading::Whole => {}
                Heading::Idle => return After::Idle,
                Heading::Silent => return After::Silent,
                Heading::Gone => return After::Close,
                Heading::Slow => {
                    self.core.tally.refused.slow_head.add();
                    self.refuse(
                        conn,
                        late("the head of the request did not come in time"),
                        None,
                        decoder.is_head(rx),
                        tx,
                    )
                    .await;
                    return After::Linger;
                }
                Heading::Refused(refusal) => {
                    // Where the head is whole, a page may read why.
                    let moment = self.core.moment(conn);
                    let cors = decoder.head(rx).and_then(|request| self.core.endpoint.cors(request, &moment));
                    self.refuse(conn, refused(refusal), cors, decoder.is_head(rx), tx).await;
                    return After::Linger;
                }
            }
            self.set_state(conn, State::Busy { head: false, new: false });
            // One that pipelines without end keeps its buffer only as long as nobody waits for it.
            let last = served >= PIPELINED_MAX && self.core.is_pressed();
            self.core.tally.requests.received.add();
            self.slot.refused.set(false);
            self.let_commands_pass().await;
            let turn = pin!(self.exchange(conn, decoder, last, rx, tx)).await;
            if !self.slot.refused.get() {
                self.core.tally.requests.served.add();
            }
            match turn {
                Turn::Next if decoder.finish(rx) => {
                    if decoder.is_idle() {
                        return After::Idle;
                    }
                    self.calm();
                    // More was sent without waiting for the answer: others get their turn first.
                    served += 1;
                    self.give_way().await;
                    self.set_state(conn, State::Busy { head: true, new: false });
                }
                Turn::Next => return After::Linger,
                Turn::Done(after) => return after,
            }
        }
    }

    // Reads until the head of a request is whole.
    async fn heading(&self, conn: ConnRef, decoder: &mut Decoder, rx: &mut [u8]) -> Heading {
        self.set_deadline(HEAD_TIMEOUT_MS, HEAD_GRACE_MS);
        let mut fresh = decoder.is_idle();
        loop {
            match decoder.step(rx, &self.core.limits) {
                Step::Head => return Heading::Whole,
                Step::Refuse(refusal) => return Heading::Refused(refusal),
                Step::Body => return Heading::Gone, // can't be: a body comes behind its head
                Step::NeedMore if decoder.is_idle() && !fresh => return Heading::Idle,
                Step::NeedMore => {}
            }
            match self.read(conn, decoder.space(rx), fresh).await {
                Read::Bytes(n) => decoder.commit(n),
                Read::Nothing => return Heading::Silent,
                Read::End => return Heading::Gone,
                Read::Late => return Heading::Slow,
            }
            fresh = false;
        }
    }

    // One request whose head is whole: decides, reads its body, answers. `last`: the connection is closed after it.
    //
    // What is large is made in its place: each move of it takes as long as a check.
    async fn exchange(&self, conn: ConnRef, decoder: &mut Decoder, last: bool, rx: &mut [u8], tx: &mut [u8]) -> Turn {
        let mut step = decoder.step(rx, &self.core.limits);
        let Some(request) = decoder.head(rx) else { return Turn::Done(After::Close) };
        self.core.look_at_keys(false);
        let (peer, mut moment) = self.moment_of(conn, request);
        let mut known = None;
        let mut passage = Passage::Known;
        let cors = self.core.endpoint.enter(request, &moment, &mut known, &mut passage);
        let route = {
            let date = self.core.date.get();
            let manner = || {
                let mut manner = self.manner(peer, request, cors, date.as_ref());
                manner.template.close |= last || request.has_body(); // which is not waited for where it is not needed
                manner
            };
            match passage {
                Passage::Known => {}
                Passage::Ask(refusal) => match pin!(self.ask_application(conn, request, refusal, &moment)).await {
                    Ok(principal) => known = Some(principal),
                    Err(answer) => return self.answer(conn, answer, &manner(), &[], tx).await,
                },
                Passage::Answer(answer) => return self.answer(conn, answer, &manner(), &[], tx).await,
            }
            let principal = self.work_for(known.as_ref());
            let admission = self.core.endpoint.admit(request, principal, &mut self.core.sessions.borrow_mut(), &moment);
            match admission {
                Ok(Admission::Body(Posted { route, .. })) => route,
                Err(answer) => return self.answer(conn, answer, &manner(), &[], tx).await,
                Ok(Admission::Ended(ended)) => {
                    self.core.ended(ended);
                    return self.answer(conn, Answer::empty(Status::OK), &manner(), &[], tx).await;
                }
                Ok(Admission::Open(opening)) => {
                    return self.open(conn, opening, request, principal, &manner(), &moment, tx).await;
                }
            }
        };
        let mut is_in = true;
        if step == Step::NeedMore {
            self.set_deadline(TRANSFER_GRACE_MS, TRANSFER_PRESSED_MS);
            if decoder.wants_continue() && !self.write(conn, CONTINUE).await {
                return Turn::Done(After::Close);
            }
            step = self.body(conn, decoder, rx).await;
            moment = self.core.moment(conn);
            // The message is judged by what its sender may do now: while the body came, tokens may have come and gone.
            is_in = decoder.head(rx).is_none_or(|head| self.is_still_in(conn, head, &mut known));
        }
        let answer = match step {
            Step::Body if is_in => {
                let posted = Posted { principal: Principal::or_anyone(known.as_ref()), route };
                return pin!(self.message(conn, decoder, (peer, posted, &moment), last, rx, tx)).await;
            }
            Step::Body => ended_meanwhile(),
            Step::Refuse(refusal) => refused(refusal),
            Step::NeedMore => {
                self.core.tally.refused.slow_body.add();
                self.slot.refused.set(true);
                late("the body of the request did not come in time")
            }
            Step::Head => {
                self.core.tally.requests.broken.add();
                self.slot.refused.set(true);
                return Turn::Done(After::Close);
            }
        };
        let cors = decoder.head(rx).and_then(|request| self.core.endpoint.cors(request, &moment));
        self.refuse(conn, answer, cors, false, tx).await;
        Turn::Done(After::Linger)
    }

    // Reads until the body is whole or refused. `NeedMore` when it comes too slowly, `Head` when it ends before.
    async fn body(&self, conn: ConnRef, decoder: &mut Decoder, rx: &mut [u8]) -> Step {
        loop {
            match self.read(conn, decoder.space(rx), false).await {
                Read::Bytes(n) => {
                    self.earn(n);
                    decoder.commit(n);
                }
                Read::Nothing | Read::End => return Step::Head,
                Read::Late => return Step::NeedMore,
            }
            match decoder.step(rx, &self.core.limits) {
                Step::NeedMore => {}
                step => return step,
            }
        }
    }

    // A message that was read whole at this moment.
    async fn message(
        &self,
        conn: ConnRef,
        decoder: &mut Decoder,
        (peer, posted, moment): (Option<Peer>, Posted<'_>, &Moment),
        last: bool,
        rx: &mut [u8],
        tx: &mut [u8],
    ) -> Turn {
        let body = decoder.body();
        let used = decoder.free_tail();
        let (turn, got) = {
            let (head, rest) = rx.split_at_mut(body.start);
            let (used, free) = rest.split_at_mut(used - body.start);
            let pipelined = used.len() > body.len();
            let Some(doc) = used.get_mut(..body.len()) else { return Turn::Done(After::Close) };
            let Some(request) = decoder.head(head) else { return Turn::Done(After::Close) };
            let mut findings = Findings::default();
            let mut refusal = Answer::empty(Status::ACCEPTED);
            let decision = {
                let mut sessions = self.core.sessions.borrow_mut();
                // Apart, since refusals are large, and seldom.
                match self.core.endpoint.message(request, posted, doc, &mut findings, &mut sessions, moment) {
                    Ok(decision) => Some(decision),
                    Err(answer) => keep(&mut refusal, answer),
                }
            };
            let Findings { envelope, changes, .. } = &findings;
            let date = self.core.date.get();
            let cors = self.core.endpoint.cors(request, moment);
            let mut manner = self.manner(peer, request, cors, date.as_ref());
            self.core.tell(*changes, manner.peer);
            manner.template.close |= last;
            let mut watch = Watch::new(free, pipelined);
            let turn = match decision {
                None => self.answer(conn, refusal, &manner, doc, tx).await,
                Some(Decision::Cancel { session, request }) => {
                    self.core.cancel(session, request.of(doc));
                    self.answer(conn, Answer::empty(Status::ACCEPTED), &manner, doc, tx).await
                }
                Some(Decision::Reply { session, id, result }) => {
                    self.core.reply(session, id.of(doc), result.map(|result| result.of(doc)));
                    self.answer(conn, Answer::empty(Status::ACCEPTED), &manner, doc, tx).await
                }
                Some(Decision::Listen { mut filter }) => {
                    filter.tasks = self.core.tasks_to_listen_to(envelope, doc, posted.principal);
                    self.listen(conn, envelope, filter, posted.principal, &manner, doc, tx).await
                }
                Some(Decision::Batch(session)) => {
                    pin!(self.batch(conn, session, request, posted, &manner, doc, &mut watch, tx)).await
                }
                Some(Decision::Job(mut job)) => {
                    pin!(self.job(conn, &mut job, &findings, posted.route, &manner, doc, &mut watch, tx)).await
                }
            };
            (turn, watch.got())
        };
        decoder.commit(got);
        turn
    }

    fn manner<'r>(
        &'r self,
        peer: Option<Peer>,
        request: http::Request<'r>,
        cors: Option<Cors<'r>>,
        date: Option<&'r HttpDate>,
    ) -> Manner<'r> {
        let http10 = request.is_http10();
        let keep = request.keep_alive() && !self.core.stopping.get();
        let template = ResponseHead {
            close: !keep,
            keep_alive: http10 && keep,
            date,
            cors,
            vary_origin: request.count(Known::Origin) > 0,
            resource: self.core.endpoint.resource.as_ref(),
            ..ResponseHead::new(Status::OK, Framing::None)
        };
        Manner { template, http10, accepts: Some(request), head_only: request.method() == Method::Head, peer }
    }

    /// Answers with what needs no handler.
    pub(super) async fn answer(
        &self,
        conn: ConnRef,
        answer: Answer<'_>,
        manner: &Manner<'_>,
        doc: &[u8],
        tx: &mut [u8],
    ) -> Turn {
        if let Some(cause) = answer.cause {
            self.refused(cause, &answer, manner.peer);
        }
        let mut outlet = manner.outlet(tx);
        answer.apply(outlet.get_mut().template());
        let close = outlet.get_mut().template().close;
        let out = Out::new(&outlet);
        let written = pin!(Some(out.write(|w| answer.write(w, doc))));
        match self.drive(&Target::Conn(conn), &outlet, written, None).await {
            Outcome::Sent if !close => Turn::Next,
            Outcome::Sent => Turn::Done(After::Linger),
            _ => Turn::Done(After::Close),
        }
    }
}

// What is seldom there is not moved where it is not.
#[cold]
#[inline(never)]
fn keep<'p>(place: &mut Answer<'static>, answer: Answer<'static>) -> Option<Decision<'p>> {
    *place = answer;
    None
}
