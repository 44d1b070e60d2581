//! Our own server where `minimal` has too little: a list of 50 tools, and a result of 1 MB.
//!
//! ```text
//! speed --serve app --listen ADDR:PORT
//! ```

use std::net::SocketAddr;

use smol_mcp::{Call, Config, Server, ToolResult, args, tools};

/// What the text of `big` weighs, in bytes.
const BIG_BYTES: usize = 1 << 20;
/// It is handed over in pieces of this size, as one reads a file.
const PIECE_BYTES: usize = 16 * 1024;

args! {
    struct Echo {
        /// What to say.
        #[len(0..=16384)]
        text: String,
    }
}

struct App;

macro_rules! app {
    ($($name:ident)*) => {
        tools! {
            impl App {
                $(
                    /// Answers with the text that it is given.
                    #[read_only]
                    async fn $name(&self, call: &mut Call<'_>, args: Echo) -> ToolResult {
                        call.text(&args.text).await
                    }
                )*

                /// Answers with a text of 1 MB.
                #[read_only]
                async fn big(&self, call: &mut Call<'_>) -> ToolResult {
                    let piece = const { [b'x'; PIECE_BYTES] };
                    for _ in 0..BIG_BYTES / PIECE_BYTES {
                        call.write_utf8(&piece).await;
                    }
                    call.done().await
                }
            }
        }
    };
}

app! {
    tool_00 tool_01 tool_02 tool_03 tool_04 tool_05 tool_06 tool_07 tool_08 tool_09
    tool_10 tool_11 tool_12 tool_13 tool_14 tool_15 tool_16 tool_17 tool_18 tool_19
    tool_20 tool_21 tool_22 tool_23 tool_24 tool_25 tool_26 tool_27 tool_28 tool_29
    tool_30 tool_31 tool_32 tool_33 tool_34 tool_35 tool_36 tool_37 tool_38 tool_39
    tool_40 tool_41 tool_42 tool_43 tool_44 tool_45 tool_46 tool_47 tool_48 tool_49
}

/// Serves until it is killed.
pub(crate) fn serve(listen: SocketAddr) -> ! {
    let server = Server::new("app", env!("CARGO_PKG_VERSION"), App);
    let bound = server.bind(Config::new().listen(listen)).expect("an address that is free");
    println!("listening on http://{}/mcp", bound.local_addr().expect("it listens"));
    smol_mcp::block_on(bound.run()).expect("it serves");
    unreachable!("nobody ends it")
}
