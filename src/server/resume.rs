//! Clients that come back for what they missed (2025-03-26 to 2025-11-25): `Last-Event-ID`.
//!
//! | the id names                                        | the GET is answered with                                       |
//! |-----------------------------------------------------|----------------------------------------------------------------|
//! | a place in the ring, of this client                 | what followed, and what will: it is the session's stream now   |
//! | any other place: another boot or client, overwritten | a stream from now on, and all that may have changed            |
//! | a call that runs                                    | what followed, and its answer; the stream ends with it. What   |
//! |                                                     | the call asks, and was lost on the way, is asked again         |
//! | a call whose answer is kept                         | the same                                                       |
//! | a call's answer                                     | 204: nothing will follow (WHATWG HTML, 9.2.1: do not come back) |
//! | any other call                                      | an error as its answer: the answer is lost                     |

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;

use super::conns::ConnRef;
use super::core::Core;
use super::drive::{Outcome, Target};
use super::open::retry_ms;
use super::stream_table::StreamRef;
use super::streams::NewStream;
use super::worker::{After, Manner, Turn, Worker};
use crate::app::Application;
use crate::endpoint::{Answer, LastSeen};
use crate::http::Status;
use crate::hub::{Audience, Event, Filter, Hub, Kind, Resumed};
use crate::json::Writer;
use crate::limits::{ACKNOWLEDGEMENT_BYTES_MAX, KEPT_BYTES_MAX};
use crate::outlet::{Kept, Outlet, Resumable, Wire};
use crate::rpc::{self, Code, Request};
use crate::session::{Revision, Session, SessionRef};
use crate::sse::{self, END_OF_CALL, EventId, Place, RequestTail};

/// What a client is told whose call this server knows nothing more of.
const LOST: &str = "the answer is lost: the connection broke, and the server no longer has the answer to this request";
/// What is told to those who read along.
const START_OVER: &str = ": what followed that event is no longer here; this stream begins anew\n\n";

