//! What the server is and offers: `initialize` (2024-11-05 to 2025-11-25) and `server/discover` (2026-07-28).

use crate::app::{Capability, Catalog, Identity};
use crate::json::{Kind, Value, Writer};
use crate::mcp::tasks;
use crate::outlet::Out;
use crate::rpc::{self, Envelope, Request};
use crate::session::Revision;

/// The revision to answer an `initialize` with: the one asked for, or else the latest that has a handshake. Never
/// 2026-07-28, which clients of the handshake refuse.
pub(crate) fn negotiate(envelope: &Envelope, doc: &[u8]) -> Revision {
    let asked = Envelope::text(envelope.protocol_version, doc).and_then(Revision::parse);
    asked.filter(|revision| !revision.is_modern()).unwrap_or(Revision::LATEST_LEGACY)
}

/// The capabilities that an `initialize` declares, as far as this server knows them: the bits of [`Capability`].
pub(crate) fn capabilities(envelope: &Envelope, doc: &[u8]) -> u16 {
    let params = envelope.params.map(|params| Value::of_span(params.span.of(doc)));
    params.and_then(|params| params.get("capabilities")).map_or(0, declared)
}

/// The same of a request of 2026-07-28, which declares them itself.
pub(crate) fn request_capabilities(envelope: &Envelope, doc: &[u8]) -> u16 {
    envelope.meta_capabilities.map_or(0, |member| declared(Value::of_span(member.span.of(doc))))
}

fn object<'d>(of: Value<'d>, key: &str) -> Option<Value<'d>> {
    of.get(key).filter(|value| value.kind() == Kind::Object)
}

fn declared(capabilities: Value<'_>) -> u16 {
    let elicitation = object(capabilities, "elicitation");
    let url = elicitation.is_some_and(|modes| object(modes, "url").is_some());
    // What names no mode means forms, as it did before there were any other.
    let form = elicitation.is_some_and(|modes| object(modes, "form").is_some() || !url);
    let bits = [
        (Capability::Roots, object(capabilities, "roots").is_some()),
        (Capability::Sampling, object(capabilities, "sampling").is_some()),
        (Capability::Elicitation, form),
        (Capability::ElicitationUrl, url),
    ];
    bits.iter().filter(|(_, has)| *has).fold(0, |all, (capability, _)| all | capability.bit())
}

/// Answers `initialize`.
pub(crate) async fn initialize(out: Out<'_>, request: &Request<'_>, identity: &Identity, catalog: &Catalog) {
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(r#"{"protocolVersion":"#).string(request.revision.as_str());
        // `logging/setLevel` is always served, and the application may say something at any time. Tasks are for 2026-07-28 only.
        offers(w, identity, catalog, (true, false));
        w.str(r#","serverInfo":"#);
        identity.write_whole(w);
        instructions(w, identity);
        w.str("}}");
    })
    .await;
}

/// Answers `server/discover`.
pub(crate) async fn discover(out: Out<'_>, request: &Request<'_>, identity: &Identity, catalog: &Catalog) {
    // Messages are sent about a call only.
    let logs = catalog.has_tools() || catalog.has_resources() || !catalog.prompts.is_empty();
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(r#"{"resultType":"complete","supportedVersions":["2026-07-28"]"#);
        offers(w, identity, catalog, (logs, catalog.tasks));
        instructions(w, identity);
        identity.write_caching(w);
        identity.write_whole_meta(w);
        w.str("}}");
    })
    .await;
}

// The capabilities of both eras: what there is, and nothing else. Whether there are logs and tasks is another question in each.
fn offers(w: &mut Writer<'_>, identity: &Identity, catalog: &Catalog, (logs, tasks): (bool, bool)) {
    let offers = [
        (logs, r#""logging":{}"#),
        (catalog.has_tools(), r#""tools":{"listChanged":true}"#),
        (catalog.has_resources(), r#""resources":{"subscribe":true,"listChanged":true}"#),
        (!catalog.prompts.is_empty(), r#""prompts":{"listChanged":true}"#),
        (catalog.completes, r#""completions":{}"#),
    ];
    w.str(r#","capabilities":{"#);
    let mut comma = "";
    for (_, offer) in offers.iter().filter(|(is_served, _)| *is_served) {
        w.str(comma).str(offer);
        comma = ",";
    }
    let own = tasks.then_some((tasks::EXTENSION, "{}"));
    let declared = identity.extensions.iter().map(|(name, settings)| (&**name, &**settings));
    for (at, (name, settings)) in own.into_iter().chain(declared).enumerate() {
        // Older revisions have no such member, and clients of 2025-11-25 look for it even so.
        w.str(if at == 0 { comma } else { "," }).str(if at == 0 { r#""extensions":{"# } else { "" });
        w.string(name).str(":").flat(settings.as_bytes());
    }
    w.str(if identity.extensions.is_empty() && !tasks { "}" } else { "}}" });
}

fn instructions(w: &mut Writer<'_>, identity: &Identity) {
    if let Some(text) = &identity.instructions {
        w.str(r#","instructions":"#).string(text);
    }
}
