//! The extension `io.modelcontextprotocol/tasks` (2026-07-28): a `tools/call` is answered with a task, which `tasks/get` looks at, `tasks/update`
//! gives input to and `tasks/cancel` ends.

use core::cell::Cell;
use core::pin::pin;

use super::refuse;
use crate::app::{Application, Call, Context, Identity, Ran, unwound};
use crate::http;
use crate::json::{Kind, Text, Value, Writer};
use crate::limits::TASK_POLL_MS;
use crate::outlet::Out;
use crate::rpc::{self, Code, Envelope, META_SUBSCRIPTION_ID, Request};
use crate::sse;
use crate::tasks::{Board, NoTask, Status, View};

/// The extension's name.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The `data` of the `-32021` for a request that needs the extension.
pub(crate) const REQUIRED: &str = r#"{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#;

/// What is told when the client did not declare the extension.
pub(crate) const UNDECLARED: &str = "missing required client capability: the extension io.modelcontextprotocol/tasks";

/// What is told when there is no such task.
pub(crate) const UNKNOWN: &str = "task not found: it never was, is another client's, or has expired";

/// What a task's method asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `tasks/get`.
    Get,
    /// `tasks/update`.
    Update,
    /// `tasks/cancel`.
    Cancel,
}

/// The client declared the extension in this request.
pub(crate) fn is_declared(envelope: &Envelope, doc: &[u8]) -> bool {
    let declared = envelope.meta_capabilities.map(|member| Value::of_span(member.span.of(doc)));
    let settings = declared.and_then(|declared| declared.get("extensions")?.get(EXTENSION));
    settings.is_some_and(|settings| settings.kind() == Kind::Object)
}

/// A `subscriptions/listen` asks for tasks.
pub(crate) fn are_asked(envelope: &Envelope, doc: &[u8]) -> bool {
    let wanted = envelope.notifications.map(|member| Value::of_span(member.span.of(doc)));
    wanted.and_then(|wanted| wanted.get("taskIds")).is_some()
}

/// The id of the task that a request is about.
pub(crate) fn asked<'d>(envelope: &Envelope, doc: &'d [u8]) -> Option<Text<'d>> {
    Value::of_span(envelope.task_id?.span.of(doc)).as_text()
}

/// What is told when a tool that only runs as a task can't be one.
pub(crate) const fn no_task(why: NoTask) -> &'static str {
    match why {
        NoTask::Full => "all tasks of this server are taken; come again when one has ended",
        NoTask::Large => "the request is too large for a task of this server (16 KiB)",
    }
}

const _: () = assert!(crate::limits::TASK_BYTES_MAX == 16 * 1024, "as the sentences say");

/// The answers that a `tasks/update` brings.
pub(crate) fn responses<'d>(request: &Request<'d>) -> Option<Value<'d>> {
    let params = Value::of_span(request.envelope.params?.span.of(request.doc));
    params.get("inputResponses").filter(|responses| responses.kind() == Kind::Object)
}

/// What is told when an answer has not the shape of one.
pub(crate) const MISFIT: &str = "params.inputResponses has a value that is no answer to its request; none was taken";

/// Runs the tool of a task, and writes the response that its call would have got. A panic of the tool is an error of the request.
pub(crate) async fn perform<A: Application>(
    app: &A,
    out: Out<'_>,
    request: &Request<'_>,
    index: usize,
    identity: &Identity,
    context: &Context<'_>,
) -> Ran {
    let begin = out.mark();
    let mut call = Call::new(out, request, context);
    if A::TOOLS.get(index).is_some_and(|tool| tool.output.is_some()) {
        call.set_typed();
    }
    let result = unwound(pin!(app.call_tool(index, &mut call))).await;
    let ran = Ran::of(&result);
    if result.is_err() {
        out.rewind(begin);
        out.write(|w| rpc::error(w, request.id(), Code::INTERNAL_ERROR, PANICKED)).await;
    } else {
        call.close(result, Some(identity)).await;
    }
    ran
}

const PANICKED: &str = "the tool failed: it panicked. The server's log may say more";

/// What a request about a task is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A `tools/call` with the task that it became: `CreateTaskResult`.
    Created(usize),
    /// `tasks/get`: `GetTaskResult`.
    Shown(usize),
    /// `tasks/update` and `tasks/cancel`.
    Done,
    /// An error.
    Refused(Code, &'static str),
}

