//! Whole talks: some clients, any server of the conversations, what they send, and when they go.
//!
//! With `SMOL_MCP_SEEDS=FOLDER` in the environment it writes there what all targets may begin with, and ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smol_mcp_fuzz::talk;

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("SMOL_MCP_SEEDS") {
            let written = talk::write_seeds(folder.as_ref()).expect("the seeds can be written");
            println!("{written} seeds");
            std::process::exit(0);
        }
    },
    |data: &[u8]| talk::hold(data)
);
