//! Log messages about a call.

use std::time::Duration;

use smol_mcp::{Call, ContentAnnotations, LogLevel, ToolResult};

pub(crate) async fn three(call: &mut Call<'_>) -> ToolResult {
    call.log(LogLevel::Info, None, "Tool execution started").await;
    smol::Timer::after(Duration::from_millis(50)).await;
    call.log(LogLevel::Info, None, "Tool processing data").await;
    smol::Timer::after(Duration::from_millis(50)).await;
    call.log(LogLevel::Info, None, "Tool execution completed").await;
    call.text("Three messages were logged.").await
}

pub(crate) async fn one(call: &mut Call<'_>) -> ToolResult {
    let sent = call.log(LogLevel::Info, Some("everything"), "A log message of the tool.").await;
    call.annotate(ContentAnnotations::new().user().assistant().priority(0.5)).await;
    call.text(if sent { "A message was logged." } else { "No message was wanted." }).await
}
