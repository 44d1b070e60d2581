//! Arrays of messages, which 2025-03-26 has.

use std::cell::RefCell;
use std::pin::pin;

use super::calls::ALL_CALLS_TAKEN;
use super::conns::ConnRef;
use super::drive::{Outcome, Target, Watch};
use super::worker::{After, Manner, Turn, Worker};
use crate::app::Application;
use crate::endpoint::{Answer, Cause, Decision, Findings, Moment, Posted, Work};
use crate::guard::Peer;
use crate::http::{self, Status};
use crate::json::{Span, Value};
use crate::limits::BATCH_MAX;
use crate::outlet::{Out, Outlet};
use crate::rpc::{Code, Envelope, Request};
use crate::session::SessionRef;

impl<A: Application> Worker<'_, '_, A> {
    /// Answers an array of messages (2025-03-26) with an array of responses, one after the other.
    #[allow(clippy::too_many_arguments)] // all that a request consists of
    pub(super) async fn batch(
        &self,
        conn: ConnRef,
        session: SessionRef,
        head: http::Request<'_>,
        posted: Posted<'_>,
        manner: &Manner<'_>,
        doc: &mut [u8],
        watch: &mut Watch<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let Some(spans) = elements(doc) else {
            let message = "a batch must have at least one message, and at most 16";
            let answer = Answer::refusal(Status::BAD_REQUEST, Code::INVALID_REQUEST, message);
            return self.answer(conn, answer, manner, doc, tx).await;
        };
        let came = self.core.moment(conn);
        // The first request of them was counted when they came.
        let counted = self.core.counted_by(conn, manner.peer, head, came.local.map(|local| local.ip()));
        let (mut is_free, mut answered) = (true, false);
        let mut outlet = manner.outlet(tx);
        // The responses come as one array.
        outlet.get_mut().set_json_only();
        watch.more = true;
        self.slot.batch.set(true);
        for span in spans {
            let Some(element) = doc.get_mut(span.start as usize..span.end as usize) else { continue };
            // Its sender may be out by now; what ran for it was cancelled.
            if !self.core.endpoint.guard.knows(posted.principal.id(), self.core.unix_s.get()) {
                return Turn::Done(After::Close);
            }
            let moment = Moment { counted: counted.filter(|_| !is_free), ..self.core.moment(conn) };
            let mut findings = Findings::default();
            let decision = {
                let mut sessions = self.core.sessions.borrow_mut();
                self.core.endpoint.element(head, posted, element, &mut findings, session, &mut sessions, &moment)
            };
            is_free &= !is_of_request(&decision);
            self.core.tell(findings.changes, manner.peer);
            self.give_way().await;
            if let Ok(Decision::Cancel { session, request }) = decision {
                self.core.cancel(session, request.of(element));
                continue;
            }
            if let Ok(Decision::Reply { session, id, result }) = decision {
                self.core.reply(session, id.of(element), result.map(|result| result.of(element)));
                continue;
            }
            let element = (&findings.envelope, &*element);
            match pin!(self.respond_in_batch(conn, &outlet, decision, element, answered, manner.peer, watch)).await {
                Some(Outcome::Sent) => answered = true,
                Some(_) => return Turn::Done(After::Close),
                None => {}
            }
        }
        let out = Out::new(&outlet);
        let end = pin!(Some(async {
            if answered {
                out.str("]").await;
            } else {
                out.set_status(Status::ACCEPTED);
            }
        }));
        match self.drive(&Target::Conn(conn), &outlet, end, None).await {
            Outcome::Sent if !manner.template.close && !outlet.borrow().ends_with_connection() => Turn::Next,
            Outcome::Sent => Turn::Done(After::Linger),
            _ => Turn::Done(After::Close),
        }
    }

    // Writes the response to one message of a batch; `None` when it has none.
    #[allow(clippy::too_many_arguments)] // all that an answer consists of
    async fn respond_in_batch(
        &self,
        conn: ConnRef,
        outlet: &RefCell<Outlet<'_>>,
        decision: Result<Decision<'_>, Answer<'static>>,
        (envelope, element): (&Envelope, &[u8]),
        answered: bool,
        peer: Option<Peer>,
        watch: &mut Watch<'_>,
    ) -> Option<Outcome> {
        let out = Out::new(outlet);
        let separator = if answered { "," } else { "[" };
        match decision {
            Ok(Decision::Job(mut job)) => {
                if self.is_beyond_reserve(&job) {
                    job.work = Work::Refuse(Code::REFUSED, ALL_CALLS_TAKEN);
                }
                self.hold_tool(&mut job);
                let request = Request { doc: element, envelope, revision: job.revision };
                let mark = outlet.borrow().mark();
                let client = self.begin_call(&job, &request);
                let handler = pin!(Some(async {
                    out.str(separator).await;
                    pin!(self.respond(out, &request, &job, &client)).await;
                }));
                let outcome = self.drive(&Target::Conn(conn), outlet, handler, Some(&mut *watch)).await;
                self.end_call(&job, outcome);
                match outcome {
                    Outcome::Late if outlet.borrow_mut().rewind(mark) => {
                        let handler = pin!(Some(async {
                            out.str(separator).await;
                            self.fail(out, &request, job.work).await;
                        }));
                        Some(self.drive(&Target::Conn(conn), outlet, handler, Some(watch)).await)
                    }
                    // Nothing is said for a cancelled call.
                    Outcome::Cancelled if outlet.borrow_mut().rewind(mark) => None,
                    outcome => Some(outcome),
                }
            }
            Err(answer) if answer.has_body() => {
                if let Some(cause @ Cause::Rate(_)) = answer.cause {
                    self.refused(cause, &answer, peer);
                }
                let handler = pin!(Some(out.write(|w| {
                    w.str(separator);
                    answer.write(w, element);
                })));
                Some(self.drive(&Target::Conn(conn), outlet, handler, Some(watch)).await)
            }
            _ => None,
        }
    }
}

// Whether a message was a request, as far as its answer tells.
fn is_of_request(decision: &Result<Decision<'_>, Answer<'_>>) -> bool {
    match decision {
        Err(answer) => answer.has_body(),
        Ok(Decision::Cancel { .. } | Decision::Reply { .. }) => false,
        _ => true,
    }
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
