//! Bytes that come in pieces of any size: as base64, and as text.

use std::io::{self, Read};

use crate::limits::SOURCE_PIECE_BYTES;
use crate::outlet::Out;

/// The bytes that wait for the rest of their group of three.
#[derive(Default)]
pub(super) struct Base64 {
    waiting: heapless::Vec<u8, 3, u8>,
}

impl Base64 {
    /// Appends a piece.
    pub(super) async fn write(&mut self, out: Out<'_>, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.waiting.is_empty() && !self.waiting.is_full() {
            let Some((byte, behind)) = rest.split_first() else { return };
            // There is room: it was not full.
            let _ = self.waiting.push(*byte);
            rest = behind;
        }
        self.end(out).await;
        let (whole, left) = rest.split_at(rest.len() / 3 * 3);
        out.base64(whole).await;
        // Fewer than three.
        let _ = self.waiting.extend_from_slice(left);
    }

    /// Appends what is left, padded.
    pub(super) async fn end(&mut self, out: Out<'_>) {
        out.base64(&self.waiting).await;
        self.waiting.clear();
    }
}

/// The bytes of a character that waits for its end.
#[derive(Default)]
pub(super) struct Utf8 {
    waiting: heapless::Vec<u8, 4, u8>,
}

impl Utf8 {
    /// Appends a piece, as the inside of a JSON string. What is not UTF-8 becomes U+FFFD, as `String::from_utf8_lossy` has it.
    pub(super) async fn write(&mut self, out: Out<'_>, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.waiting.is_empty() {
            let Some((byte, behind)) = rest.split_first() else { return };
            // There is room: a character has at most four bytes, and what waits is none yet.
            let _ = self.waiting.push(*byte);
            match str::from_utf8(&self.waiting).map_err(|error| error.error_len()) {
                Ok(character) => {
                    out.escaped(character).await;
                    self.waiting.clear();
                    rest = behind;
                }
                Err(None) => rest = behind,
                // Its last byte begins something else.
                Err(Some(_)) => self.end(out).await,
            }
        }
        let mut behind = rest.len();
        for chunk in rest.utf8_chunks() {
            out.escaped(chunk.valid()).await;
            behind -= chunk.valid().len() + chunk.invalid().len();
            let is_begun = || str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
            if behind == 0 && is_begun() {
                // Three at most.
                let _ = self.waiting.extend_from_slice(chunk.invalid());
            } else if !chunk.invalid().is_empty() {
                out.escaped(REPLACEMENT).await;
            }
        }
    }

    /// A character that waits for its end has none.
    pub(super) async fn end(&mut self, out: Out<'_>) {
        if !self.waiting.is_empty() {
            out.escaped(REPLACEMENT).await;
            self.waiting.clear();
        }
    }
}

/// What stands for bytes that are no character.
const REPLACEMENT: &str = "\u{fffd}";

/// Hands on a source to its end, in pieces. It blocks the thread for as long as the source does.
///
/// # Errors
/// The source's, but for interruptions.
pub(super) async fn each_piece(mut source: impl Read, mut take: impl AsyncFnMut(&[u8])) -> io::Result<()> {
    let mut piece = [0; SOURCE_PIECE_BYTES];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => take(piece.get(..read).unwrap_or_default()).await,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