impl<A: Application> Worker<'_, '_, A> {
    /// Opens the stream of a session: its own, or that of a call whose connection broke.
    pub(super) async fn open_session(
        &self,
        conn: ConnRef,
        session: SessionRef,
        last: LastSeen,
        wire: Wire,
        manner: &Manner<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let known = self.core.sessions.borrow().get(session).map(|session| (session.client().0, session.revision()));
        let Some((client, revision)) = known else { return Turn::Done(After::Close) };
        let last = match last {
            LastSeen::Event(id) if matches!(id.place, Place::Call(_)) => {
                return self.open_call(conn, session, (client, revision), id, wire, manner, tx).await;
            }
            last => last,
        };
        // The newest stream of a session takes the place of its older one, also where all places are taken.
        let own = self.core.sessions.borrow().get(session).and_then(Session::stream);
        let own = own.and_then(|index| self.core.streams.borrow().reference(index.into()));
        if let Err(why) = self.core.make_room(manner.peer, own) {
            return self.answer(conn, why.answer(), manner, &[], tx).await;
        }
        let head = self.core.hub.borrow().head();
        let (cursor, number, missed) = match last {
            LastSeen::Event(EventId { boot, client: of, place: Place::Ring(position), stream, .. })
                if boot == self.core.numbers.boot && of == client && self.core.hub.borrow().is_boundary(position) =>
            {
                (position, stream, false)
            }
            LastSeen::Nothing => (head, self.core.numbers.next(), false),
            LastSeen::Unknown | LastSeen::Event(_) => (head, self.core.numbers.next(), true),
        };
        let mut stream = NewStream::new(conn, wire, self.session_filter(session), cursor, self.core.now_ms.get());
        stream.session = Some(session);
        let id = self.core.event_id(client, number, Place::Ring(cursor));
        if revision.is_resumable() {
            stream.identify(&id);
        }
        let filter = stream.filter;
        let first = |w: &mut Writer<'_>| {
            begin(w, revision, &id, retry_ms(conn));
            if missed {
                begin_anew(w, &filter, &self.core.hub.borrow());
            }
        };
        self.begin_stream(conn, stream, manner, first, tx).await
    }

    // Resumes the stream of a call.
    #[allow(clippy::too_many_arguments)] // all that a stream consists of
    async fn open_call(
        &self,
        conn: ConnRef,
        session: SessionRef,
        (client, revision): (u64, Revision),
        id: EventId,
        wire: Wire,
        manner: &Manner<'_>,
        tx: &mut [u8],
    ) -> Turn {
        let Place::Call(after) = id.place else { return Turn::Done(After::Close) };
        if after == END_OF_CALL {
            return self.answer(conn, Answer::empty(Status::NO_CONTENT), manner, &[], tx).await;
        }
        let is_ours = id.boot == self.core.numbers.boot && id.client == client;
        let call = (client, id.stream);
        if !is_ours || !(self.core.is_running(call) || self.core.hub.borrow().has_end(client, id.stream)) {
            return self.answer_lost(conn, &id, manner, tx).await;
        }
        // The newest connection has the stream, as with a session's own.
        if let Err(why) = self.core.make_room(manner.peer, self.core.call_stream(call)) {
            return self.answer(conn, why.answer(), manner, &[], tx).await;
        }
        // From here on its events are kept in the ring.
        self.core.resume_call(call, after);
        let filter = Filter {
            tools: false,
            prompts: false,
            resources: false,
            uris: 0,
            tasks: 0,
            messages: None,
            client,
            call: Some(Resumed { stream: id.stream, after }),
        };
        let mut stream = NewStream::new(conn, wire, filter, self.core.hub.borrow().tail(), self.core.now_ms.get());
        stream.session = Some(session);
        stream.identify(&id);
        self.begin_stream(conn, stream, manner, |w| begin(w, revision, &id, retry_ms(conn)), tx).await
    }

    /// A call whose events have ids came to its end.
    pub(super) fn end_resumable(&self, call: (u64, u64), outlet: &RefCell<Outlet<'_>>) {
        if !self.slot.detached.get() {
            // Who came back for it before it had an id gets nothing more.
            return self.core.close_call_stream(call);
        }
        if !outlet.borrow().is_done() {
            // It was cancelled.
            outlet.borrow_mut().end_silently();
            self.core.keep(outlet);
        }
    }

    // Tells that there is no answer, in the place of the answer.
    async fn answer_lost(&self, conn: ConnRef, id: &EventId, manner: &Manner<'_>, tx: &mut [u8]) -> Turn {
        log::debug!("a client came back for an answer that is not here");
        let Some(request) = id.request.json() else {
            // Nothing can be said to a request that is not known.
            return self.answer(conn, Answer::empty(Status::NO_CONTENT), manner, &[], tx).await;
        };
        let mut outlet = manner.outlet(tx);
        outlet.get_mut().set_event_stream();
        outlet.get_mut().open_stream(|w| {
            sse::write_id(w, &id.at(Place::Call(END_OF_CALL)));
            w.raw(sse::MESSAGE);
            rpc::error(w, request.concat().as_bytes(), Code::INTERNAL_ERROR, LOST);
            w.raw(sse::END);
        });
        let close = manner.template.close || outlet.borrow().ends_with_connection();
        match self.drive(&Target::Conn(conn), &outlet, pin!(Some(async {})), None).await {
            Outcome::Sent if !close => Turn::Next,
            Outcome::Sent => Turn::Done(After::Linger),
            _ => Turn::Done(After::Close),
        }
    }
}

/// What event ids are made of, beside the client and the event.
pub(super) struct Numbers {
    /// Which start of the server this is: a random number.
    boot: u32,
    /// Streams whose events have ids, so far.
    streams: Cell<u64>,
}

impl Numbers {
    /// Those of a server that starts now.
    pub(super) fn new() -> Self {
        let [b0, b1, b2, b3, ..] = RandomState::new().hash_one(0).to_le_bytes();
        Self { boot: u32::from_le_bytes([b0, b1, b2, b3]), streams: Cell::new(0) }
    }

    /// Which start of the server this is: a random number.
    pub(super) const fn boot(&self) -> u32 {
        self.boot
    }

    /// A number for a stream whose events have ids.
    fn next(&self) -> u64 {
        self.streams.set(self.streams.get().saturating_add(1));
        self.streams.get()
    }
}

