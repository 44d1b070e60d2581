//! Messages that open sessions, and those of 2024-11-05, whose session is a stream.

use super::head::no_session;
use super::job::{Job, Work};
use super::message::{Around, Decision};
use super::{Answer, Changes, Endpoint, Moment, NoSession};
use crate::app::{ClientText, client_text};
use crate::mcp::discover;
use crate::rpc::{self, Envelope, Message};
use crate::session::{
    Admitted, IdText, PrincipalId, Revision, Session, SessionFields, SessionId, SessionRef, Table, Transport,
};

impl Endpoint {
    // `initialize` over Streamable HTTP: a new session, whatever id came with it.
    pub(super) fn initialize<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        envelope: &Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        let revision = discover::negotiate(envelope, doc);
        let fields = SessionFields {
            revision,
            transport: Transport::Streamable,
            capabilities: discover::capabilities(envelope, doc),
            issued_unix_s: around.moment.unix_s,
        };
        let (name, version) = client(envelope, doc);
        let (id, text) = self.issue(fields, around.posted.principal.id(), around.moment)?;
        let admitted = table.open(id, &name, &version, around.moment.now_ms);
        let admitted = admitted.map_err(|_| no_session(NoSession::Full))?;
        around.changes.set(changes(&admitted));
        around.session_id.set(Some(text));
        let (principal, session) = (around.posted.principal, Some(admitted.session));
        Ok(Decision::Job(Job { revision, work: Work::Initialize, principal, session }))
    }

    // POST /messages: a message of a 2024-11-05 session, whose answer goes to its stream.
    pub(super) fn on_stream<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        message: Message,
        envelope: &Envelope,
        doc: &[u8],
        table: &mut Table<'_>,
    ) -> Result<Decision<'p>, Answer<'static>> {
        let text = around.head.query_param("sessionId").unwrap_or_default();
        let session = self.find(around, text.as_bytes(), Transport::HttpSse, table)?;
        let live = table.get(session).filter(|session| session.stream().is_some());
        let Some(mut revision) = live.map(Session::revision) else {
            return Err(no_session(NoSession::Unknown));
        };
        if message == Message::Request && envelope.method_name(doc) == b"initialize" {
            revision = discover::negotiate(envelope, doc);
            let (name, version) = client(envelope, doc);
            let capabilities = discover::capabilities(envelope, doc);
            table.set_negotiated(session, revision, capabilities, (&name, &version));
            around.changes.set(Changes { came: Some(session), evicted: None });
            let (work, principal, session) = (Work::Initialize, around.posted.principal, Some(session));
            return Ok(Decision::Job(Job { revision, work, principal, session }));
        }
        let decision = self.in_session(around, message, envelope, doc, table, session, revision);
        if matches!(&decision, Ok(Decision::Job(job)) if job.work.is_call()) {
            // Some begin without a handshake. What they do may last until they go, so that this is told of them, too. Nothing else does: a ping may
            // come before the handshake, which is to tell the client's name.
            around.changes.set(Changes { came: Some(session), evicted: None });
        }
        decision
    }

    /// Opens the session of a 2024-11-05 stream; gives the reference to POST to.
    pub(crate) fn open_http_sse(
        &self,
        principal: PrincipalId,
        table: &mut Table<'_>,
        moment: &Moment,
    ) -> Result<(SessionRef, IdText, Changes), Answer<'static>> {
        let fields = SessionFields {
            revision: Revision::V2024_11_05,
            transport: Transport::HttpSse,
            capabilities: 0,
            issued_unix_s: moment.unix_s,
        };
        let (id, text) = self.issue(fields, principal, moment)?;
        let admitted = table.open(id, "", "", moment.now_ms).map_err(|_| no_session(NoSession::Full))?;
        // Who it is will be told by its `initialize`.
        Ok((admitted.session, text, Changes { came: None, ..changes(&admitted) }))
    }

    fn issue(
        &self,
        fields: SessionFields,
        principal: PrincipalId,
        moment: &Moment,
    ) -> Result<(SessionId, IdText), Answer<'static>> {
        let random = (moment.random)().ok_or_else(|| no_session(NoSession::Full))?;
        Ok(SessionId::issue(&self.key, fields, principal, random))
    }
}

/// Who came, and who made room.
pub(super) fn changes(admitted: &Admitted) -> Changes {
    Changes { came: Some(admitted.session), evicted: admitted.evicted }
}

fn client(envelope: &Envelope, doc: &[u8]) -> (ClientText, ClientText) {
    let (name, version) = rpc::implementation(envelope.client_info, doc);
    (client_text(name), client_text(version))
}
