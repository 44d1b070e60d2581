//! `subscriptions/listen` (2026-07-28): a stream of the notifications that its request asks for.

use crate::app::{Catalog, Identity};
use crate::hub::{Filter, Hub, NoPlace};
use crate::json::{Kind, Value, Writer};
use crate::limits::{LISTENER_ID_BYTES_MAX, SUBSCRIBED_URI_BYTES_MAX, SUBSCRIBED_URIS_MAX, TASKS_MAX};
use crate::rpc::{self, Envelope, META_SUBSCRIPTION_ID};
use crate::sse;
use crate::tasks::{self, Board};

/// What a listener asks for, as far as this server has it.
///
/// # Errors
/// The message of the `-32602` when the request is malformed.
pub(crate) fn asked(envelope: &Envelope, doc: &[u8], catalog: &Catalog) -> Result<Filter, &'static str> {
    if envelope.id_raw(doc).len() > LISTENER_ID_BYTES_MAX {
        return Err("the id of a subscriptions/listen request must be at most 48 bytes of JSON here");
    }
    let wanted = envelope.notifications.filter(|member| member.kind == Kind::Object);
    let Some(wanted) = wanted.map(|member| Value::of_span(member.span.of(doc))) else {
        return Err("subscriptions/listen needs params.notifications, an object that says what to listen to");
    };
    let flag = |key| wanted.get(key).and_then(Value::as_bool).unwrap_or(false);
    Ok(Filter {
        tools: flag("toolsListChanged") && catalog.has_tools(),
        prompts: flag("promptsListChanged") && !catalog.prompts.is_empty(),
        resources: flag("resourcesListChanged") && catalog.has_resources(),
        // Where there is room for them is for the server to say.
        uris: 0,
        tasks: 0,
        messages: None,
        client: 0,
        call: None,
    })
}

/// What is told when the acknowledgement would be longer than [`ACKNOWLEDGEMENT_BYTES_MAX`](crate::limits::ACKNOWLEDGEMENT_BYTES_MAX).
pub(crate) const TOO_MUCH: &str = "subscription limit reached: the URIs of one subscriptions/listen may have 8 KiB";

/// What is told when a resource can't be subscribed to.
pub(crate) fn no_place(why: NoPlace) -> &'static str {
    match why {
        NoPlace::Full => "subscription limit reached: clients are subscribed to 64 resources of this server already",
        NoPlace::Long => "a URI to subscribe to must have at most 256 bytes",
    }
}

const _: () = assert!(SUBSCRIBED_URIS_MAX == 64 && SUBSCRIBED_URI_BYTES_MAX == 256, "as the sentences above say");

/// Writes the first message of the stream: which notifications will come.
pub(crate) fn acknowledge(w: &mut Writer<'_>, filter: Filter, hub: &Hub<'_>, board: &Board<'_>, id: &[u8]) {
    w.raw(sse::MESSAGE);
    w.str(r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"#);
    let lists = [("tools", filter.tools), ("prompts", filter.prompts), ("resources", filter.resources)];
    let mut comma = "";
    for (name, _) in lists.iter().filter(|(_, wanted)| *wanted) {
        w.str(comma).str("\"").str(name).str("ListChanged\":true");
        comma = ",";
    }
    for (at, uri) in hub.uris_of(filter.uris).enumerate() {
        w.str(if at == 0 { comma } else { "," })
            .str(if at == 0 { r#""resourceSubscriptions":["# } else { "" })
            .string(uri);
    }
    if filter.uris != 0 {
        w.str("]");
        comma = ",";
    }
    let tasks = (0..TASKS_MAX).filter(|place| filter.tasks & tasks::bit(*place) != 0);
    for (at, place) in tasks.enumerate() {
        w.str(if at == 0 { comma } else { "," }).str(if at == 0 { r#""taskIds":["# } else { "" });
        board.look(place, |view| {
            w.string(view.id);
        });
    }
    w.str(if filter.tasks == 0 { "" } else { "]" });
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
