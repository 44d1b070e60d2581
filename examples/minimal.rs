//! The smallest useful server: two tools.
//!
//! ```text
//! cargo run --release --example minimal
//! ```
#![forbid(unsafe_code)]

mod common;

use std::borrow::Cow;
use std::process::ExitCode;

use common::Program;
use smol_mcp::{Call, Server, ToolResult, args, tools};

const PROGRAM: Program = Program {
    name: "minimal",
    version: env!("CARGO_PKG_VERSION"),
    about: "The smallest useful MCP server: a tool that answers, and one that notifies.",
    own: &[],
};

args! {
    struct Echo<'a> {
        /// What to say.
        #[len(0..=16384)]
        text: Cow<'a, str>,
    }
}

struct Minimal;

tools! {
    impl Minimal {
        /// Answers with the text that it is given.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Echo<'_>) -> ToolResult {
            call.text(&args.text).await
        }

        /// Tells every client that listens that the list of tools changed.
        #[idempotent]
        async fn notify(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("notified").await
        }
    }
}

fn main() -> ExitCode {
    common::main(&PROGRAM, |_| Ok(Server::new("minimal", env!("CARGO_PKG_VERSION"), Minimal)))
}
