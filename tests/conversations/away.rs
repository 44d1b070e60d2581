//! An application whose clients go away and come back.

use smol_mcp::{Call, ToolResult, args, tools};

use crate::gate::Gate;

args! {
    /// How to call.
    struct How {
        /// How many bytes the answer is to have.
        #[range(0..=65536)]
        bytes: Option<u32>,
        /// How many steps to tell.
        #[range(0..=200)]
        steps: Option<u8>,
    }
}

/// The application.
#[derive(Default)]
pub(crate) struct Away {
    gate: Gate,
}

impl Away {
    async fn go_on(&self, call: &mut Call<'_>, how: How) -> ToolResult {
        for step in 0..how.steps.unwrap_or(0) {
            call.progress(f64::from(step), None, None).await;
        }
        for _ in 0..how.bytes.unwrap_or(4) {
            call.write("a").await;
        }
        call.done().await
    }
}

tools! {
    impl Away {
        /// Waits for a release, tells its steps, and answers.
        #[read_only]
        async fn wait(&self, call: &mut Call<'_>, how: How) -> ToolResult {
            self.gate.released().await;
            self.go_on(call, how).await
        }

        /// Lets the connection go first, and says whether it went.
        #[read_only]
        async fn leave(&self, call: &mut Call<'_>, how: How) -> ToolResult {
            let left = call.detach().await;
            self.gate.released().await;
            call.print(format_args!("{left}, ")).await;
            self.go_on(call, how).await
        }

        /// Tells a step, lets the connection go, and answers when it is released.
        #[read_only]
        async fn step_and_leave(&self, call: &mut Call<'_>, how: How) -> ToolResult {
            call.progress(0.5, None, None).await;
            let left = call.detach().await;
            self.gate.released().await;
            call.print(format_args!("{left}, ")).await;
            self.go_on(call, how).await
        }

        /// Says something, lets the connection go, fails.
        #[read_only]
        async fn leave_and_fail(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("never seen").await;
            call.detach().await;
            Err("the sensor does not answer".into())
        }

        /// Lets all go that wait.
        #[idempotent]
        async fn release(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.release();
            call.text("go").await
        }
    }
}
