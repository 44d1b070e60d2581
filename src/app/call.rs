//! A running call, as its handler sees it.

mod client;
mod content;
mod detach;
mod frame;
mod sources;
mod structured;

pub use content::{Binary, Data, ResourceLink};
pub use structured::Outcome;

use core::cell::Cell;
use core::fmt;

use super::annotate::Said;
use super::encode::{Base64, Utf8};
use super::input::Asker;
use super::telling::Pace;
use super::{Ask, Client, Done, Nobody, ToolResult};
use crate::json::Value;
use crate::outlet::{Mark, Out};
use crate::rpc::Request;
use crate::session::{ANYONE, LogLevel, Principal, SessionRef};

/// What a handler may tell the server's clients beside its result, and what it needs to know for that. The server implements it.
pub(crate) trait Announce {
    /// `notifications/tools/list_changed` to every client that listens.
    fn tools_changed(&self);
    /// `notifications/resources/list_changed` to every client that listens.
    fn resources_changed(&self);
    /// `notifications/prompts/list_changed` to every client that listens.
    fn prompts_changed(&self);
    /// `notifications/resources/updated` to every client that is subscribed.
    fn resource_updated(&self, uri: &str);
    /// `notifications/message` to every client of an older revision; false when the message is too large.
    fn broadcast(&self, level: LogLevel, logger: Option<&str>, text: &str) -> bool;
    /// The least level of the messages that a session wants; `None` when it is no more.
    fn log_level(&self, session: SessionRef) -> Option<LogLevel>;
    /// Milliseconds of the server's clock.
    fn now_ms(&self) -> u64;
}

/// Nobody to announce anything to.
pub(crate) struct Silent;

impl Announce for Silent {
    fn tools_changed(&self) {}

    fn resources_changed(&self) {}

    fn prompts_changed(&self) {}

    fn resource_updated(&self, _: &str) {}

    fn broadcast(&self, _: LogLevel, _: Option<&str>, _: &str) -> bool {
        false
    }

    fn log_level(&self, _: SessionRef) -> Option<LogLevel> {
        None
    }

    fn now_ms(&self) -> u64 {
        0
    }
}

/// Whether a call may become a task, and that it wants to.
#[derive(Clone, Copy)]
pub(crate) enum Door<'a> {
    /// It is a task, or will never be one.
    Closed,
    /// It becomes one when this is set: then its handler is dropped, and runs again from its top. It asks first if there is room.
    Open { wanted: &'a Cell<bool>, has_room: &'a dyn Fn() -> bool },
}

/// What surrounds a call.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Whether it may become a task.
    pub(crate) door: Door<'a>,
    /// The way to all clients.
    pub(crate) announce: &'a dyn Announce,
    /// The client.
    pub(crate) client: Option<&'a Client<'a>>,
    /// The way to ask the client.
    pub(crate) ask: &'a dyn Ask,
    /// Its session, where its revision has any.
    pub(crate) session: Option<SessionRef>,
    /// On whose behalf it is made.
    pub(crate) principal: &'a Principal,
}

impl Context<'static> {
    /// Nothing surrounds it.
    pub(crate) const NONE: Self =
        Self { announce: &Silent, client: None, session: None, ask: &Nobody, door: Door::Closed, principal: &ANYONE };
}

/// How far the result is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Nothing was written.
    None,
    /// The beginning is written. Who comes after a handler that has dropped that midway finds it so.
    Torn,
    /// Something was said of a block whose kind is not known yet.
    Head(Said),
    /// A block with text is open: its string goes on, and ends with this.
    Text(&'static str),
    /// A block with bytes is open: its base64 goes on, and ends with this.
    Binary(&'static str),
    /// A block with text was ended; its end is written with what follows.
    Ended(&'static str),
    /// A block was ended.
    Closed,
    /// The content was ended, and what is structured follows it.
    Structured,
}

/// Bytes of a text that is written in one piece with what is in front of it: escaped, the transmit buffer holds it four times. Most results are shorter.
const TEXT_AT_ONCE_BYTES_MAX: usize = 512;
const _: () = assert!(TEXT_AT_ONCE_BYTES_MAX * 6 * 2 < crate::limits::TRANSMIT_BYTES, "an escape has six bytes");

/// A running `tools/call`: its arguments, its client, and the way to answer.
///
/// The result is written piece by piece, of any length, through the server's fixed buffer: a method that writes waits
/// (`await`) while the client is slow. [`text`](Self::text) or [`reply`](Self::reply) is the whole of a simple result;
/// [`write`](Self::write) and [`print`](Self::print) with [`done`](Self::done) make a long one. It can have other content
/// too ([`image`](Self::image) and the like): any number of blocks, in the order in which they are written.
///
/// When the call is cancelled (`notifications/cancelled`, a closed connection in 2026-07-28, the server's time limit),
/// the handler's future is dropped at its next `await`.
pub struct Call<'a> {
    pub(super) out: Out<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) context: &'a Context<'a>,
    block: Block,
    base64: Base64,
    utf8: Utf8,
    /// The tool has an output schema.
    typed: bool,
    pub(super) pace: Pace,
    begin: Mark,
}

impl<'a> Call<'a> {
    pub(crate) fn new(out: Out<'a>, request: &'a Request<'a>, context: &'a Context<'a>) -> Self {
        let begin = out.mark();
        let (block, base64, utf8) = (Block::None, Base64::default(), Utf8::default());
        Self { out, request, context, block, base64, utf8, typed: false, pace: Pace::NEW, begin }
    }

