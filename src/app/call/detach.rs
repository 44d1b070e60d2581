//! A call that goes on without its connection.

use super::Call;

impl Call<'_> {
    /// Lets the client's connection go, for a tool that takes long: the client comes back for the rest after a moment
    /// (MCP 2025-11-25, "Sending Messages to the Server", 6), and then gets what the tool said in the meantime, and the
    /// result. True when it is so; the tool goes on in any case.
    ///
    /// It is `false` where the client can't come back: in 2024-11-05 and 2026-07-28, for a client that reads no event
    /// streams, within a batch, when a part of the result was sent already, and in 2025-03-26 and 2025-06-18 as long as
    /// nothing (such as [`progress`](Self::progress)) was sent.
    ///
    /// What is kept for the client, the result as well, has at most [`KEPT_BYTES_MAX`](crate::limits::KEPT_BYTES_MAX)
    /// bytes as JSON: of a larger result the client is told that it is lost. It is kept until newer events take its place.
    pub async fn detach(&mut self) -> bool {
        self.out.detach().await
    }
}
