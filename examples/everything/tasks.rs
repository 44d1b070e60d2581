//! The fixtures of the suite's `tasks-*` scenarios.

use std::time::Duration;

use smol_mcp::{Call, Config, ToolResult, args};

/// Several runs of the suite leave tasks behind, which are kept for a while.
const TASKS: usize = 64;

args! {
    pub(crate) struct Greet {
        /// Whom to greet.
        name: String,
    }
}

/// Room for the tasks of the suite.
pub(crate) fn config(config: Config) -> Config {
    config.tasks(TASKS)
}

pub(crate) async fn greet(call: &mut Call<'_>, args: Greet) -> ToolResult {
    call.reply(format_args!("Hello, {}!", args.name)).await
}

pub(crate) async fn failing_job(_call: &mut Call<'_>) -> ToolResult {
    smol::Timer::after(Duration::from_secs(1)).await;
    Err("This job always fails".into())
}

#[expect(clippy::panic, reason = "what the client is told of a panic is the scenario")]
pub(crate) async fn protocol_error_job(_call: &mut Call<'_>) -> ToolResult {
    smol::Timer::after(Duration::from_millis(100)).await;
    panic!("this job always panics")
}
