//! A running `prompts/get`, as its handler sees it.

use core::fmt::{self, Write};

use serde::de::DeserializeOwned;

use super::annotate::{ANNOTATED, META, Said, is_meta};
use super::caught::Panicked;
use super::caught::can_be_shown;
use super::encode::Base64;
use super::failure::Kind;
use super::input::Asker;
use super::ran::Ran;
use super::words::{self, Misfit, Word};
use super::{Arg, ContentAnnotations, Context, Done, Failure, Identity, Prompt, PromptResult, reading};
use crate::json::{self, Value, Writer};
use crate::limits::REASON_BYTES_MAX;
use crate::outlet::{Mark, Out};
use crate::rpc::{self, Request};
use crate::session::{Principal, Revision};

/// Who speaks in a message of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A running `prompts/get`: its client, and the way to answer. The messages go out through the server's fixed buffer, in the order of the calls:
/// ```
/// # use smol_mcp::{Prompting, PromptResult, Role};
/// # async fn prompt(call: &mut Prompting<'_>) -> PromptResult {
/// call.user("What does this picture show?").await;
/// call.image(Role::User, "image/png", b"...").await;
/// call.done().await
/// # }
/// ```
/// A failure after more was written than the transmit buffer holds can't be told any more: the connection is closed instead.
pub struct Prompting<'a> {
    pub(super) out: Out<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) context: &'a Context<'a>,
    prompt: &'static Prompt,
    identity: &'a Identity,
    messages: bool,
    begun: bool,
    /// What was said of a content whose message is not known yet.
    said: Said,
    begin: Mark,
}

impl<'a> Prompting<'a> {
    pub(crate) fn new(
        out: Out<'a>,
        request: &'a Request<'a>,
        context: &'a Context<'a>,
        prompt: &'static Prompt,
        identity: &'a Identity,
    ) -> Self {
        let begin = out.mark();
        Self { out, request, context, prompt, identity, messages: false, begun: false, said: 0, begin }
    }

    /// A text of the user, and the end: the whole of most prompts.
    ///
    /// # Errors
    /// None of its own: the `Result` is the handler's, so that this can be its last expression.
    pub async fn text(&mut self, text: &str) -> PromptResult {
        self.user(text).await;
        self.done().await
    }

    /// A formatted text of the user, or anything that can be displayed, and the end.
    ///
    /// # Errors
    /// None of its own.
    pub async fn reply(&mut self, text: impl fmt::Display) -> PromptResult {
        self.print(Role::User, format_args!("{text}")).await;
        self.done().await
    }

    /// A text of the user.
    pub async fn user(&mut self, text: &str) {
        self.print(Role::User, format_args!("{text}")).await;
    }

    /// A text of the model.
    pub async fn assistant(&mut self, text: &str) {
        self.print(Role::Assistant, format_args!("{text}")).await;
    }

