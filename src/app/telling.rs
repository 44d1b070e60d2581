//! What a handler tells its own client beside the result, and what the client told it beside the arguments: log messages, progress, `_meta`.

use serde::Serialize;

use super::{Call, Context, Prompting, Reading};
use crate::json::{self, Kind, Value, Writer};
use crate::limits::{PROGRESS_BURST, PROGRESS_INTERVAL_MS};
use crate::outlet::Out;
use crate::rpc::{Envelope, Request};
use crate::session::LogLevel;

/// The trace that a request is part of (W3C Trace Context and Baggage), as the client told it: to be passed on, and no proof of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace<'a> {
    /// The `traceparent` of the request's `_meta`: trace, span and flags.
    pub parent: Option<&'a str>,
    /// Its `tracestate`: what vendors add.
    pub state: Option<&'a str>,
    /// Its `baggage`: what the application adds.
    pub baggage: Option<&'a str>,
}

macro_rules! telling {
    ($($Type:ident)*) => {$(
        /// What is said beside the result, and beside the arguments.
        impl<'a> $Type<'a> {
            /// Sends the client a log message (`notifications/message`) about this call, if it wants messages of this level: in 2026-07-28 it
            /// says so in the request, in older revisions by `logging/setLevel` (until then it gets all). `logger` names the part of the program
            /// that speaks; `data` is a text (also `format_args!("..")`), or anything that serialises to JSON. True when it was sent.
            ///
            /// The answer becomes an event stream by this. A client that reads none, or whose result is already on its way, gets no messages,
            /// and neither does anyone get one that is larger than what is free of the transmit buffer, or has no JSON form. Waits while an
            /// earlier one is on its way.
            pub async fn log<T: Serialize>(&self, level: LogLevel, logger: Option<&str>, data: T) -> bool {
                log(self.out, self.request, self.context, level, logger, &data).await
            }

            /// A member of the request's `_meta`, as JSON text: what the client says beside the arguments.
            pub fn meta(&self, key: &str) -> Option<&'a str> {
                str::from_utf8(meta(self.request, key)?.raw()).ok()
            }

            /// The trace that the request is part of, where the client told it.
            pub fn trace(&self) -> Trace<'a> {
                let text = |key| meta(self.request, key).and_then(Value::as_text)?.plain();
                Trace { parent: text("traceparent"), state: text("tracestate"), baggage: text("baggage") }
            }
        }
    )*};
}

telling! { Call Reading Prompting }

impl Call<'_> {
    /// Tells the client how far the call is (`notifications/progress`), if the client gave a token for that. `progress`
    /// must grow from one to the next: one that does not is not sent. True when it was sent.
    ///
    /// A handler may tell more than a client can use: after the first [`PROGRESS_BURST`], it is sent once every
    /// [`PROGRESS_INTERVAL_MS`] at most. What comes in between is left out, but never the one that reaches `total`.
    ///
    /// The answer becomes an event stream by this. A client that reads none, or whose result is already on its way,
    /// gets no progress. In a task, which has no notifications, the message is what the client finds when it looks.
    pub async fn progress(&mut self, progress: f64, total: Option<f64>, message: Option<&str>) -> bool {
        // What is left out does not wait.
        self.out.turn().await;
        if message.is_some_and(|message| self.out.note(message)) {
            return true;
        }
        // MCP: a string or an integer; anything else is no token.
        let token = self.request.envelope.progress_token;
        let token = token.filter(|token| matches!(token.kind, Kind::String | Kind::Number));
        let Some(token) = token else { return false };
        let now_ms = self.context.announce.now_ms();
        if !self.pace.lets_through(progress, total, now_ms) {
            return false;
        }
        let token = token.span.of(self.request.doc);
        let sent = self.out.notify(|w| {
            w.str(r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#).raw(token);
            w.str(r#","progress":"#).float(progress);
            if let Some(total) = total {
                w.str(r#","total":"#).float(total);
            }
            if let Some(message) = message {
                w.str(r#","message":"#).string(message);
            }
            w.str("}}");
        });
        let sent = sent.await;
        if sent {
            self.pace.sent(progress);
        }
        sent
    }
}

/// How far a call was, and how often it may tell: a bucket of tokens, one of which comes back every [`PROGRESS_INTERVAL_MS`].
pub(super) struct Pace {
    progressed: f64,
    tokens: u32,
    since_ms: u64,
}

impl Pace {
    pub(super) const NEW: Self = Self { progressed: f64::NEG_INFINITY, tokens: PROGRESS_BURST, since_ms: 0 };

    pub(super) fn lets_through(&mut self, progress: f64, total: Option<f64>, now_ms: u64) -> bool {
        let earned = now_ms.saturating_sub(self.since_ms) / PROGRESS_INTERVAL_MS;
        self.since_ms += earned * PROGRESS_INTERVAL_MS;
        self.tokens = PROGRESS_BURST.min(self.tokens.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)));
        // Not `<=`: what is not a number must not pass.
        let grows = progress > self.progressed && progress.is_finite();
        grows && (self.tokens > 0 || total == Some(progress))
    }

    pub(super) fn sent(&mut self, progress: f64) {
        self.progressed = progress;
        self.tokens = self.tokens.saturating_sub(1);
    }
}

async fn log(
    out: Out<'_>,
    request: &Request<'_>,
    context: &Context<'_>,
    level: LogLevel,
    logger: Option<&str>,
    data: &impl Serialize,
) -> bool {
    out.turn().await;
    let wanted = wanted(request, context);
    if wanted.is_none_or(|wanted| level < wanted) || json::check(data).is_err() {
        return false;
    }
    out.notify(|w| {
        w.str(r#"{"jsonrpc":"2.0","method":"notifications/message","params":"#);
        message_params(w, level, logger, |w| {
            // It was checked just above.
            let _ = json::write(data, w);
        });
        w.str("}");
    })
    .await
}

// The least level that the client wants to hear of; `None`: nothing.
fn wanted(request: &Request<'_>, context: &Context<'_>) -> Option<LogLevel> {
    if request.revision.is_modern() {
        return Envelope::text(request.envelope.meta_log_level, request.doc).and_then(LogLevel::parse);
    }
    context.announce.log_level(context.session?)
}

/// Writes the `params` of `notifications/message`.
pub(crate) fn message_params(
    w: &mut Writer<'_>,
    level: LogLevel,
    logger: Option<&str>,
    data: impl Fn(&mut Writer<'_>),
) {
    w.str(r#"{"level":"#).string(level.as_str());
    if let Some(logger) = logger {
        w.str(r#","logger":"#).string(logger);
    }
    w.str(r#","data":"#);
    data(w);
    w.str("}");
}

fn meta<'d>(request: &Request<'d>, key: &str) -> Option<Value<'d>> {
    Value::of_span(request.envelope.meta?.span.of(request.doc)).get(key)
}