impl<A> Core<'_, A> {
    /// Gives the events of a call's answer ids, where the revision has any. What names the call: its client, and the number of its stream.
    pub(super) fn make_resumable<'b>(
        &self,
        outlet: &mut Outlet<'b>,
        request: &Request<'b>,
        session: Option<SessionRef>,
        conn: ConnRef,
    ) -> Option<(u64, u64)> {
        let session = session.filter(|_| request.revision.is_resumable())?;
        let client = self.sessions.borrow().get(session)?.client().0;
        let id = self.event_id(client, self.numbers.next(), Place::Call(0));
        let stream = id.stream;
        let (primed, retry_ms) = (request.revision.is_primed(), retry_ms(conn));
        outlet.set_resumable(Resumable { id, request: request.id(), primed, retry_ms });
        Some((client, stream))
    }

    // An id of this start of the server.
    fn event_id(&self, client: u64, stream: u64, place: Place) -> EventId {
        EventId { boot: self.numbers.boot, client, stream, place, request: RequestTail::default() }
    }

    /// Puts what an answer without a connection has to say into the ring.
    pub(super) fn keep(&self, outlet: &RefCell<Outlet<'_>>) {
        loop {
            let mut outlet = outlet.borrow_mut();
            let Some(Kept { id, json }) = outlet.next_kept() else { return };
            let Place::Call(event) = id.place else { return };
            let kind = Kind::Call { stream: id.stream, event };
            let whole = json.len() <= KEPT_BYTES_MAX && self.append(kind, Audience::Client(id.client), json);
            if !whole {
                self.tally.events.too_large.add();
            }
            outlet.kept(whole);
        }
    }

    // A worker runs this call (client, stream).
    fn is_running(&self, call: (u64, u64)) -> bool {
        self.workers.iter().any(|worker| worker.resumable.get() == Some(call))
    }

    // Its client came back for it by another connection.
    fn resume_call(&self, call: (u64, u64), after: u32) {
        for (index, worker) in self.workers.iter().enumerate().filter(|(_, w)| w.resumable.get() == Some(call)) {
            worker.resumed.set(Some(after));
            self.wake_worker(index);
        }
    }

    /// The client of this worker's call has its events up to `after`, and gets those that are kept. A question that is among neither was lost
    /// with the connection: it is put again.
    pub(super) fn ask_again(&self, worker: usize, after: u32) {
        let Some((client, stream)) = self.workers.get(worker).and_then(|worker| worker.resumable.get()) else { return };
        let hub = self.hub.borrow();
        let missed = |event: u32| event > after && !hub.has_event(client, stream, event);
        self.inputs.borrow_mut().resume(worker, missed);
    }

    // The stream on which a call (client, stream) was resumed, if there is one.
    fn call_stream(&self, call: (u64, u64)) -> Option<StreamRef> {
        let streams = self.streams.borrow();
        streams.iter().map(|(stream, _)| stream).find(|stream| streams.call(*stream) == Some(call))
    }

    /// Closes the stream on which a call (client, stream) was resumed, if there is one.
    fn close_call_stream(&self, call: (u64, u64)) {
        self.close_streams_of_calls(|other| other == call);
    }

    /// A client's session ended: nobody can come back for its answers.
    pub(super) fn forget_calls(&self, client: u64) {
        self.close_streams_of_calls(|(of, _)| of == client);
        for (index, worker) in self.workers.iter().enumerate() {
            if worker.detached.get() && worker.resumable.get().is_some_and(|(of, _)| of == client) {
                worker.cancelled.set(true);
                self.wake_worker(index);
            }
        }
    }

    fn close_streams_of_calls(&self, which: impl Fn((u64, u64)) -> bool) {
        let slots = self.streams.borrow().len();
        for index in 0..slots {
            let call = self.streams.borrow().reference(index).and_then(|stream| self.streams.borrow().call(stream));
            let stream = self.streams.borrow().reference(index).filter(|_| call.is_some_and(&which));
            if let Some(stream) = stream {
                self.close_stream(stream, true);
            }
        }
    }
}

// What a stream begins with, so that its client can come back to where it is from the first moment on.
fn begin(w: &mut Writer<'_>, revision: Revision, id: &EventId, retry_ms: u32) {
    if revision.is_primed() {
        sse::write_priming(w, id, retry_ms);
    } else {
        w.str("retry: ").uint(u64::from(retry_ms)).str("\n").raw(sse::OPENED);
    }
}

// For a client that missed something, and can't be told what.
fn begin_anew(w: &mut Writer<'_>, filter: &Filter, hub: &Hub<'_>) {
    w.str(START_OVER);
    let lists = [
        (filter.tools, Kind::ToolsChanged),
        (filter.prompts, Kind::PromptsChanged),
        (filter.resources, Kind::ResourcesChanged),
    ];
    for (_, kind) in lists.into_iter().filter(|(wanted, _)| *wanted) {
        Event::of(kind, &[]).render(w, &[]);
    }
    for uri in hub.uris_of(filter.uris) {
        // What is more than fits one buffer is left to the client's own looking.
        if w.total() < ACKNOWLEDGEMENT_BYTES_MAX {
            Event::of(Kind::ResourceUpdated(0), uri.as_bytes()).render(w, &[]);
        }
    }
}
