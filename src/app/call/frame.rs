//! What stands around the blocks of a result, and between them.

use super::{Block, Call};
use crate::app::caught::{Panicked, can_be_shown};
use crate::app::input::missing_capability;
use crate::app::{Done, Identity, ToolError, ToolResult};
use crate::json::Writer;
use crate::rpc;

/// What ends a text block.
const TEXT_END: &str = "\"}";

impl Call<'_> {
    /// Writes the end of the result; `modern` says who answers, where the revision wants to know.
    pub(crate) async fn close(&mut self, result: Result<ToolResult, Panicked>, modern: Option<&Identity>) {
        self.mend();
        let failure = match result {
            Ok(Ok(_)) if self.typed && self.block != Block::Structured => Some(ToolError::from(
                "the tool failed: it ended without the structured content that its output schema promises",
            )),
            Ok(Ok(_)) => None,
            Ok(Err(error)) if can_be_shown(&error) => Some(error),
            Ok(Err(_)) | Err(Panicked) => {
                Some(ToolError::from("the tool failed: it panicked. The server's log may say more"))
            }
        };
        if let Some(error) = &failure {
            // What was written before the failure is no answer, unless the client has it already.
            if self.out.rewind(self.begin) {
                self.block = Block::None;
                (self.base64, self.utf8) = Default::default();
            }
            if let (Some(missing), true) = (error.undeclared(), self.block == Block::None && modern.is_some()) {
                return missing_capability(self.out, self.request, missing).await;
            }
            self.end_block().await;
            let arguments = self.arguments();
            self.print(format_args!("{}", error.told(arguments))).await;
        }
        let end = match (self.block, failure.is_some()) {
            // As nearly every result ends.
            (Block::Ended(TEXT_END), false) => r#""}],"isError":false"#,
            (Block::Structured, false) => r#","isError":false"#,
            (Block::Structured, true) => r#","isError":true"#,
            (_, failed) => {
                if self.block == Block::None {
                    self.open_content().await;
                    self.block = Block::Closed;
                }
                self.end_block().await;
                if failed { r#"],"isError":true"# } else { r#"],"isError":false"# }
            }
        };
        self.out
            .write(|w| {
                w.str(end);
                if let Some(identity) = modern {
                    identity.write_meta(w);
                }
                w.str("}}");
            })
            .await;
    }

    pub(super) async fn open_text(&mut self) {
        if !matches!(self.block, Block::Text(_)) {
            self.begin_text().await;
        }
        self.utf8.end(self.out).await;
    }

    pub(in crate::app) async fn begin_text(&mut self) {
        self.mend();
        if self.block == Block::None {
            self.block = Block::Torn;
            self.out.write(|w| self.write_open_text(w)).await;
            self.block = Block::Text(TEXT_END);
            return;
        }
        self.begin_block(Block::Text(TEXT_END), "text", |w| {
            w.str(r#","text":""#);
        })
        .await;
    }

    // Ends the open block, and writes the beginning of another one: its kind, and what `members` writes, with a comma in front.
    pub(super) async fn begin_block(&mut self, block: Block, kind: &str, members: impl Fn(&mut Writer<'_>)) {
        // The first one begins with what is in front of all.
        self.mend();
        let first = self.block == Block::None;
        let begin = match self.block {
            Block::Head(_) => ",",
            Block::None => {
                self.block = Block::Torn;
                "{"
            }
            _ => self.separate().await,
        };
        self.out
            .write(|w| {
                if first {
                    self.write_open(w);
                }
                w.str(begin).str(r#""type":""#).str(kind).str("\"");
                members(w);
            })
            .await;
        self.block = block;
    }

    // Ends the open block; what another one begins with. Who writes that says then which it is.
    pub(super) async fn separate(&mut self) -> &'static str {
        self.end_block().await;
        if self.block == Block::None {
            self.open_content().await;
            return "{";
        }
        ",{"
    }

    // A handler may have stopped waiting while the beginning was written: what there is of it is taken back. Where the client has some of it, no
    // end is right any more. What is sealed is another answer by now.
    pub(super) fn mend(&mut self) {
        if self.block == Block::Torn && !self.out.is_sealed() {
            if !self.out.rewind(self.begin) {
                self.out.break_off();
            }
            self.block = Block::None;
        }
    }

    async fn open_content(&mut self) {
        self.block = Block::Torn;
        self.out.write(|w| self.write_open(w)).await;
    }

    // A short text as the whole content, written at once.
    pub(super) async fn text_at_once(&mut self, text: &str) -> ToolResult {
        self.block = Block::Torn;
        let whole = |w: &mut Writer<'_>| {
            self.write_open_text(w);
            w.escaped(text);
        };
        self.out.write(whole).await;
        self.block = Block::Ended(TEXT_END);
        Ok(Done::new())
    }

    fn write_open(&self, w: &mut Writer<'_>) {
        rpc::begin_result(w, self.request.id());
        let modern = self.request.revision.is_modern();
        w.str(if modern { r#"{"resultType":"complete","content":["# } else { r#"{"content":["# });
    }

    // The same with a text block, as nearly every result begins: in as few pieces as can be.
    fn write_open_text(&self, w: &mut Writer<'_>) {
        w.str(rpc::RESPONSE_BEGIN).raw(self.request.id());
        w.str(if self.request.revision.is_modern() {
            r#","result":{"resultType":"complete","content":[{"type":"text","text":""#
        } else {
            r#","result":{"content":[{"type":"text","text":""#
        });
    }
}
