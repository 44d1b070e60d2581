//! Whole talks: some clients, any server of the conversations, what they send, and when they go.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| smol_mcp_fuzz::talk::hold(data));
