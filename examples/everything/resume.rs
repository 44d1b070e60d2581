//! The tool of the suite's scenario `server-sse-polling`.

use std::time::Duration;

use smol_mcp::{Call, ToolResult};

/// Lets the client's connection go in the middle of the call, and answers when the client came back.
pub(crate) async fn test_reconnection(call: &mut Call<'_>) -> ToolResult {
    call.detach().await;
    smol::Timer::after(Duration::from_millis(100)).await;
    call.text("Reconnection test completed successfully").await
}
