//! Bytes of a connection, as they come: the first byte says in how large pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    smol_mcp_fuzz::with_server(|server, _, connection| {
        for piece in bytes.chunks(usize::from(*size) + 1) {
            server.send(connection, piece);
            if connection.is_closed() {
                break;
            }
        }
    });
});
