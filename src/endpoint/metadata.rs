//! The metadata of a protected resource (RFC 9728): for everybody, without a token, from any page.

use super::head::{Place, place_of};
use super::{Answer, Body, Endpoint};
use crate::http::{Cors, Method, Request, Status};

impl Endpoint {
    /// What a path leads to.
    pub(super) fn place(&self, request: Request<'_>) -> Place {
        match place_of(request.path_bytes()) {
            Place::Elsewhere => self.elsewhere(request),
            place => place,
        }
    }

    #[cold]
    fn elsewhere(&self, request: Request<'_>) -> Place {
        match self.guard.oauth() {
            Some(oauth) if oauth.is_at(request.path()) => Place::Metadata,
            _ => Place::Elsewhere,
        }
    }

    /// The answer to who asks for the metadata.
    pub(super) fn metadata<'r>(&self, method: Method) -> Answer<'r> {
        match self.guard.oauth() {
            Some(oauth) if matches!(method, Method::Get | Method::Head) => {
                Answer::with(Status::OK, Body::Document(oauth.document()))
            }
            _ => Answer::not_allowed("GET, HEAD", "the metadata of this resource is read by GET"),
        }
    }
}

/// What a page of any origin is granted at that place.
pub(super) fn cors<'r>(place: Place) -> Option<Cors<'r>> {
    (place == Place::Metadata).then_some(Cors { origin: "*", credentials: false })
}
