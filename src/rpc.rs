//! The JSON-RPC 2.0 envelope, in and out: one scan of a message yields the spans that the protocol asks about, and
//! frames are written around results. Pure: bytes in, spans and bytes out.

mod kept;
mod place;
#[cfg(test)]
mod tests_kept;
#[cfg(test)]
mod tests_place;

pub(crate) use kept::KeptRequests;

use place::Place;

use crate::json::{self, Kind, ScanError, Span, Value, Visit, Writer};
use crate::session::Revision;

/// The key that ties a notification to the `subscriptions/listen` request that asked for it.
pub(crate) const META_SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
/// The key under which results of 2026-07-28 name the server.
pub(crate) const META_SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A JSON-RPC error code with the meaning that MCP gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) i32);

impl Code {
    /// Not JSON.
    pub(crate) const PARSE_ERROR: Code = Code(-32700);
    /// JSON, but no request that this server may take.
    pub(crate) const INVALID_REQUEST: Code = Code(-32600);
    /// The method does not exist here.
    pub(crate) const METHOD_NOT_FOUND: Code = Code(-32601);
    /// The method exists, its parameters are wrong (also: unknown tool, malformed 2026-07-28 envelope).
    pub(crate) const INVALID_PARAMS: Code = Code(-32602);
    /// 2026-07-28 `HeaderMismatch`: headers and body disagree.
    pub(crate) const HEADER_MISMATCH: Code = Code(-32020);
    /// 2026-07-28 `MissingRequiredClientCapability`: the client did not declare what the request needs.
    pub(crate) const MISSING_CAPABILITY: Code = Code(-32021);
    /// 2026-07-28 `UnsupportedProtocolVersion`.
    pub(crate) const UNSUPPORTED_VERSION: Code = Code(-32022);
    /// The application could not.
    pub(crate) const INTERNAL_ERROR: Code = Code(-32603);
    /// There is no such resource (up to 2025-11-25).
    pub(crate) const RESOURCE_NOT_FOUND: Code = Code(-32002);
    /// The TypeScript server's generic refusal, kept for clients that know it.
    pub(crate) const REFUSED: Code = Code(-32000);
    /// The session named is not, or no longer, known.
    pub(crate) const SESSION_NOT_FOUND: Code = Code(-32001);
}

/// What kind of JSON-RPC message an envelope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// `method` and `id`.
    Request,
    /// `method` without `id`.
    Notification,
    /// `result` or `error` without `method`.
    Response,
}

/// A member that was found: where its value lies, and of which kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The value's JSON text.
    pub(crate) span: Span,
    /// The value's kind.
    pub(crate) kind: Kind,
}