/// Answers a request about a task. What is shown may take more than one buffer; should the task change in between, the answer is given up, and
/// the client asks again.
pub(crate) async fn answer(out: Out<'_>, request: &Request<'_>, reply: Reply, board: &Board<'_>, identity: &Identity) {
    if let Reply::Refused(code, message) = reply {
        return refuse(out, request, code, message).await;
    }
    let begun = Cell::new(None);
    let changed = Cell::new(false);
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(if let Reply::Created(_) = reply { r#"{"resultType":"task""# } else { r#"{"resultType":"complete""# });
        if let Reply::Created(place) | Reply::Shown(place) = reply {
            let stamp = board.stamp(place);
            let same = begun.replace(begun.get().or(Some(stamp))).unwrap_or(stamp) == stamp;
            w.str(",");
            changed.set(!same || !board.write(place, w, matches!(reply, Reply::Shown(_))));
        }
        identity.write_meta(w);
        w.str("}}");
    })
    .await;
    if changed.get() {
        out.break_off();
    }
}

/// Writes `notifications/tasks` as one event of the stream of a `subscriptions/listen`, whose id `subscription` is, as JSON. False when there is
/// no such task.
pub(crate) fn notify(w: &mut Writer<'_>, board: &Board<'_>, place: usize, subscription: &[u8]) -> bool {
    w.raw(sse::MESSAGE).str(r#"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"#);
    let written = board.write(place, w, true);
    w.str(r#","_meta":{"#).string(META_SUBSCRIPTION_ID).str(":").raw(subscription).str("}}}");
    w.raw(sse::END);
    written
}

/// Writes the members of a `DetailedTask`, or of a `Task`.
pub(crate) fn write(w: &mut Writer<'_>, view: &View<'_>, detailed: bool) {
    write_task(w, view);
    if detailed {
        write_details(w, view);
    }
}

// `Task`.
fn write_task(w: &mut Writer<'_>, view: &View<'_>) {
    w.str(r#""taskId":"#).string(view.id).str(r#","status":"#);
    w.string(match view.status {
        Status::Working => "working",
        Status::InputRequired(_) => "input_required",
        Status::Completed(_) => "completed",
        Status::Refused(_) | Status::Failed(_) => "failed",
        Status::Cancelled => "cancelled",
    });
    let refused = match view.status {
        Status::Refused(error) => Value::new(error).get("message"),
        _ => None,
    };
    let message = match view.status {
        Status::Failed(why) => why,
        _ => view.note,
    };
    if let Some(refused) = refused {
        w.str(r#","statusMessage":"#).raw(refused.raw());
    } else if !message.is_empty() {
        w.str(r#","statusMessage":"#).string(message);
    }
    w.str(r#","createdAt":""#).raw(&http::iso_time(view.created_unix_s));
    w.str(r#"","lastUpdatedAt":""#).raw(&http::iso_time(view.changed_unix_s)).str(r#"","ttlMs":"#);
    match view.ttl_ms {
        Some(ttl_ms) => w.uint(ttl_ms.clamp(1, SAFE_INTEGER_MAX)),
        None => w.str("null"),
    };
    w.str(r#","pollIntervalMs":"#).uint(u64::from(TASK_POLL_MS));
}

/// The largest integer that JavaScript has exactly.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

// What a `DetailedTask` has beside that.
fn write_details(w: &mut Writer<'_>, view: &View<'_>) {
    match view.status {
        Status::Working | Status::Cancelled => {}
        Status::InputRequired(requests) => {
            for (at, member) in requests.members().enumerate() {
                w.str(if at == 0 { r#","inputRequests":{"# } else { "," }).raw(member);
            }
            w.str("}");
        }
        Status::Completed(result) => {
            w.str(r#","result":"#).raw(result);
        }
        Status::Refused(error) => {
            w.str(r#","error":"#).raw(error);
        }
        Status::Failed(why) => {
            w.str(r#","error":{"code":"#).int(i64::from(Code::INTERNAL_ERROR.0)).str(r#","message":"#);
            w.string(why).str("}");
        }
    }
}
