//! `prompts/list` and `prompts/get`, in every revision.

use core::pin::pin;

use super::pages::{self, Items, Page};
use crate::app::{Application, Context, Identity, Prompt, Prompting, Ran, pass};
use crate::json::Writer;
use crate::outlet::Out;
use crate::rpc::{Envelope, Request};
use crate::session::{Key, Principal};

/// Answers `prompts/list` with those that this principal may use.
pub(crate) async fn list(
    out: Out<'_>,
    request: &Request<'_>,
    page: Page,
    prompts: &[Prompt],
    principal: &Principal,
    around: (&Key, &Identity),
) {
    let write = |at: usize, w: &mut Writer<'_>| prompts.iter().skip(at).take(1).for_each(|prompt| prompt.write(w));
    let shown = |at: usize| prompts.get(at).is_some_and(|prompt| principal.has_all(prompt.scopes));
    let items = Items { count: prompts.len(), shown: &shown, write: &write };
    pages::list(out, request, page, items, around).await;
}

/// The prompt that a `prompts/get` names, by its place in the list.
///
/// # Errors
/// The message of the `-32602` when the request names no prompt, or one that is not there.
pub(crate) fn find(envelope: &Envelope, doc: &[u8], prompts: &[Prompt]) -> Result<usize, &'static str> {
    let Some(name) = Envelope::text(envelope.name, doc) else {
        return Err("prompts/get needs params.name, the name of a prompt as a string");
    };
    let place = prompts.iter().position(|prompt| prompt.name.as_bytes() == name);
    place.ok_or("unknown prompt: params.name is not in prompts/list")
}

/// Makes a prompt and answers with it. The handler's panic is its own: it is answered as an internal error.
pub(crate) async fn get<A: Application>(
    app: &A,
    out: Out<'_>,
    request: &Request<'_>,
    index: usize,
    identity: &Identity,
    context: &Context<'_>,
) -> Ran {
    let Some(prompt) = A::PROMPTS.get(index) else { return Ran::Failed };
    let mut call = Prompting::new(out, request, context, prompt, identity);
    let Some(result) = pass(context.ask, pin!(Some(app.get_prompt(index, &mut call)))).await else {
        return Ran::Asked;
    };
    call.close(result).await
}
