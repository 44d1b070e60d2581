//! `resources/list`, `resources/templates/list` and `resources/read`, in every revision.

use core::pin::pin;

use super::pages::{self, Items, List, Page};
use crate::app::{Application, Catalog, Context, Failure, Identity, Ran, Reading, Resource, pass, refuse};
use crate::json::Writer;
use crate::outlet::Out;
use crate::rpc::{Envelope, Request};
use crate::session::{Key, Principal};

/// Answers `resources/list` and `resources/templates/list` with those that this principal may use; the server's own is the last.
pub(crate) async fn list(
    out: Out<'_>,
    request: &Request<'_>,
    page: Page,
    catalog: &Catalog,
    principal: &Principal,
    around: (&Key, &Identity),
) {
    let templates = page.list == List::Templates;
    let at = |at: usize| catalog.resources.get(at).or(catalog.audit);
    let shown = |place: usize| {
        at(place).is_some_and(|resource| resource.is_template() == templates && principal.has_all(resource.scopes))
    };
    let write = |place: usize, w: &mut Writer<'_>| at(place).into_iter().for_each(|it| it.write(w));
    let count = catalog.resources.len() + usize::from(catalog.audit.is_some());
    pages::list(out, request, page, Items { count, shown: &shown, write: &write }, around).await;
}

/// The resource that a `resources/read` names, by its place in the list; `None` when there is none.
///
/// # Errors
/// The message of the `-32602` when the request names none.
pub(crate) fn find(envelope: &Envelope, doc: &[u8], resources: &[Resource]) -> Result<Option<usize>, &'static str> {
    let Some(uri) = Envelope::text(envelope.uri, doc) else {
        return Err("params.uri is missing: the URI of a resource, as a string");
    };
    // What has an escape in it is no URI.
    let uri = core::str::from_utf8(uri).ok().filter(|uri| !uri.contains('\\'));
    Ok(uri.and_then(|uri| resources.iter().position(|resource| resource.matches(uri))))
}

/// Answers that there is no such resource.
pub(crate) async fn not_found(out: Out<'_>, request: &Request<'_>) {
    refuse(out, request, &Failure::not_found()).await;
}

/// Reads a resource and answers with its contents. The handler's panic is its own: it is answered as an internal error.
pub(crate) async fn read<A: Application>(
    app: &A,
    out: Out<'_>,
    request: &Request<'_>,
    index: usize,
    identity: &Identity,
    context: &Context<'_>,
) -> Ran {
    let Some(resource) = A::RESOURCES.get(index) else {
        not_found(out, request).await;
        return Ran::Failed;
    };
    let mut call = Reading::new(out, request, context, resource, identity);
    let Some(result) = pass(context.ask, pin!(Some(app.read(index, &mut call)))).await else { return Ran::Asked };
    call.close(result).await
}
