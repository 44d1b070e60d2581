//! What the server is and offers: `initialize` (2024-11-05 to 2025-11-25) and `server/discover` (2026-07-28).

use crate::app::{Catalog, Identity};
use crate::json::{Kind, Value, Writer};
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
    let Some(declared) = params.and_then(|params| params.get("capabilities")) else { return 0 };
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
        // `logging/setLevel` is always served, and the application may say something at any time.
        offers(w, identity, catalog, true);
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
    let logs = !(catalog.tools.is_empty() && catalog.resources.is_empty() && catalog.prompts.is_empty());
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(r#"{"resultType":"complete","supportedVersions":["2026-07-28"]"#);
        offers(w, identity, catalog, logs);
        instructions(w, identity);
        identity.write_caching(w);
        identity.write_whole_meta(w);
        w.str("}}");
    })
    .await;
}

// The capabilities of both eras: what there is, and nothing else.
fn offers(w: &mut Writer<'_>, identity: &Identity, catalog: &Catalog, logs: bool) {
    let offers = [
        (logs, r#""logging":{}"#),
        (!catalog.tools.is_empty(), r#""tools":{"listChanged":true}"#),
        (!catalog.resources.is_empty(), r#""resources":{"subscribe":true,"listChanged":true}"#),
        (!catalog.prompts.is_empty(), r#""prompts":{"listChanged":true}"#),
        (catalog.completes, r#""completions":{}"#),
    ];
    w.str(r#","capabilities":{"#);
    let mut comma = "";
    for (_, offer) in offers.iter().filter(|(is_served, _)| *is_served) {
        w.str(comma).str(offer);
        comma = ",";
    }
    for (at, (name, settings)) in identity.extensions.iter().enumerate() {
        // Older revisions have no such member, and clients of 2025-11-25 look for it even so.
        w.str(if at == 0 { comma } else { "," }).str(if at == 0 { r#""extensions":{"# } else { "" });
        w.string(name).str(":").flat(settings.as_bytes());
    }
    w.str(if identity.extensions.is_empty() { "}" } else { "}}" });
}

fn instructions(w: &mut Writer<'_>, identity: &Identity) {
    if let Some(text) = &identity.instructions {
        w.str(r#","instructions":"#).string(text);
    }
}
