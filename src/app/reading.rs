//! A running `resources/read`, as its handler sees it.

use core::fmt;
use std::io;

use serde::de::DeserializeOwned;

use super::annotate::is_meta;
use super::caught::Panicked;
use super::caught::can_be_shown;
use super::encode::{Base64, Utf8, each_piece};
use super::failure::Kind;
use super::input::{Asker, missing_capability};
use super::ran::Ran;
use super::words::{self, Misfit, Word};
use super::{Arg, Context, Done, Failure, Identity, ReadResult, Resource, uri};
use crate::json::Value;
use crate::outlet::{Mark, Out};
use crate::rpc::{self, Request};
use crate::session::{Principal, Revision};

/// A running `resources/read`: the URI, the client, and the way to answer.
///
/// The contents are written piece by piece, of any length, through the server's fixed buffer. [`text`](Self::text), [`reply`](Self::reply) or
/// [`blob`](Self::blob) is the whole of most resources; [`text_from`](Self::text_from) and
/// [`blob_from`](Self::blob_from) that of a file; [`write`](Self::write), [`print`](Self::print) and
/// [`write_blob`](Self::write_blob) with [`done`](Self::done) make a long one, and [`content`](Self::content) begins a further one with a URI
/// of its own.
///
/// A failure after more was written than the transmit buffer holds can't be told any more: the connection is closed instead.
pub struct Reading<'a> {
    pub(super) out: Out<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) context: &'a Context<'a>,
    resource: &'static Resource,
    identity: &'a Identity,
    written: Written,
    base64: Base64,
    utf8: Utf8,
    begin: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    /// A content was begun, and it is not known yet of which kind it is; `true`: it has a `_meta`.
    Head(bool),
    /// The string of a content is open.
    Text,
    /// The same, of base64.
    Blob,
    /// A content was ended.
    Content,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        out: Out<'a>,
        request: &'a Request<'a>,
        context: &'a Context<'a>,
        resource: &'static Resource,
        identity: &'a Identity,
    ) -> Self {
        let (begin, base64, utf8) = (out.mark(), Base64::default(), Utf8::default());
        Self { out, request, context, resource, identity, written: Written::Nothing, base64, utf8, begin }
    }

    /// Ends the contents with a text: the whole of most resources.
    ///
    /// # Errors
    /// None of its own: the `Result` is the handler's, so that this can be its last expression.
    pub async fn text(&mut self, text: &str) -> ReadResult {
        self.write(text).await;
        self.done().await
    }

    /// Ends the contents with formatted text, or anything that can be displayed. It is formatted again when the buffer was full, so it must say
    /// the same twice.
    ///
    /// # Errors
    /// None of its own.
    pub async fn reply(&mut self, text: impl fmt::Display) -> ReadResult {
        self.print(format_args!("{text}")).await;
        self.done().await
    }

    /// Ends the contents with bytes, which are sent as base64.
    ///
    /// # Errors
    /// None of its own.
    pub async fn blob(&mut self, bytes: &[u8]) -> ReadResult {
        self.write_blob(bytes).await;
        self.done().await
    }

    /// Ends the contents with the text of a file, of any size: it is read in pieces of
    /// [`SOURCE_PIECE_BYTES`](crate::limits::SOURCE_PIECE_BYTES) while it is sent. What is not UTF-8 becomes U+FFFD.
    ///
    /// ```
    /// # use std::fs::File;
    /// # use smol_mcp::{ReadResult, Reading};
    /// # async fn read(call: &mut Reading<'_>) -> ReadResult {
    /// call.text_from(File::open("/var/log/messages")?).await
    /// # }
    /// ```
    ///
    /// Each piece blocks the server's one thread until it is there, which a file does not do for long; others are served between the pieces. What
    /// others send (a pipe, a socket, a slow bus) is awaited by the handler, and written by [`write_utf8`](Self::write_utf8).
    ///
    /// # Errors
    /// The source's. After more was sent than the transmit buffer holds, it can only end the connection.
    pub async fn text_from(&mut self, source: impl io::Read) -> ReadResult {
        each_piece(source, async |piece| self.write_utf8(piece).await).await?;
        self.done().await
    }

    /// Ends the contents with the bytes of a file, of any size, which are sent as base64; otherwise as [`text_from`](Self::text_from).
    ///
    /// # Errors
    /// The source's.
    pub async fn blob_from(&mut self, source: impl io::Read) -> ReadResult {
        self.open(Written::Blob).await;
        each_piece(source, async |piece| self.write_blob(piece).await).await?;
        self.done().await
    }

    /// Appends text to the content.
    pub async fn write(&mut self, text: &str) {
        self.open(Written::Text).await;
        self.utf8.end(self.out).await;
        self.out.escaped(text).await;
    }

    /// Appends text whose bytes come in pieces of any size: a character may begin in one and end in the next. What is not UTF-8 becomes U+FFFD.
    pub async fn write_utf8(&mut self, bytes: &[u8]) {
        self.open(Written::Text).await;
        self.utf8.write(self.out, bytes).await;
    }

    /// Appends formatted text to the content, as `write!` would. The values are formatted again when the buffer was full, so their `Display`
    /// must say the same twice.
    pub async fn print(&mut self, text: fmt::Arguments<'_>) {
        self.open(Written::Text).await;
        self.utf8.end(self.out).await;
        self.out
            .write(|w| {
                w.escaped_fmt(text);
            })
            .await;
    }

    /// Appends bytes to the content, which are sent as base64.
    pub async fn write_blob(&mut self, bytes: &[u8]) {
        self.open(Written::Blob).await;
        self.base64.write(self.out, bytes).await;
    }

    /// Begins a content with a URI and a type of its own: a resource may have several, such as the files of a folder. What is written next is
    /// its text or its bytes.
    pub async fn content(&mut self, uri: &str, mime: Option<&str>) {
        self.begin_content().await;
        self.out
            .write(|w| {
                w.str(r#"{"uri":"#).string(uri);
                if let Some(mime) = mime {
                    w.str(r#","mimeType":"#).string(mime);
                }
            })
            .await;
        self.written = Written::Head(false);
    }

    /// Gives the content a `_meta`: a JSON object, for particular clients. It comes before the content's text or bytes; behind them, it begins
    /// a further content. What is no object is left out, and the log says so.
    pub async fn content_meta(&mut self, json: &str) {
        if self.written == Written::Head(true) || !is_meta(json) {
            return;
        }
        self.begin_own().await;
        self.out
            .write(|w| {
                w.str(r#","_meta":"#).flat(json.as_bytes());
            })
            .await;
        self.written = Written::Head(true);
    }

    /// Ends the contents.
    ///
    /// # Errors
    /// None of its own: the `Result` is the handler's, so that this can be its last expression.
    pub async fn done(&mut self) -> ReadResult {
        if matches!(self.written, Written::Nothing | Written::Head(_)) {
            // A content without any is not in the protocol.
            self.open(Written::Text).await;
        }
        self.end_content().await;
        Ok(Done::new())
    }

    /// There is no such resource: `return call.not_found()`.
    ///
    /// # Errors
    /// Always.
    pub const fn not_found(&self) -> ReadResult {
        Err(Failure::not_found())
    }

    /// The URI that the client asked for, as it wrote it.
    pub fn uri(&self) -> &'a str {
        requested(self.request).unwrap_or_default()
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

    /// Reads the variables of the template.
    pub(super) fn variables<T: Arg<'static> + DeserializeOwned>(&self) -> Result<T, Failure> {
        let variables = uri::variables(self.resource.uri, self.uri());
        let variables = variables.map(|(name, value)| (Word::Ours(name), value));
        let read = self.out.lend(|scratch| words::read(variables, scratch)).unwrap_or(Err(Misfit));
        read.map_err(|Misfit| Failure::not_found())
    }

    /// Writes the end of the result, or the error.
    pub(crate) async fn close(&mut self, result: Result<ReadResult, Panicked>) -> Ran {
        let ran = Ran::of(&result);
        let failure = match result {
            Ok(Ok(_)) => {
                self.finish().await;
                return ran;
            }
            Ok(Err(failure)) if can_be_shown(&failure) => failure,
            Ok(Err(_)) | Err(Panicked) => Failure::panicked(),
        };
        if self.out.rewind(self.begin) {
            refuse(self.out, self.request, &failure).await;
            return ran;
        }
        // The server tells of it, too, but not each time.
        log::debug!("resource {} failed after a part of it was sent: {failure}", self.resource.uri);
        self.out.break_off();
        ran.broken()
    }

    async fn finish(&mut self) {
        let modern = self.request.revision.is_modern();
        self.out
            .write(|w| {
                w.str("]");
                if modern {
                    let asked = self.request.envelope.input_responses.or(self.request.envelope.request_state);
                    match asked {
                        Some(_) => Identity::write_no_caching(w),
                        None => self.identity.write_caching(w),
                    }
                    self.identity.write_meta(w);
                }
                w.str("}}");
            })
            .await;
    }

    async fn open(&mut self, wanted: Written) {
        if self.written == wanted {
            return;
        }
        self.begin_own().await;
        self.out.str(if wanted == Written::Blob { r#","blob":""# } else { r#","text":""# }).await;
        self.written = wanted;
    }

    // Begins a content of what was asked for, unless one was begun just now.
    async fn begin_own(&mut self) {
        if matches!(self.written, Written::Head(_)) {
            return;
        }
        self.begin_content().await;
        let (uri, mime) = (self.request.envelope.uri.map(|uri| uri.span.of(self.request.doc)), self.resource.mime);
        self.out
            .write(|w| {
                w.str(r#"{"uri":"#).raw(uri.unwrap_or(b"\"\""));
                if let Some(mime) = mime {
                    w.str(r#","mimeType":"#).string(mime);
                }
            })
            .await;
        self.written = Written::Head(false);
    }

    async fn begin_content(&mut self) {
        if self.written == Written::Nothing {
            let modern = self.request.revision.is_modern();
            self.out
                .write(|w| {
                    rpc::begin_result(w, self.request.id());
                    w.str(if modern { r#"{"resultType":"complete","contents":["# } else { r#"{"contents":["# });
                })
                .await;
        } else {
            self.end_content().await;
            self.out.str(",").await;
        }
    }

    async fn end_content(&mut self) {
        let end = match self.written {
            Written::Nothing | Written::Content => return,
            Written::Head(_) => r#","text":""}"#,
            Written::Text => {
                self.utf8.end(self.out).await;
                "\"}"
            }
            Written::Blob => {
                self.base64.end(self.out).await;
                "\"}"
            }
        };
        self.out.str(end).await;
        self.written = Written::Content;
    }
}

/// The URI that a request names. One with escapes in it is none.
pub(crate) fn requested<'d>(request: &Request<'d>) -> Option<&'d str> {
    Value::of_span(request.envelope.uri?.span.of(request.doc)).as_text()?.plain()
}

/// Answers with a failure's error.
pub(crate) async fn refuse(out: Out<'_>, request: &Request<'_>, failure: &Failure) {
    if let (Kind::Undeclared(missing), true) = (failure.kind, request.revision.is_modern()) {
        return missing_capability(out, request, missing).await;
    }
    let code = failure.code(request.revision.is_modern());
    let uri = request.envelope.uri.map(|uri| uri.span.of(request.doc));
    out.write(|w| {
        rpc::error_fmt(w, request.id(), code, format_args!("{failure}"), |w| {
            if let Some(uri) = uri {
                w.str(r#","data":{"uri":"#).raw(uri).str("}");
            }
        });
    })
    .await;
}