/// The spans of one message that the protocol asks about, found in one scan. It is large: it is read where it lies, and not moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) jsonrpc: Option<Member>,
    pub(crate) id: Option<Member>,
    pub(crate) method: Option<Member>,
    pub(crate) params: Option<Member>,
    pub(crate) result: Option<Member>,
    pub(crate) error: Option<Member>,
    /// `params.name` (tools, prompts).
    pub(crate) name: Option<Member>,
    /// `params.uri` (resources).
    pub(crate) uri: Option<Member>,
    /// `params.arguments`.
    pub(crate) arguments: Option<Member>,
    /// `params.taskId` (tasks).
    pub(crate) task_id: Option<Member>,
    /// `params.cursor`.
    pub(crate) cursor: Option<Member>,
    /// `params.requestState` (2026-07-28). Once it was verified: the JSON text that it carried, which lies in its place.
    pub(crate) request_state: Option<Member>,
    /// `params.inputResponses` (2026-07-28).
    pub(crate) input_responses: Option<Member>,
    /// `params.level` (`logging/setLevel`).
    pub(crate) level: Option<Member>,
    /// `params.requestId` (`notifications/cancelled`).
    pub(crate) request_id: Option<Member>,
    /// `params.notifications` (`subscriptions/listen`).
    pub(crate) notifications: Option<Member>,
    /// `params.protocolVersion` (`initialize`).
    pub(crate) protocol_version: Option<Member>,
    /// `params.clientInfo` (`initialize`).
    pub(crate) client_info: Option<Member>,
    /// `params._meta`.
    pub(crate) meta: Option<Member>,
    /// `params._meta.progressToken`.
    pub(crate) progress_token: Option<Member>,
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]`: present in every 2026-07-28 request.
    pub(crate) meta_version: Option<Member>,
    /// `params._meta["io.modelcontextprotocol/clientCapabilities"]`.
    pub(crate) meta_capabilities: Option<Member>,
    /// `params._meta["io.modelcontextprotocol/clientInfo"]`.
    pub(crate) meta_client_info: Option<Member>,
    /// `params._meta["io.modelcontextprotocol/logLevel"]`.
    pub(crate) meta_log_level: Option<Member>,
    /// One of the members above came twice: two readers could disagree about the message.
    pub(crate) duplicate: bool,
}

impl Envelope {
    /// Scans one message, normalising its strings in place, into an envelope that is empty. Gives the root's kind. `kept` knows other requests, and
    /// then this one.
    ///
    /// # Errors
    /// [`ScanError`] when `doc` is not exactly one JSON value.
    #[inline(never)] // with registers of its own
    pub(crate) fn scan(&mut self, doc: &mut [u8], kept: &mut KeptRequests) -> Result<Kind, ScanError> {
        if let Some(scanned) = kept.recall(doc, self) {
            return scanned.map(|()| Kind::Object);
        }
        self.scan_anew(doc, kept)
    }

    #[inline(never)]
    fn scan_anew(&mut self, doc: &mut [u8], kept: &mut KeptRequests) -> Result<Kind, ScanError> {
        let mut reader = Reader { envelope: self, may_be_kept: true };
        let kind = json::scan(doc, &mut reader)?;
        let Reader { may_be_kept, envelope } = reader;
        // What comes once in a while would take its place.
        if may_be_kept && !envelope.duplicate && envelope.id.is_some() && envelope.params.is_some() {
            kept.keep(doc, envelope);
        }
        Ok(kind)
    }

    /// What the message is; `None` when it is no JSON-RPC 2.0 message.
    pub(crate) fn message(&self, doc: &[u8]) -> Option<Message> {
        let version = self.jsonrpc.filter(|m| m.kind == Kind::String)?;
        if version.span.of(doc) != b"\"2.0\"" {
            return None;
        }
        match (self.method, self.id) {
            (Some(method), _) if method.kind != Kind::String => None,
            // What is a request to one reader is a response to another.
            (Some(_), _) if self.result.is_some() || self.error.is_some() => None,
            // JSON-RPC 2.0, section 4.2; MCP has parameters by name only. Some clients write null where they have none.
            (Some(_), _) if self.params.is_some_and(|params| !matches!(params.kind, Kind::Object | Kind::Null)) => None,
            (Some(_), Some(id)) => Self::legal_id(id, doc).then_some(Message::Request),
            (Some(_), None) => Some(Message::Notification),
            (None, Some(id)) if self.result.is_some() != self.error.is_some() => {
                Self::legal_id(id, doc).then_some(Message::Response)
            }
            (None, _) => None,
        }
    }

    /// The id to echo, byte for byte; `null` where there is none that may be echoed (JSON-RPC 2.0, section 5).
    pub(crate) fn id_raw<'d>(&self, doc: &'d [u8]) -> &'d [u8] {
        match self.id {
            Some(id) if Self::legal_id(id, doc) => id.span.of(doc),
            _ => b"null",
        }
    }

    /// The text of a string member, without its quotes; normalised, so that plain names compare by bytes.
    pub(crate) fn text(member: Option<Member>, doc: &[u8]) -> Option<&[u8]> {
        let member = member.filter(|m| m.kind == Kind::String)?;
        let raw = member.span.of(doc);
        raw.get(1..raw.len().checked_sub(1)?)
    }

    /// The method's name; empty when there is none.
    pub(crate) fn method_name<'d>(&self, doc: &'d [u8]) -> &'d [u8] {
        Self::text(self.method, doc).unwrap_or_default()
    }

    // Where a member is kept.
    fn slot(&mut self, name: Place) -> Option<&mut Option<Member>> {
        Some(match name {
            Place::Message | Place::Other | Place::MetaOther => return None,
            Place::Jsonrpc => &mut self.jsonrpc,
            Place::Id => &mut self.id,
            Place::Method => &mut self.method,
            Place::Params => &mut self.params,
            Place::Result => &mut self.result,
            Place::Error => &mut self.error,
            Place::Name => &mut self.name,
            Place::Uri => &mut self.uri,
            Place::Arguments => &mut self.arguments,
            Place::TaskId => &mut self.task_id,
            Place::Cursor => &mut self.cursor,
            Place::RequestState => &mut self.request_state,
            Place::InputResponses => &mut self.input_responses,
            Place::Level => &mut self.level,
            Place::RequestId => &mut self.request_id,
            Place::Notifications => &mut self.notifications,
            Place::ProtocolVersion => &mut self.protocol_version,
            Place::ClientInfo => &mut self.client_info,
            Place::Meta => &mut self.meta,
            Place::ProgressToken => &mut self.progress_token,
            Place::MetaVersion => &mut self.meta_version,
            Place::MetaCapabilities => &mut self.meta_capabilities,
            Place::MetaClientInfo => &mut self.meta_client_info,
            Place::MetaLogLevel => &mut self.meta_log_level,
        })
    }

    // MCP: a request id is a string or an integer. A fraction or an exponent is let through, as JSON-RPC only says SHOULD NOT.
    fn legal_id(id: Member, doc: &[u8]) -> bool {
        matches!(id.kind, Kind::String | Kind::Number) && !id.span.of(doc).is_empty()
    }
}

/// Who finds what an envelope has.
struct Reader<'a> {
    envelope: &'a mut Envelope,
    /// It says nothing but what requests do that are kept.
    may_be_kept: bool,
}

impl Visit for Reader<'_> {
    type Name = Place;

    const ROOT: Place = Place::Message;

    #[inline]
    fn known(within: Place, text: &[u8]) -> Option<(Place, usize)> {
        within.of_member(text)
    }

    fn other(within: Place, _doc: &[u8], _key: Span) -> Place {
        if within == Place::Meta { Place::MetaOther } else { Place::Other }
    }

    #[inline]
    fn looks_into(name: Place) -> bool {
        matches!(name, Place::Params | Place::Meta)
    }

    #[inline(never)] // the scanner keeps its registers
    fn member(&mut self, _doc: &[u8], name: Place, value: Span, kind: Kind) {
        self.may_be_kept &= KeptRequests::may_have(name);
        let Some(slot) = self.envelope.slot(name) else { return };
        let twice = slot.replace(Member { span: value, kind }).is_some();
        self.envelope.duplicate |= twice;
    }
}

/// One request, scanned and admitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The message's bytes.
    pub(crate) doc: &'a [u8],
    /// Where in them things are.
    pub(crate) envelope: &'a Envelope,
    /// The revision that the answer is written in.
    pub(crate) revision: Revision,
}

impl<'a> Request<'a> {
    /// The id to answer to.
    pub(crate) fn id(&self) -> &'a [u8] {
        self.envelope.id_raw(self.doc)
    }
}

/// Name and version of a client, as `initialize` or the 2026-07-28 envelope tells them.
pub(crate) fn implementation(member: Option<Member>, doc: &[u8]) -> (Option<json::Text<'_>>, Option<json::Text<'_>>) {
    let Some(member) = member else { return (None, None) };
    // One look at all of it. What comes twice says nothing.
    let (mut name, mut version) = ((0, None), (0, None));
    for (key, value) in Value::of_span(member.span.of(doc)).members() {
        for (known, found) in [("name", &mut name), ("version", &mut version)] {
            if key.eq_str(known) {
                *found = (found.0 + 1, value.as_text());
            }
        }
    }
    let once = |(count, text)| if count == 1 { text } else { None };
    (once(name), once(version))
}

/// How every response begins: its id follows.
pub(crate) const RESPONSE_BEGIN: &str = r#"{"jsonrpc":"2.0","id":"#;

/// Writes the beginning of a successful response, up to where the result's value goes.
pub(crate) fn begin_result(w: &mut Writer<'_>, id: &[u8]) {
    w.str(RESPONSE_BEGIN).raw(id).str(r#","result":"#);
}

/// How a response begins whose request has no id to answer to.
pub(crate) const ANSWERED_NULL: &str = r#"{"jsonrpc":"2.0","id":null,"#;

/// Writes a whole error response.
pub(crate) fn error(w: &mut Writer<'_>, id: &[u8], code: Code, message: &str) {
    begin_error(w, id, code, message);
    w.str("}}");
}

/// Writes a whole error response with `data`.
pub(crate) fn error_with(w: &mut Writer<'_>, id: &[u8], code: Code, message: &str, data: impl Fn(&mut Writer<'_>)) {
    begin_error(w, id, code, message);
    w.str(r#","data":"#);
    data(w);
    w.str("}}");
}

/// Writes a whole error response with a formatted message; `members` writes what follows it, with a comma in front.
pub(crate) fn error_fmt(
    w: &mut Writer<'_>,
    id: &[u8],
    code: Code,
    message: core::fmt::Arguments<'_>,
    members: impl Fn(&mut Writer<'_>),
) {
    w.str(RESPONSE_BEGIN).raw(id).str(r#","error":{"code":"#).int(i64::from(code.0));
    w.str(r#","message":""#).escaped_fmt(message).str("\"");
    members(w);
    w.str("}}");
}

fn begin_error(w: &mut Writer<'_>, id: &[u8], code: Code, message: &str) {
    w.str(RESPONSE_BEGIN).raw(id).str(r#","error":{"code":"#).int(i64::from(code.0));
    w.str(r#","message":"#).string(message);
}
