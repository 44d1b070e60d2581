//! Base64 of bytes that come in pieces of any size.

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
