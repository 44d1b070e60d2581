//! JSON (or not) in the body of a good request: without a session, in one, and as 2026-07-28 has it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smol_mcp_fuzz::{post, with_server};

fuzz_target!(|data: &[u8]| {
    with_server(|server, session, connection| {
        for headers in [
            String::new(),
            format!("Mcp-Session-Id: {session}\r\n"),
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: echo\r\n".to_owned(),
        ] {
            server.send(connection, &post(&headers, data));
        }
    });
});
