//! What is published of a protected resource (RFC 9728), and named in the challenges of its refusals (RFC 6750, section 3; RFC 9728, section 5.1).

use core::fmt;
use std::rc::Rc;

use super::{Authority, OAuth, TokenRefusal};
use crate::json::Writer;
use crate::session::Principal;

/// Where the metadata of a resource is, in front of the resource's own path (RFC 9728, section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The endpoint for messages, as clients know it.
const ENDPOINT: &str = "/mcp";

/// A server that asks for access tokens: whom to ask about these, and what it says of itself.
pub(crate) struct Protected {
    authority: Rc<dyn Authority>,
    /// The metadata, as JSON.
    document: Rc<str>,
    /// Where that is, seen from outside.
    url: String,
    /// The path of the resource.
    path: String,
}

/// Where a resource is, seen from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Its origin: `https://example.org`.
    pub(crate) origin: &'a str,
    /// Its path: `/board/mcp`, or nothing.
    pub(crate) path: &'a str,
    /// Where a proxy publishes this server, if one does: an origin, and the path that it takes away.
    pub(crate) base: Option<(&'a str, &'a str)>,
}

impl Protected {
    /// What a resource at this place says of itself, called `name`.
    pub(crate) fn new(settings: &OAuth, place: Place<'_>, name: &str, authority: Rc<dyn Authority>) -> Self {
        let resource = format!("{}{}", place.origin, place.path);
        let render = |w: &mut Writer<'_>| document(w, settings, &resource, name);
        let mut measure = Writer::new(&mut []);
        render(&mut measure);
        let mut document = vec![0; measure.total()];
        render(&mut Writer::new(&mut document));
        let url = match place.base {
            // A proxy that passes on what is below its base, and nothing else.
            Some((origin, prefix)) if !prefix.is_empty() => format!("{origin}{prefix}{WELL_KNOWN}{ENDPOINT}"),
            _ => format!("{}{WELL_KNOWN}{}", place.origin, place.path),
        };
        Self {
            authority,
            document: String::from_utf8(document).unwrap_or_default().into(),
            url,
            path: place.path.to_owned(),
        }
    }

    /// Bytes of what is published by these settings, at most, but for the name.
    pub(crate) fn bytes(settings: &OAuth) -> usize {
        let mut measure = Writer::new(&mut []);
        document(&mut measure, settings, &settings.resource, "");
        measure.total() + 3 * settings.resource.len() + 2 * (WELL_KNOWN.len() + ENDPOINT.len())
    }

    /// Whether the metadata is at this path: below the well-known one, nothing, the endpoint's path, or the resource's.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(WELL_KNOWN) else { return false };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        rest.is_empty() || rest == ENDPOINT || rest == self.path
    }

    /// The metadata, as JSON.
    pub(crate) fn document(&self) -> Rc<str> {
        self.document.clone()
    }

    /// Where the metadata is, seen from outside.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whom an access token is about; see [`Authority::check`].
    pub(crate) fn check(&self, token: &[u8], unix_s: u64) -> Result<Principal, TokenRefusal> {
        self.authority.check(token, unix_s)
    }
}

impl fmt::Debug for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protected").field("authority", &self.authority).field("url", &self.url).finish_non_exhaustive()
    }
}

fn document(w: &mut Writer<'_>, settings: &OAuth, resource: &str, name: &str) {
    w.str(r#"{"resource":"#).string(resource).str(r#","authorization_servers":"#);
    list(w, settings.issuers.iter().map(|issuer| &*issuer.url));
    if !settings.scopes.is_empty() {
        w.str(r#","scopes_supported":"#);
        list(w, settings.scopes.iter().map(|scope| &**scope));
    }
    w.str(r#","bearer_methods_supported":["header"],"resource_name":"#).string(name).str("}");
}

fn list<'t>(w: &mut Writer<'_>, texts: impl Iterator<Item = &'t str>) {
    for (at, text) in texts.enumerate() {
        w.str(if at == 0 { "[" } else { "," }).string(text);
    }
    w.str("]");
}
