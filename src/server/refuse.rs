//! Refusals: what is told, counted, and logged once in a while.

use super::conns::ConnRef;
use super::notices::Notice;
use super::peers::Shown;
use super::worker::{Manner, Worker};
use crate::app::Application;
use crate::endpoint::{Answer, Cause};
use crate::guard::Peer;
use crate::http::{self, Challenge, Cors, Framing, ResponseHead, Status};
use crate::rpc::Code;

impl<A: Application> Worker<'_, '_, A> {
    /// Counts what is refused, and tells the log of what its reader may do something about.
    pub(super) fn refused(&self, cause: Cause, answer: &Answer<'_>, peer: Option<Peer>) {
        self.slot.refused.set(true);
        self.audit_refused(cause);
        let refused = &self.core.tally.refused;
        let (counter, notice) = match cause {
            Cause::Wire => (&refused.wire, None),
            Cause::Body => (&refused.body, None),
            Cause::Host => (&refused.host, Some(Notice::Host)),
            Cause::Origin => (&refused.origin, Some(Notice::Origin)),
            Cause::Token => (&refused.token, Some(Notice::Token)),
            Cause::Scope(_) => (&refused.request, None),
            Cause::Rate(limit) => self.rate_refused(limit),
            Cause::Path => (&refused.path, None),
            Cause::Session => (&refused.session, None),
            Cause::Message => (&refused.message, None),
            Cause::Calls => (&refused.calls, Some(Notice::Calls)),
            Cause::Sessions => (&refused.sessions, Some(Notice::Sessions)),
            Cause::Streams => (&refused.streams, Some(Notice::Streams)),
            Cause::StreamsShare => (&refused.streams_share, Some(Notice::StreamsShare)),
            Cause::Stopping => (&refused.stopping, None),
        };
        counter.add();
        if let Some(notice) = notice {
            self.core.notice(notice, format_args!("{} is refused: {}", Shown(peer), answer.sentence()));
        }
    }

    /// Answers what is no request, or comes too slowly; the connection goes. `head_only`: what there is of it asks by HEAD.
    pub(super) async fn refuse(
        &self,
        conn: ConnRef,
        mut answer: Answer<'_>,
        cors: Option<Cors<'_>>,
        head_only: bool,
        tx: &mut [u8],
    ) {
        answer.close = true;
        let date = self.core.date.get();
        let template = ResponseHead {
            date: date.as_ref(),
            cors,
            resource: self.core.endpoint.resource.as_ref(),
            ..ResponseHead::new(Status::OK, Framing::None)
        };
        let manner = Manner { template, http10: false, accepts: None, head_only, peer: None };
        self.answer(conn, answer, &manner, &[], tx).await;
    }
}

/// What came too slowly.
pub(super) fn late(message: &str) -> Answer<'static> {
    Answer::refusal(Status::REQUEST_TIMEOUT, Code::REFUSED, message)
}

/// The token of its sender ended while the rest of it came.
pub(super) fn ended_meanwhile() -> Answer<'static> {
    let mut answer = Answer::refusal(Status::UNAUTHORIZED, Code::REFUSED, "the token ended while the request came");
    answer.www_authenticate = Some(Challenge { error: Some("invalid_token"), scopes: &[] });
    answer.because(Cause::Token)
}

/// What can't be read.
pub(super) fn refused(refusal: http::Refusal) -> Answer<'static> {
    let cause = if refusal == http::Refusal::BodyTooLarge { Cause::Body } else { Cause::Wire };
    Answer::refusal(refusal.status(), Code::REFUSED, refusal.reason()).because(cause)
}
