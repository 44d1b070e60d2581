//! The application of the conversations about how often: tools that must not be called as often as one likes.

use smol_mcp::{Call, ToolResult, args, tools};

args! {
    pub(crate) struct Confirmed {
        /// Whether it is meant.
        yes: bool,
    }
}

/// The application.
pub(crate) struct Relay;

tools! {
    impl Relay {
        /// Clacks.
        #[idempotent]
        #[rate(2, 10)]
        async fn switch(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("clack").await
        }

        /// Asks first.
        #[destructive]
        #[rate(1, 10)]
        async fn open(&self, call: &mut Call<'_>) -> ToolResult {
            let answer = call.elicit::<Confirmed>("sure", "Open?").await?;
            call.text(if answer.accepted().is_some_and(|answer| answer.yes) { "opened" } else { "closed" }).await
        }

        /// Acts, and asks then.
        #[destructive]
        #[rate(1, 10)]
        async fn clack(&self, call: &mut Call<'_>) -> ToolResult {
            call.once("clack", async { 1_u8 }).await?;
            call.elicit::<Confirmed>("sure", "Again?").await?;
            call.text("clacked").await
        }

        /// Takes its time.
        #[additive]
        #[rate(1, 60)]
        #[task]
        async fn ramp(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("up").await
        }

        /// As often as one likes.
        #[read_only]
        async fn look(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("dark").await
        }
    }
}
