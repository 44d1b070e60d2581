//! The fixture that the official conformance suite and the clients' tests drive: every feature of the server, with the
//! names and texts that they expect.
#![forbid(unsafe_code)]

mod common;

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use common::Program;
use smol_mcp::{Call, LogLevel, Server, ToolResult, args, tools};

const PROGRAM: Program = Program {
    name: "everything",
    version: env!("CARGO_PKG_VERSION"),
    about: "The fixture of the conformance suite and of the clients' tests.",
    own: &[],
};

args! {
    struct Echo {
        /// What to say.
        #[len(0..=16384)]
        text: String,
    }

    struct Add {
        /// The first number.
        a: i64,
        /// The second number.
        b: i64,
    }

    struct Compute {
        /// How long to compute.
        #[range(0.0..=600.0)]
        seconds: f64,
    }
}

#[derive(Default)]
struct Everything {
    cancelled: Cell<u32>,
}

/// Counts a call that is dropped before it is done.
struct CountDrop<'a> {
    cancelled: &'a Cell<u32>,
    done: bool,
}

impl Drop for CountDrop<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.cancelled.set(self.cancelled.get() + 1);
        }
    }
}

tools! {
    impl Everything {
        /// Answers with the text that it is given.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Echo) -> ToolResult {
            call.text(&args.text).await
        }

        /// Adds two integers.
        #[read_only]
        async fn add(&self, call: &mut Call<'_>, args: Add) -> ToolResult {
            call.reply(format_args!("{}", i128::from(args.a) + i128::from(args.b))).await
        }

        /// Tells every client that listens that the list of tools changed.
        #[idempotent]
        async fn notify(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("notified").await
        }

        /// Sends a message to every client of an older revision that listens.
        #[additive]
        async fn broadcast(&self, call: &mut Call<'_>, args: Echo) -> ToolResult {
            if !call.broadcast(LogLevel::Info, &args.text) {
                Err("the text is too large for one message")?;
            }
            call.text("sent").await
        }

        /// Answers with a fixed text.
        #[read_only]
        async fn test_simple_text(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("This is a simple text response for testing.").await
        }

        /// Always fails.
        #[read_only]
        async fn test_error_handling(&self, _call: &mut Call<'_>) -> ToolResult {
            Err("This tool intentionally returns an error for testing".into())
        }

        /// Reports progress: 0, 50 and 100 of 100.
        #[read_only]
        async fn test_tool_with_progress(&self, call: &mut Call<'_>) -> ToolResult {
            for progress in [0.0, 50.0, 100.0] {
                call.progress(progress, Some(100.0), None).await;
                smol::Timer::after(Duration::from_millis(50)).await;
            }
            call.text("done").await
        }

        /// Takes its time; can be cancelled.
        #[read_only]
        async fn slow_compute(&self, call: &mut Call<'_>, args: Compute) -> ToolResult {
            let mut count = CountDrop { cancelled: &self.cancelled, done: false };
            smol::Timer::after(Duration::from_secs_f64(args.seconds)).await;
            count.done = true;
            call.reply(format_args!("computed for {} s", args.seconds)).await
        }

        /// How many calls of slow_compute were cancelled so far.
        #[read_only]
        async fn cancelled_count(&self, call: &mut Call<'_>) -> ToolResult {
            call.reply(format_args!("{}", self.cancelled.get())).await
        }

        /// Fires notifications/tools/list_changed.
        #[idempotent]
        async fn test_trigger_tool_change(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("fired").await
        }
    }
}

fn main() -> ExitCode {
    common::main(&PROGRAM, |_| Ok(Server::new("everything", env!("CARGO_PKG_VERSION"), Everything::default())))
}
