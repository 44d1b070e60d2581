//! What pages of other origins are granted, and told before they send anything.

use super::Answer;
use super::head::Place;
use crate::guard::OriginGrant;
use crate::http::{Cors, Known, Preflight, Request, Status};

/// What a page of another origin is granted.
#[derive(Clone, Copy)]
pub(super) struct Granted {
    /// Something.
    pub(super) any: bool,
    /// The way from a public network to this private one.
    pub(super) private_network: bool,
}

/// The CORS headers of an answer to it.
pub(super) fn grant_of(grant: OriginGrant<'_>) -> Option<Cors<'_>> {
    match grant {
        OriginGrant::NoCors => None,
        OriginGrant::Echo(origin) => Some(Cors { origin, credentials: false }),
        OriginGrant::Any => Some(Cors { origin: "*", credentials: false }),
    }
}

/// The answer to a preflight. It is given before a token is asked for, as browsers send none with it; what it grants is in the CORS headers, which
/// only an allowed origin gets.
pub(super) fn preflight(request: Request<'_>, place: Place, granted: Granted) -> Answer<'_> {
    let allow = match place {
        Place::Mcp => "GET, POST, DELETE, OPTIONS",
        Place::Sse => "GET, OPTIONS",
        Place::Messages => "POST, OPTIONS",
        Place::Health | Place::Metadata => "GET, HEAD, OPTIONS",
        Place::Elsewhere => "OPTIONS",
    };
    let mut answer = Answer::empty(Status::NO_CONTENT);
    answer.allow = Some(allow);
    if granted.any && request.header(Known::AccessControlRequestMethod).is_some() {
        let requested_headers = request.header(Known::AccessControlRequestHeaders).unwrap_or_default();
        let private_network =
            granted.private_network && request.header(Known::AccessControlRequestPrivateNetwork) == Some(b"true");
        answer.preflight = Some(Preflight { requested_headers, private_network });
    }
    answer
}
