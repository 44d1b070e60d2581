//! What the server is and offers: `initialize` (2024-11-05 to 2025-11-25) and `server/discover` (2026-07-28).

use crate::app::{Catalog, Identity};
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

/// What a client can do for the server, one bit each, as a session id carries it.
pub(crate) mod capability {
    /// `roots/list`.
    pub(crate) const ROOTS: u16 = 1;
    /// `sampling/createMessage`.
    pub(crate) const SAMPLING: u16 = 2;
    /// `elicitation/create` with a form.
    pub(crate) const ELICITATION: u16 = 4;
    /// `elicitation/create` with a URL.
    pub(crate) const ELICITATION_URL: u16 = 8;
}

/// The capabilities that an `initialize` declares, as far as this server knows them.
pub(crate) fn capabilities(envelope: &Envelope, doc: &[u8]) -> u16 {
    let params = envelope.params.map(|params| Value::new(params.span.of(doc)));
    params.and_then(|params| params.get("capabilities")).map_or(0, bits)
}

/// The capabilities that a 2026-07-28 request declares, as far as this server knows them.
pub(crate) fn declared(envelope: &Envelope, doc: &[u8]) -> u16 {
    envelope.meta_capabilities.map_or(0, |declared| bits(Value::new(declared.span.of(doc))))
}

// One bit for each.
fn bits(declared: Value<'_>) -> u16 {
    let elicitation = declared.get("elicitation").filter(|value| value.kind() == Kind::Object);
    let bits = [
        (capability::ROOTS, declared.get("roots").is_some()),
        (capability::SAMPLING, declared.get("sampling").is_some()),
        (capability::ELICITATION, elicitation.is_some()),
        (capability::ELICITATION_URL, elicitation.is_some_and(|value| value.get("url").is_some())),
    ];
    bits.iter().filter(|(_, has)| *has).fold(0, |all, (bit, _)| all | bit)
}

/// Answers `initialize`.
pub(crate) async fn initialize(out: Out<'_>, request: &Request<'_>, identity: &Identity, catalog: &Catalog) {
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(r#"{"protocolVersion":"#).string(request.revision.as_str());
        w.str(r#","capabilities":{"logging":{},"#);
        offers(w, catalog);
        w.str(r#"},"serverInfo":"#);
        identity.write(w);
        instructions(w, identity);
        w.str("}}");
    })
    .await;
}

/// Answers `server/discover`.
pub(crate) async fn discover(out: Out<'_>, request: &Request<'_>, identity: &Identity, catalog: &Catalog) {
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"#);
        w.str(r#""capabilities":{"#);
        offers(w, catalog);
        if catalog.tasks {
            w.str(r#","extensions":{"#).string(tasks::EXTENSION).str(":{}}");
        }
        w.str("}");
        instructions(w, identity);
        identity.write_caching(w);
        identity.write_meta(w);
        w.str("}}");
    })
    .await;
}

// The capabilities of both eras: what there is.
fn offers(w: &mut Writer<'_>, catalog: &Catalog) {
    w.str(r#""tools":{"listChanged":true}"#);
    w.str(if catalog.resources.is_empty() { "" } else { r#","resources":{"subscribe":true,"listChanged":true}"# });
    w.str(if catalog.prompts.is_empty() { "" } else { r#","prompts":{"listChanged":true}"# });
    w.str(if catalog.completes { r#","completions":{}"# } else { "" });
}

fn instructions(w: &mut Writer<'_>, identity: &Identity) {
    if let Some(text) = &identity.instructions {
        w.str(r#","instructions":"#).string(text);
    }
}
