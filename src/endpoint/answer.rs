//! Answers that need no handler.

use core::fmt::Write as _;
use std::rc::Rc;

use super::{Cause, Needed, rates};
use crate::http::{Challenge, Preflight, ResponseHead, Status};
use crate::json::{Span, Writer};
use crate::mcp::scopes::Lack;
use crate::mcp::{scopes, tasks};
use crate::rate::Limited;
use crate::rpc::{self, Code, Envelope};
use crate::session::Principal;

/// The longest sentence of an answer, in bytes; what is longer is cut.
const MESSAGE_BYTES_MAX: usize = 400;

/// A whole answer: head and body.
#[derive(Clone, Debug)]
pub(crate) struct Answer<'r> {
    pub(crate) status: Status,
    pub(crate) body: Body,
    /// Nothing more is read from this connection.
    pub(crate) close: bool,
    pub(crate) allow: Option<&'static str>,
    pub(crate) retry_after_seconds: Option<u32>,
    pub(crate) www_authenticate: Option<Challenge>,
    pub(crate) preflight: Option<Preflight<'r>>,
    /// Why it refuses, if it does.
    pub(crate) cause: Option<Cause>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Empty,
    /// Text as it is.
    Plain(&'static str),
    /// JSON as it is.
    Json(&'static str),
    /// JSON that was written when the server started.
    Document(Rc<str>),
    /// A JSON-RPC error, to the id that lies at this place of the message (`None`: `null`).
    Error {
        id: Option<Span>,
        code: Code,
        message: Sentence,
        data: Data,
    },
}

impl Body {
    /// A JSON-RPC error as the answer to a request.
    pub(crate) fn error(envelope: &Envelope, code: Code, message: &str) -> Self {
        Self::Error { id: envelope.id.map(|id| id.span), code, message: message.into(), data: Data::None }
    }
}

/// A sentence for the client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sentence(heapless::String<MESSAGE_BYTES_MAX>);

impl From<&str> for Sentence {
    fn from(text: &str) -> Self {
        Self::of(format_args!("{text}"))
    }
}

impl Sentence {
    /// The sentence, cut to its limit.
    pub(crate) fn of(text: core::fmt::Arguments<'_>) -> Self {
        struct Cut<'a>(&'a mut heapless::String<MESSAGE_BYTES_MAX>);
        impl core::fmt::Write for Cut<'_> {
            fn write_str(&mut self, text: &str) -> core::fmt::Result {
                text.chars().try_for_each(|char| self.0.push(char)).map_err(|_| core::fmt::Error)
            }
        }
        let mut sentence = heapless::String::new();
        // An error here only means that the sentence was cut.
        let _ = Cut(&mut sentence).write_fmt(text);
        Self(sentence)
    }
}

/// The `data` of an error.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    None,
    /// `-32022`: which revisions there are, and which was asked for (JSON at this place of the message).
    Versions {
        requested: Span,
    },
    /// The scopes that are asked for.
    Scopes(&'static [&'static str]),
    /// Which limit was reached, and when to come again.
    Limited(Limited),
    /// `-32021`: the extension `io.modelcontextprotocol/tasks`.
    Tasks,
}

impl Answer<'_> {
    /// An answer without a body.
    pub(crate) fn empty(status: Status) -> Self {
        Self::with(status, Body::Empty)
    }

    /// An answer with this body.
    pub(crate) fn with(status: Status, body: Body) -> Self {
        Self {
            status,
            body,
            close: false,
            allow: None,
            retry_after_seconds: None,
            www_authenticate: None,
            preflight: None,
            cause: Cause::of(status),
        }
    }

    /// A JSON-RPC error without an id: what is refused before, or without, a request.
    pub(crate) fn refusal(status: Status, code: Code, message: impl Into<Sentence>) -> Self {
        Self::with(status, Body::Error { id: None, code, message: message.into(), data: Data::None })
    }

    /// The same, of a refusal for this reason.
    pub(crate) fn because(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The server is full, or shutting down: 503, and when to come again.
    pub(crate) fn unavailable(message: &str) -> Self {
        let mut answer = Self::refusal(Status::SERVICE_UNAVAILABLE, Code::REFUSED, message);
        answer.retry_after_seconds = Some(crate::limits::RETRY_AFTER_S);
        answer
    }

    /// The status 403 for somebody who may come in, and lacks a scope of these (RFC 6750, section 3.1).
    pub(crate) fn insufficient(envelope: &Envelope, (target, needed): Needed, principal: &Principal) -> Self {
        let message = Sentence::of(format_args!("{}", Lack { needed, principal }));
        let id = envelope.id.map(|id| id.span);
        let body = Body::Error { id, code: Code::REFUSED, message, data: Data::Scopes(needed) };
        let mut answer = Self::with(Status::FORBIDDEN, body);
        answer.www_authenticate = Some(Challenge { error: Some("insufficient_scope"), scopes: needed });
        answer.because(Cause::Scope(target))
    }

    /// The status 405 with what is allowed instead.
    pub(crate) fn not_allowed(allow: &'static str, message: &str) -> Self {
        let mut answer = Self::refusal(Status::METHOD_NOT_ALLOWED, Code::REFUSED, message);
        answer.allow = Some(allow);
        answer
    }
}

impl<'r> Answer<'r> {
    /// What a refusal says.
    pub(crate) fn sentence(&self) -> &str {
        match &self.body {
            Body::Error { message, .. } => &message.0,
            Body::Plain(text) | Body::Json(text) => text,
            Body::Empty | Body::Document(_) => "",
        }
    }

    /// It has a body.
    pub(crate) fn has_body(&self) -> bool {
        !matches!(self.body, Body::Empty)
    }

    /// Makes a refusal the answer to this request.
    pub(crate) fn answer_to(&mut self, envelope: &Envelope) {
        if let Body::Error { id, .. } = &mut self.body {
            *id = envelope.id.map(|id| id.span);
        }
    }

    /// Fills in the head.
    pub(crate) fn apply(&self, head: &mut ResponseHead<'r>) {
        head.status = self.status;
        head.close |= self.close;
        head.allow = self.allow;
        head.retry_after_seconds = self.retry_after_seconds;
        head.www_authenticate = self.www_authenticate;
        head.preflight = self.preflight;
        head.content_type = match self.body {
            Body::Empty => None,
            Body::Plain(_) => Some("text/plain; charset=utf-8"),
            Body::Json(_) | Body::Document(_) | Body::Error { .. } => Some("application/json"),
        };
    }

    /// Writes the body; `doc` is the message that it answers.
    pub(crate) fn write(&self, w: &mut Writer<'_>, doc: &[u8]) {
        match &self.body {
            Body::Empty => {}
            Body::Plain(text) | Body::Json(text) => {
                w.str(text);
            }
            Body::Document(text) => {
                w.str(text);
            }
            Body::Error { id, code, message, data } => {
                let id = id.map_or(b"null".as_slice(), |id| id.of(doc));
                match data {
                    Data::None => rpc::error(w, id, *code, &message.0),
                    Data::Tasks => rpc::error_with(w, id, *code, &message.0, |w| {
                        w.str(tasks::REQUIRED);
                    }),
                    Data::Limited(limited) => rates::write(w, id, *limited),
                    Data::Scopes(needed) => scopes::write(w, id, format_args!("{}", message.0), needed),
                    Data::Versions { requested } => rpc::error_with(w, id, *code, &message.0, |w| {
                        w.str(r#"{"supported":["2026-07-28"],"requested":"#).raw(requested.of(doc)).str("}");
                    }),
                }
            }
        }
    }
}
