//! What a server allocates until it serves, and for its connections, held against the rows of its budget.

use smol_mcp::limits::{ASYNC_IO_BYTES, COMMANDS_MAX, CONNECTIONS_DEFAULT, MESSAGE_PARAMS_BYTES_MAX};

use crate::{Running, is_by_async_io, settled};

/// Bytes by which a budget may be above what is allocated: what is counted for the allocator beside each block, and for copies of
/// settings.
const SLACK_BYTES: u64 = 16 * 1024;

/// All that is allocated at start is in the budget, and all that is in the budget is allocated then, but for the
/// texts in the queue of commands, and what async-io keeps where it waits for something.
pub(crate) fn is_the_sum(server: &Running) {
    let later = (COMMANDS_MAX * MESSAGE_PARAMS_BYTES_MAX + if is_by_async_io() { 0 } else { ASYNC_IO_BYTES }) as u64;
    let sum = server.budget.process() - later;
    let live = settled().live.cast_unsigned();
    println!("# at start: {live} bytes are allocated, of {sum} in the budget");
    assert!(live <= sum, "{live} bytes are allocated, {sum} are in the budget");
    assert!(live + SLACK_BYTES >= sum, "only {live} bytes are allocated of {sum} in the budget");
}

/// All that is allocated at start is in the budget, of which more may be for what comes later.
pub(crate) fn is_within(server: &Running) {
    let sum = server.budget.process();
    let live = settled().live.cast_unsigned();
    println!("# at start: {live} bytes are allocated, of at most {sum} in the budget");
    assert!(live <= sum, "{live} bytes are allocated, {sum} are in the budget");
}

/// A connection takes nothing of the heap: its slot was there before it came.
pub(crate) fn connections_take_nothing(server: &Running) {
    let served = || {
        let mut client = server.connect();
        assert_eq!(client.ask(&crate::wire::echo("hello")).status, 200);
        client
    };
    // The first of them starts the tick.
    let mut clients = vec![served()];
    let before = settled().live;
    clients.extend((1..CONNECTIONS_DEFAULT).map(|_| served()));
    let taken = settled().live - before;
    println!("# {CONNECTIONS_DEFAULT} connections: {taken} bytes of the heap");
    assert!(taken <= 0, "{taken} bytes of the heap");
    drop(clients);
}
