//! What a server allocates until it serves, and for its connections, held against the rows of its budget.

use smol_mcp::MemoryBudget;
use smol_mcp::limits::{COMMANDS_MAX, CONNECTIONS_DEFAULT, MESSAGE_PARAMS_BYTES_MAX};

use crate::{Running, settled};

/// Bytes by which a budget may be above what is allocated: what is counted for the allocator beside each block, for the timer that runs only
/// while somebody is there, for copies of settings, and for lists that async-io makes longer when it must.
const SLACK_BYTES: u64 = 16 * 1024;

/// All that is allocated at start is in the budget, and all that is in the budget is allocated then, but for two rows: the sockets', and the
/// texts in the queue of commands.
pub(crate) fn is_the_sum(server: &Running) {
    let later = row(&server.budget, "sockets, in async-io") + (COMMANDS_MAX * MESSAGE_PARAMS_BYTES_MAX) as u64;
    let sum = server.budget.process() - later;
    let live = settled().live.cast_unsigned();
    println!("# at start: {live} bytes are allocated, of {sum} in the budget");
    assert!(live <= sum, "{live} bytes are allocated, {sum} are in the budget");
    assert!(live + SLACK_BYTES >= sum, "only {live} bytes are allocated of {sum} in the budget");
}

/// All that is allocated at start is in the budget, of which more may be for what comes later.
pub(crate) fn is_within(server: &Running) {
    let sum = server.budget.process() - row(&server.budget, "sockets, in async-io");
    let live = settled().live.cast_unsigned();
    println!("# at start: {live} bytes are allocated, of at most {sum} in the budget");
    assert!(live <= sum, "{live} bytes are allocated, {sum} are in the budget");
}

/// A connection takes of the heap what its row says.
pub(crate) fn connections_have_their_row(server: &Running) {
    let before = settled().live;
    let clients: Vec<_> = (0..CONNECTIONS_DEFAULT)
        .map(|_| {
            let mut client = server.connect();
            assert_eq!(client.ask(&crate::wire::echo("hello")).status, 200);
            client
        })
        .collect();
    let taken = (settled().live - before).cast_unsigned();
    let sum = row(&server.budget, "sockets, in async-io");
    println!("# {CONNECTIONS_DEFAULT} connections: {taken} bytes, of {sum} in the budget");
    assert!(taken <= sum && taken >= sum / 2, "{taken} bytes, of {sum} in the budget");
    drop(clients);
}

fn row(budget: &MemoryBudget, name: &str) -> u64 {
    budget.rows().iter().find(|row| row.name() == name).expect("a row of this name").total()
}
