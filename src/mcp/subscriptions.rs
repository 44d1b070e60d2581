//! `subscriptions/listen` (2026-07-28): a stream of the notifications that its request asks for.

use crate::app::Identity;
use crate::hub::Filter;
use crate::json::{Kind, Value, Writer};
use crate::limits::LISTENER_ID_BYTES_MAX;
use crate::rpc::{self, Envelope, META_SUBSCRIPTION_ID};
use crate::sse;

/// What a listener asks for, as far as this server has it.
///
/// # Errors
/// The message of the `-32602` when the request is malformed.
pub(crate) fn asked(envelope: &Envelope, doc: &[u8]) -> Result<Filter, &'static str> {
    if envelope.id_raw(doc).len() > LISTENER_ID_BYTES_MAX {
        return Err("the id of a subscriptions/listen request must be at most 64 bytes of JSON here");
    }
    let wanted = envelope.notifications.filter(|member| member.kind == Kind::Object);
    let Some(wanted) = wanted.map(|member| Value::new(member.span.of(doc))) else {
        return Err("subscriptions/listen needs params.notifications, an object that says what to listen to");
    };
    let flag = |key| wanted.get(key).and_then(Value::as_bool).unwrap_or(false);
    Ok(Filter { tools: flag("toolsListChanged"), prompts: false, resources: false, messages: None, client: 0 })
}

/// Writes the first message of the stream: which notifications will come.
pub(crate) fn acknowledge(w: &mut Writer<'_>, filter: Filter, id: &[u8]) {
    w.raw(sse::MESSAGE);
    w.str(r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"#);
    w.str(if filter.tools { r#""toolsListChanged":true"# } else { "" });
    w.str(r#"},"_meta":{"#).string(META_SUBSCRIPTION_ID).str(":").raw(id).str("}}}");
    w.raw(sse::END);
}

/// Writes the response that ends the stream.
pub(crate) fn complete(w: &mut Writer<'_>, id: &[u8], identity: &Identity) {
    w.raw(sse::MESSAGE);
    rpc::begin_result(w, id);
    w.str(r#"{"resultType":"complete","_meta":{"#).string(META_SUBSCRIPTION_ID).str(":").raw(id).str(",");
    w.string(rpc::META_SERVER_INFO).str(":");
    identity.write(w);
    w.str("}}}").raw(sse::END);
}
