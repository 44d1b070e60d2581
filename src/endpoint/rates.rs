//! Those who come too often, and what they are told.

use super::answer::{Answer, Body, Data};
use super::message::Around;
use super::{Cause, Endpoint, Moment};
use crate::http::Status;
use crate::json::Writer;
use crate::rate::{Limited, Rate};
use crate::rpc::{self, Code};
use crate::session::Principal;

impl Endpoint {
    /// A request comes; asked before its token and its body are looked at, so that it costs little. What is answered before that is not counted: a
    /// head that can't be parsed, a `Host` or `Origin` that is refused, `/healthz`, preflights, metadata, and paths where nothing is.
    pub(super) fn may_come<'r>(&self, moment: &Moment) -> Result<(), Answer<'r>> {
        let Some(address) = moment.counted else { return Ok(()) };
        self.rates.request_of_address(address, moment.now_ms).map_err(too_many)?;
        if self.guard.is_open() {
            return Ok(());
        }
        self.rates.may_try(address, moment.now_ms).map_err(too_many)
    }

    /// Its token was none, or the application's own check refused it.
    pub(crate) fn came_wrong(&self, moment: &Moment) {
        if let Some(address) = moment.counted {
            self.rates.wrong_token(address, moment.now_ms);
        }
    }

    /// This principal asks for something: by a message, or for a stream.
    pub(super) fn may_ask<'r>(&self, principal: &Principal, moment: &Moment) -> Result<(), Answer<'r>> {
        self.rates.request_of_principal(principal.id().key(), moment.now_ms).map_err(too_many)
    }

    /// A message that is a request. The first of a batch that is one was counted for its address when it came.
    pub(super) fn may_send(&self, around: &Around<'_, '_, '_>) -> Result<(), Answer<'static>> {
        if let (Some(_), Some(address)) = (around.batch, around.moment.counted) {
            self.rates.request_of_address(address, around.moment.now_ms).map_err(too_many)?;
        }
        self.may_ask(around.posted.principal, around.moment)
    }
}

// 429 (RFC 6585, section 4), and when to come again.
fn too_many<'r>(limited: Limited) -> Answer<'r> {
    let message = super::answer::Sentence::of(format_args!("{limited}"));
    let body = Body::Error { id: None, code: Code::REFUSED, message, data: Data::Limited(limited) };
    let mut answer = Answer::with(Status::TOO_MANY_REQUESTS, body).because(Cause::Rate(limited.limit));
    answer.retry_after_seconds = Some(limited.wait_s);
    answer
}

/// Writes the JSON-RPC error.
pub(super) fn write(w: &mut Writer<'_>, id: &[u8], limited: Limited) {
    let Limited { limit, rate: Rate { count, seconds }, wait_s } = limited;
    rpc::error_fmt(w, id, Code::REFUSED, format_args!("{limited}"), |w| {
        w.str(r#","data":{"limit":""#).str(limit.setting()).str(r#"","count":"#).uint(count.into());
        w.str(r#","seconds":"#).uint(seconds.into()).str(r#","retryAfter":"#).uint(wait_s.into()).str("}");
    });
}
