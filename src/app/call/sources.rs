//! What a result has from elsewhere: from a file, and from what sends bytes.

use std::io;

use super::content::Binary;
use super::{Block, Call};
use crate::app::ToolResult;
use crate::app::encode::each_piece;

impl Call<'_> {
    /// Ends the result with the text of a file, of any size: it is read in pieces of
    /// [`SOURCE_PIECE_BYTES`](crate::limits::SOURCE_PIECE_BYTES) while it is sent. What is not UTF-8 becomes U+FFFD.
    ///
    /// ```
    /// # use std::fs::File;
    /// # use smol_mcp::{Call, ToolResult};
    /// # async fn tool(call: &mut Call<'_>) -> ToolResult {
    /// call.text_from(File::open("/proc/meminfo")?).await
    /// # }
    /// ```
    ///
    /// Each piece blocks the server's one thread until it is there, which a file does not do for long; others are served between the pieces. What
    /// others send (a pipe, a socket, a slow bus) is awaited by the tool, and written by [`write_utf8`](Self::write_utf8).
    ///
    /// # Errors
    /// The source's; what was sent before stays in the result, in front of it.
    pub async fn text_from(&mut self, source: impl io::Read) -> ToolResult {
        each_piece(source, async |piece| self.write_utf8(piece).await).await?;
        self.done().await
    }

    /// Appends to the result's text block; opens one if none is open. The bytes come in pieces of any size: a character may begin in one and end in
    /// the next. What is not UTF-8 becomes U+FFFD.
    pub async fn write_utf8(&mut self, bytes: &[u8]) {
        if !matches!(self.block, Block::Text(_)) {
            self.begin_text().await;
        }
        self.utf8.write(self.out, bytes).await;
    }
}

impl Binary<'_, '_> {
    /// Appends all of a file, as [`Call::text_from`] reads it.
    ///
    /// # Errors
    /// The source's.
    pub async fn write_from(&mut self, source: impl io::Read) -> io::Result<()> {
        each_piece(source, async |piece| self.write(piece).await).await
    }
}
