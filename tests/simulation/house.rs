//! The server under test: few slots, and tools that answer at once, later, in pieces, at length, or with a failure.

use smol::channel;
use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, LogLevel, Server, ToolResult, args, tools};

/// Connections that are served at once.
pub(crate) const CONNECTIONS: usize = 8;
/// Calls at once.
pub(crate) const CALLS: usize = 3;
/// Streams at once.
pub(crate) const STREAMS: usize = 4;
/// Sessions at once: fewer than clients.
pub(crate) const SESSIONS: usize = 5;

args! {
    struct Text {
        /// What to say.
        text: heapless::String<256>,
    }
}

struct App {
    gate: channel::Receiver<()>,
}

tools! {
    impl App {
        /// Says it again.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Says it when it is let.
        #[read_only]
        async fn wait(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            self.gate.recv().await.map_err(smol_mcp::ToolError::new)?;
            call.text(&args.text).await
        }

        /// Tells its progress before it says it.
        #[read_only]
        async fn progress(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            for step in 1..=4 {
                call.progress(f64::from(step), Some(4.0), None).await;
            }
            call.text(&args.text).await
        }

        /// Says it a thousand times.
        #[read_only]
        async fn long(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            for _ in 0..1000 {
                call.write(&args.text).await;
            }
            call.done().await
        }

        /// Panics, and says it no more.
        #[read_only]
        async fn fail(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.write("something").await;
            Err(smol_mcp::ToolError::new(args.text))
        }

        /// Tells all that something changed.
        #[additive]
        async fn change(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.tools_changed();
            call.broadcast(LogLevel::Error, "for all");
            call.text(&args.text).await
        }
    }
}

/// The tools whose answer holds the text that they are given.
pub(crate) const TOOLS: [&str; 6] = ["echo", "wait", "progress", "long", "fail", "change"];

/// A server, and what lets its waiting calls go.
pub(crate) fn open() -> (TestServer, channel::Sender<()>) {
    let (opener, gate) = channel::bounded(64);
    let config = Config::new()
        .connections(CONNECTIONS)
        .calls(CALLS)
        .streams(STREAMS)
        .sessions(SESSIONS)
        .body_bytes(4096)
        .tool_timeout_ms(20_000);
    (TestServer::new(Server::new("simulation", "1", App { gate }), config).unwrap(), opener)
}
