//! `tools/list` and `tools/call`, in every revision.

use core::pin::pin;

use super::pages::{self, Items, Page};
use crate::app::{Application, Call, Catalog, Context, Identity, Ran, ToolError, pass};
use crate::json::Writer;
use crate::outlet::Out;
use crate::rpc::{Envelope, Request};
use crate::session::{Key, Principal};

/// Answers `tools/list` with those that this principal may use.
pub(crate) async fn list(
    out: Out<'_>,
    request: &Request<'_>,
    page: Page,
    catalog: &Catalog,
    principal: &Principal,
    around: (&Key, &Identity),
) {
    let write = |at: usize, w: &mut Writer<'_>| {
        w.raw(catalog.listed.entry(at).unwrap_or_default());
    };
    let shown = |at: usize| catalog.tool(at).is_some_and(|tool| principal.has_all(tool.scopes));
    let items = Items { count: catalog.tools.len(), shown: &shown, write: &write };
    pages::list(out, request, page, items, around).await;
}

/// The tool that a `tools/call` names, by its place in the list.
///
/// # Errors
/// The message of the `-32602` when the request names no tool, or one that is not there.
pub(crate) fn find(envelope: &Envelope, doc: &[u8], catalog: &Catalog) -> Result<usize, &'static str> {
    let Some(name) = Envelope::text(envelope.name, doc) else {
        return Err("tools/call needs params.name, the name of a tool as a string");
    };
    // No two have the same name.
    let found = catalog.tools.iter().position(|tool| tool.name.as_bytes() == name);
    found.filter(|at| catalog.tool(*at).is_some()).ok_or("unknown tool: params.name is not in tools/list")
}

/// Answers a call that has no other result with an error of the tool.
pub(crate) async fn fail(out: Out<'_>, request: &Request<'_>, error: ToolError, identity: &Identity) {
    let mut call = Call::new(out, request, &Context::NONE);
    let result = Ok(Err(error));
    call.close(result, request.revision.is_modern().then_some(identity)).await;
}

/// Runs a tool and answers with its result. The handler's panic is its own: it is answered as the tool's error. Where it asks the client, and
/// the client is to come again (2026-07-28), the question is the answer. Nothing is written where it is to become a task.
pub(crate) async fn call<A: Application>(
    app: &A,
    out: Out<'_>,
    request: &Request<'_>,
    index: usize,
    identity: &Identity,
    context: &Context<'_>,
) -> Ran {
    let mut call = Call::new(out, request, context);
    if A::TOOLS.get(index).is_some_and(|tool| tool.output.is_some()) {
        call.set_typed();
    }
    let Some(result) = pass(context.ask, pin!(Some(app.call_tool(index, &mut call)))).await else {
        return Ran::Asked;
    };
    let ran = Ran::of(&result);
    call.close(result, request.revision.is_modern().then_some(identity)).await;
    ran
}