    /// A formatted text. The values are formatted again when the buffer was full, so their `Display` must say the same twice.
    pub async fn print(&mut self, role: Role, text: fmt::Arguments<'_>) {
        let end = self.message(role, "text", |w| {
            w.str(r#","text":""#).escaped_fmt(text).str("\"");
        });
        let end = end.await;
        self.out.str(end).await;
    }

    /// A picture of this type (`image/png`).
    pub async fn image(&mut self, role: Role, mime: &str, bytes: &[u8]) {
        self.data(role, "image", mime, bytes).await;
    }

    /// A sound of this type (`audio/wav`). 2024-11-05 has none: its clients may refuse it.
    pub async fn audio(&mut self, role: Role, mime: &str, bytes: &[u8]) {
        self.data(role, "audio", mime, bytes).await;
    }

    /// A resource that the client may read. Revisions before 2025-06-18 have none: their clients may refuse it.
    pub async fn link(&mut self, role: Role, uri: &str, name: &str, mime: Option<&str>) {
        let end = self.message(role, "resource_link", |w| {
            w.str(r#","uri":"#).string(uri).str(r#","name":"#).string(name);
            write_mime(w, mime);
        });
        let end = end.await;
        self.out.str(end).await;
    }

    /// The text of a resource.
    pub async fn resource_text(&mut self, role: Role, uri: &str, mime: Option<&str>, text: &str) {
        let end = self.message(role, "resource", |w| {
            w.str(r#","resource":{"uri":"#).string(uri);
            write_mime(w, mime);
            w.str(r#","text":"#).string(text).str("}");
        });
        let end = end.await;
        self.out.str(end).await;
    }

    /// The bytes of a resource, which are sent as base64.
    pub async fn resource_blob(&mut self, role: Role, uri: &str, mime: Option<&str>, bytes: &[u8]) {
        let end = self.message(role, "resource", |w| {
            w.str(r#","resource":{"uri":"#).string(uri);
            write_mime(w, mime);
            w.str(r#","blob":""#);
        });
        let end = end.await;
        self.bytes(bytes).await;
        self.out.str("\"}").await;
        self.out.str(end).await;
    }

    /// Says for whom the content of the next message is, and how much it matters.
    pub async fn annotate(&mut self, annotations: ContentAnnotations<'_>) {
        if annotations != ContentAnnotations::NONE {
            self.say(ANNOTATED, |w| annotations.write_member(w)).await;
        }
    }

    /// Gives the content of the next message a `_meta`: a JSON object, for particular clients. What is none is left out, and the log says so.
    pub async fn content_meta(&mut self, json: &str) {
        if is_meta(json) {
            self.say(META, |w| {
                w.str(r#""_meta":"#).flat(json.as_bytes());
            })
            .await;
        }
    }

    /// Ends the prompt.
    ///
    /// # Errors
    /// None of its own: the `Result` is the handler's, so that this can be its last expression.
    pub async fn done(&mut self) -> PromptResult {
        if self.said != 0 {
            // Something was said of nothing.
            self.user("").await;
        }
        self.begin().await;
        Ok(Done::new())
    }

    pub(super) const fn asker(&self) -> Asker<'a> {
        Asker { ask: self.context.ask, out: self.out, request: self.request, begin: self.begin }
    }

    /// The protocol revision that the client speaks.
    pub fn revision(&self) -> Revision {
        self.request.revision
    }

    /// The client's own name (`clientInfo.name`), where it told one: at most 32 bytes, and no proof of anything.
    pub fn client_name(&self) -> Option<&str> {
        self.context.client?.name()
    }

    /// On whose behalf it is made: the holder of a token, or who else was let in.
    pub fn principal(&self) -> &Principal {
        self.context.principal
    }

    /// Reads the arguments.
    pub(super) fn arguments<T: Arg<'static> + DeserializeOwned>(&self) -> Result<T, Failure> {
        let read = self.out.lend(|scratch| words::read(arguments(self.request)?, scratch)).unwrap_or(Err(Misfit));
        read.map_err(|Misfit| Failure::arguments())
    }

    /// Writes the end of the result, or the error.
    pub(crate) async fn close(&mut self, result: Result<PromptResult, Panicked>) -> Ran {
        let ran = Ran::of(&result);
        let failure = match result {
            Ok(Ok(_)) => {
                self.finish().await;
                return ran;
            }
            Ok(Err(failure)) if can_be_shown(&failure) => failure,
            Ok(Err(_)) | Err(Panicked) => Failure::panicked(),
        };
        if !self.out.rewind(self.begin) {
            // The server tells of it, too, but not each time.
            log::debug!("prompt {} failed after a part of it was sent: {failure}", self.prompt.name);
            self.out.break_off();
            return ran.broken();
        }
        if failure.kind != Kind::Arguments {
            reading::refuse(self.out, self.request, &failure).await;
            return ran;
        }
        let reason = self.reason();
        let code = failure.code(self.request.revision.is_modern());
        self.out.write(|w| rpc::error(w, self.request.id(), code, &reason.0)).await;
        ran
    }

    fn reason(&self) -> Reason {
        let mut reason = Reason(heapless::String::new());
        match arguments(self.request) {
            Ok(words) => {
                let schema = self.prompt.arguments;
                self.out.lend(|scratch| words::explain(schema, words, scratch, &mut reason));
            }
            Err(Misfit) => drop(reason.write_str("params.arguments must be an object whose members are strings")),
        }
        reason
    }

    async fn finish(&mut self) {
        self.out
            .write(|w| {
                w.str("]");
                if self.request.revision.is_modern() {
                    self.identity.write_meta(w);
                }
                w.str("}}");
            })
            .await;
    }

    async fn begin(&mut self) {
        if core::mem::replace(&mut self.begun, true) {
            return;
        }
        let modern = self.request.revision.is_modern();
        self.out
            .write(|w| {
                rpc::begin_result(w, self.request.id());
                w.str(if modern { r#"{"resultType":"complete","description":"# } else { r#"{"description":"# });
                w.string(self.prompt.description).str(r#","messages":["#);
            })
            .await;
    }

    // Begins the content of a message with its kind, and what `members` writes, with a comma in front. What ends the message.
    async fn message(&mut self, role: Role, kind: &str, members: impl Fn(&mut Writer<'_>)) -> &'static str {
        // Of whom a message is comes behind its content where something was said of that before.
        let late = core::mem::take(&mut self.said) != 0;
        let begin = if late { "," } else { self.separate().await };
        self.out
            .write(|w| {
                w.str(begin);
                if !late {
                    w.str(r#""role":"#).string(role.as_str()).str(r#","content":{"#);
                }
                w.str(r#""type":""#).str(kind).str("\"");
                members(w);
            })
            .await;
        match role {
            Role::User if late => r#"},"role":"user"}"#,
            Role::Assistant if late => r#"},"role":"assistant"}"#,
            _ => "}}",
        }
    }

    // What a message begins with.
    async fn separate(&mut self) -> &'static str {
        self.begin().await;
        if core::mem::replace(&mut self.messages, true) { ",{" } else { "{" }
    }

    // Begins a message with what is said of its content; says nothing twice.
    async fn say(&mut self, what: Said, member: impl Fn(&mut Writer<'_>)) {
        if self.said & what != 0 {
            return;
        }
        let first = self.said == 0;
        let begin = if first { self.separate().await } else { "," };
        self.out
            .write(|w| {
                w.str(begin).str(if first { r#""content":{"# } else { "" });
                member(w);
            })
            .await;
        self.said |= what;
    }

    async fn data(&mut self, role: Role, kind: &str, mime: &str, bytes: &[u8]) {
        let end = self.message(role, kind, |w| {
            w.str(r#","mimeType":"#).string(mime).str(r#","data":""#);
        });
        let end = end.await;
        self.bytes(bytes).await;
        self.out.str("\"").await;
        self.out.str(end).await;
    }

    async fn bytes(&mut self, bytes: &[u8]) {
        let mut base64 = Base64::default();
        base64.write(self.out, bytes).await;
        base64.end(self.out).await;
    }
}

fn write_mime(w: &mut Writer<'_>, mime: Option<&str>) {
    if let Some(mime) = mime {
        w.str(r#","mimeType":"#).string(mime);
    }
}

// The arguments as named texts; an error when they are something else.
fn arguments<'d>(request: &Request<'d>) -> Result<impl Iterator<Item = (Word<'d>, json::Text<'d>)>, Misfit> {
    let arguments = request.envelope.arguments.map_or(b"{}".as_slice(), |member| member.span.of(request.doc));
    let arguments = Value::new(arguments);
    let texts = arguments.members().all(|(_, value)| value.kind() == json::Kind::String);
    let members = arguments.members().filter_map(|(name, value)| Some((Word::Theirs(name), value.as_text()?)));
    if texts && arguments.kind() == json::Kind::Object { Ok(members) } else { Err(Misfit) }
}

/// Why arguments were refused, cut.
struct Reason(heapless::String<REASON_BYTES_MAX>);

impl Write for Reason {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|char| self.0.push(char)).map_err(|_| fmt::Error)
    }
}