    /// The tool has an output schema: a result without structured content would break its promise.
    pub(crate) fn set_typed(&mut self) {
        self.typed = true;
    }

    /// Ends the result with a text block: the whole of most results.
    ///
    /// # Errors
    /// None of its own: the `Result` is the tool's, so that this can be its last expression.
    pub async fn text(&mut self, text: &str) -> ToolResult {
        self.mend();
        if self.block == Block::None && text.len() <= TEXT_AT_ONCE_BYTES_MAX {
            return self.text_at_once(text).await;
        }
        self.write(text).await;
        self.done().await
    }

    /// Ends the result with formatted text: `call.reply(format_args!("{x} °C"))`, or anything that can be displayed. It is
    /// formatted again when the buffer was full, so it must say the same twice.
    ///
    /// # Errors
    /// None of its own: the `Result` is the tool's, so that this can be its last expression.
    pub async fn reply(&mut self, text: impl fmt::Display) -> ToolResult {
        self.print(format_args!("{text}")).await;
        self.done().await
    }

    /// Appends to the result's text block; opens one if none is open.
    pub async fn write(&mut self, text: &str) {
        self.open_text().await;
        self.out.escaped(text).await;
    }

    /// Appends formatted text, as `write!` would: `call.print(format_args!("{x} °C")).await`. The values are formatted
    /// again when the buffer was full, so their `Display` must say the same twice.
    pub async fn print(&mut self, text: fmt::Arguments<'_>) {
        self.open_text().await;
        self.out
            .write(|w| {
                w.escaped_fmt(text);
            })
            .await;
    }

    /// Ends the open block: what is written next begins another one.
    pub async fn end_block(&mut self) {
        self.mend();
        match self.block {
            Block::Head(_) => self.out.str(r#","type":"text","text":""}"#).await,
            Block::Text(end) => {
                self.utf8.end(self.out).await;
                self.out.str(end).await;
            }
            Block::Ended(end) => self.out.str(end).await,
            Block::Binary(end) => {
                self.base64.end(self.out).await;
                self.out.str(end).await;
            }
            Block::None | Block::Torn | Block::Closed | Block::Structured => return,
        }
        self.block = Block::Closed;
    }

    /// Ends the result.
    ///
    /// # Errors
    /// None of its own: the `Result` is the tool's, so that this can be its last expression.
    pub async fn done(&mut self) -> ToolResult {
        match self.block {
            Block::Text(end) => {
                self.utf8.end(self.out).await;
                self.block = Block::Ended(end);
            }
            Block::Ended(_) => {}
            _ => self.end_block().await,
        }
        Ok(Done::new())
    }

    /// From here on the call is a task, where its tool is `#[task(later)]`, its client can follow one and there is room: the client gets the
    /// task's id at once, and comes again for the result. Where that can't be, or the result was begun, the call goes on as it is.
    ///
    /// For what must be asked or checked before: to become a task, the method runs again from its top, and passes this point the second time.
    /// What has an effect comes after it.
    pub async fn become_task(&mut self) {
        let Door::Open { wanted, has_room } = self.context.door else { return };
        self.mend();
        if self.block == Block::None && has_room() {
            wanted.set(true);
            // Also one that waits for something else besides, and goes on, says nothing more here.
            self.out.seal();
            self.context.ask.end_pass();
            core::future::pending::<()>().await;
        }
    }

    /// Announces that the list of tools, or what is in it, changed: `notifications/tools/list_changed` goes to every
    /// client that listens.
    pub fn tools_changed(&self) {
        self.context.announce.tools_changed();
    }

    /// Announces that the list of resources changed: `notifications/resources/list_changed`.
    pub fn resources_changed(&self) {
        self.context.announce.resources_changed();
    }

    /// Announces that the list of prompts changed: `notifications/prompts/list_changed`.
    pub fn prompts_changed(&self) {
        self.context.announce.prompts_changed();
    }

    /// Tells every client that is subscribed to this URI that the resource changed: `notifications/resources/updated`.
    pub fn resource_updated(&self, uri: &str) {
        self.context.announce.resource_updated(uri);
    }

    /// Sends a message (`notifications/message`) to every client of an older revision that listens and whose level lets
    /// it through. Clients of 2026-07-28 have no such stream. False when the text is too large for the event ring.
    pub fn broadcast(&self, level: LogLevel, text: &str) -> bool {
        self.context.announce.broadcast(level, None, text)
    }

    /// The arguments as JSON text, for a tool that reads them itself: a valid object, `{}` where the request has none.
    pub fn arguments_json(&self) -> &'a str {
        // Every request was found to be UTF-8 before.
        str::from_utf8(self.arguments().raw()).unwrap_or("{}")
    }

    /// The `arguments` of the request; `{}` where it has none.
    pub(crate) fn arguments(&self) -> Value<'a> {
        Value::of_span(self.request.envelope.arguments.map_or(b"{}", |member| member.span.of(self.request.doc)))
    }

    /// Lends a buffer to unescape strings in: the transmit buffer, as long as nothing was written.
    pub(crate) fn with_scratch(&mut self, read: &mut dyn FnMut(&mut [u8])) {
        self.out.lend_to(read);
    }

    pub(super) const fn asker(&self) -> Asker<'a> {
        Asker { ask: self.context.ask, out: self.out, request: self.request, begin: self.begin }
    }
}
