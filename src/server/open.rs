//! Opens streams: that of a session, 2024-11-05's own, and `subscriptions/listen`.

use super::announce::level;
use super::conns::{ConnRef, State};
use super::core::{index16, index32};
use super::room::NoRoom;
use super::streams::NewStream;
use super::worker::{After, Manner, Turn, Worker};
use crate::app::Application;
use crate::app::client_text;
use crate::endpoint::{Answer, Body, Moment, Opening};
use crate::http::{self, Status};
use crate::hub::Filter;
use crate::json::{Value, Writer};
use crate::limits::{ACKNOWLEDGEMENT_BYTES_MAX, RETRY_MS};
use crate::mcp::subscriptions;
use crate::outlet::Wire;
use crate::rpc::{Code, Envelope};
use crate::session::{Principal, Revision, Session, SessionRef, kept_text};
use crate::since::Since;
use crate::sse;

impl<A: Application> Worker<'_, '_, A> {
    /// Opens the stream of a GET.
    #[allow(clippy::too_many_arguments)] // all that a request consists of
    pub(super) async fn open(
        &self,
        conn: ConnRef,
        opening: Opening,
        head: http::Request<'_>,
        who: &Principal,
        manner: &Manner<'_>,
        moment: &Moment,
        tx: &mut [u8],
    ) -> Turn {
        let wire = if head.is_http10() { Wire::UntilClose } else { Wire::Chunked };
        let principal = match opening {
            Opening::Session(session, changes, last) => {
                self.core.tell(changes, manner.peer);
                self.core.unsubscribe_from_forbidden(session, who);
                return self.open_session(conn, session, last, wire, manner, tx).await;
            }
            Opening::HttpSse(principal) => principal,
        };
        // A session is not opened, and nobody makes room for it, where its stream has no place.
        if let Err(why) = self.core.has_room(manner.peer, None) {
            return self.answer(conn, why.answer(), manner, &[], tx).await;
        }
        let opened = {
            let mut sessions = self.core.sessions.borrow_mut();
            self.core.endpoint.open_http_sse(principal, &mut sessions, moment)
        };
        let (session, id, changes) = match opened {
            Ok(opened) => opened,
            Err(answer) => return self.answer(conn, answer, manner, &[], tx).await,
        };
        self.core.tell(changes, manner.peer);
        if let Err(why) = self.core.make_room(manner.peer, None) {
            self.core.sessions.borrow_mut().end(session);
            return self.answer(conn, why.answer(), manner, &[], tx).await;
        }
        let mut stream =
            NewStream::new(conn, wire, self.session_filter(session), self.core.hub.borrow().head(), moment.now_ms);
        stream.session = Some(session);
        stream.http_sse = true;
        let public_path = &self.core.endpoint.public_path;
        let first = |w: &mut Writer<'_>| {
            w.raw(sse::ENDPOINT).str(public_path).str(crate::endpoint::MESSAGES_PATH).str("?sessionId=").str(&id);
            w.raw(sse::END);
            w.str("retry: ").uint(u64::from(retry_ms(conn))).str("\n").raw(sse::OPENED);
        };
        self.begin_stream(conn, stream, manner, first, tx).await
    }

    /// Opens the stream of a `subscriptions/listen`.
    #[allow(clippy::too_many_arguments)] // all that a request consists of
    pub(super) async fn listen(
        &self,
        conn: ConnRef,
        envelope: &Envelope,
        mut filter: Filter,
        principal: &Principal,
        manner: &Manner<'_>,
        doc: &[u8],
        tx: &mut [u8],
    ) -> Turn {
        if let Err(why) = self.core.make_room(manner.peer, None) {
            let mut answer = why.answer();
            answer.answer_to(envelope);
            return self.answer(conn, answer, manner, doc, tx).await;
        }
        let wanted = envelope.notifications.map(|member| Value::of_span(member.span.of(doc)));
        match self.core.listen_to(
            wanted.and_then(|wanted| wanted.get("resourceSubscriptions")).unwrap_or(Value::new(b"[]")),
            principal,
        ) {
            Ok(uris) => filter.uris = uris,
            Err(why) => {
                let body = Body::error(envelope, Code::INTERNAL_ERROR, subscriptions::no_place(why));
                return self.answer(conn, Answer::with(Status::OK, body), manner, doc, tx).await;
            }
        }
        let id = envelope.id_raw(doc);
        filter.client = self.core.sessions.borrow_mut().next_client().0;
        let mut measure = Writer::new(&mut []);
        subscriptions::acknowledge(&mut measure, filter, &self.core.hub.borrow(), &self.core.board, id);
        if measure.total() > ACKNOWLEDGEMENT_BYTES_MAX {
            let body = Body::error(envelope, Code::INTERNAL_ERROR, subscriptions::TOO_MUCH);
            return self.answer(conn, Answer::with(Status::OK, body), manner, doc, tx).await;
        }
        let wire = if manner.http10 { Wire::UntilClose } else { Wire::Chunked };
        let head = self.core.hub.borrow().head();
        let mut stream = NewStream::new(conn, wire, filter, head, self.core.now_ms.get());
        stream.listen(id);
        stream.principal = principal.id();
        let (name, version) = crate::rpc::implementation(envelope.meta_client_info, doc);
        let (name, version) = (client_text(name), client_text(version));
        stream.name = self.core.sessions.borrow_mut().names().keep(&name, &version);
        self.core.came(filter.client, &kept_text(&name), Revision::V2026_07_28, manner.peer);
        self.core.tell_tasks(filter.tasks, filter.client);
        let (hub, board) = (&self.core.hub, &self.core.board);
        let first = |w: &mut Writer<'_>| subscriptions::acknowledge(w, filter, &hub.borrow(), board, id);
        self.begin_stream(conn, stream, manner, first, tx).await
    }

    // Writes the head and the first event, and gives the connection to the streams.
    pub(super) async fn begin_stream(
        &self,
        conn: ConnRef,
        stream: NewStream,
        manner: &Manner<'_>,
        first: impl FnOnce(&mut Writer<'_>),
        tx: &mut [u8],
    ) -> Turn {
        // A call's stream does not take the place of the session's own.
        let is_call = stream.filter.call.is_some();
        let session = stream.session.filter(|_| !is_call);
        let opened = self.core.streams.borrow_mut().open(&stream);
        let Some(stream) = opened else {
            self.core.sessions.borrow_mut().names().let_go(stream.name);
            return self.answer(conn, NoRoom::House.answer(), manner, &[], tx).await;
        };
        self.core.access.watch.opened(stream.index(), self.slot.ends_unix_s.get());
        if let Some(slot) = self.core.conns.borrow_mut().get(conn) {
            // It counts for whom a proxy passes it on.
            slot.set_peer(manner.peer);
        }
        if let Some(session) = session {
            let now_ms = self.core.now_ms.get();
            let known = self.core.sessions.borrow_mut().stream_opened(session, index16(stream.index()), now_ms);
            if known.is_err() {
                // It made room for another since it was looked up.
                self.core.streams.borrow_mut().close(stream, self.core.sessions.borrow_mut().names());
                return Turn::Done(After::Close);
            }
        }
        if let Some(socket) = self.core.conns.borrow_mut().get(conn).and_then(|slot| slot.socket()) {
            socket.prepare_stream();
        }
        let mut outlet = manner.outlet(tx);
        outlet.get_mut().set_event_stream();
        // The connection ends with it: a client that reads the last chunk must not take it for one that can be used again.
        outlet.get_mut().template().close = true;
        outlet.get_mut().open_stream(first);
        // The stream is not finished by this: only what is queued is written.
        if self.write_out(conn, &outlet).await {
            let mut conns = self.core.conns.borrow_mut();
            if let Some(slot) = conns.get(conn) {
                if let Some(open) = self.core.streams.borrow_mut().get(stream) {
                    open.opened();
                }
                slot.state = State::Stream(index16(stream.index()));
                slot.since = Since::at(self.core.now_ms.get());
                self.core.ready.set(self.core.conn_bit(conn.index()));
                return Turn::Done(After::Elsewhere);
            }
        }
        log::debug!("a stream could not be opened: its client is gone");
        self.core.close_stream(stream, false);
        Turn::Done(After::Close)
    }

    pub(super) fn session_filter(&self, session: SessionRef) -> Filter {
        let sessions = self.core.sessions.borrow();
        let session = sessions.get(session);
        let catalog = &self.core.endpoint.catalog;
        Filter {
            tools: catalog.has_tools(),
            prompts: !catalog.prompts.is_empty(),
            resources: catalog.has_resources(),
            uris: session.map_or(0, Session::subscriptions),
            tasks: 0,
            messages: session.map(level),
            client: session.map_or(0, |session| session.client().0),
            call: None,
        }
    }
}

/// After how many milliseconds a client is to come back. Those that were cut off together shall not come back together.
pub(super) fn retry_ms(conn: ConnRef) -> u32 {
    let spread = index32(conn.index() % 8);
    RETRY_MS + spread * (RETRY_MS / 16)
}
