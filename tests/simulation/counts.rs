//! What the server counts must add up, whatever happened.

use smol_mcp::Stats;

/// What began has ended in one way, or goes on; and no more is there than can be.
pub(crate) fn must_add_up(stats: &Stats) {
    let calls = &stats.calls;
    let ended = calls.finished + calls.failed + calls.panicked + calls.timed_out + calls.cancelled + calls.abandoned;
    assert_eq!(calls.started, ended + calls.now, "{stats}");
    let streams = &stats.streams;
    assert_eq!(streams.opened, streams.closed + streams.now, "{stats}");
    assert!(streams.closed >= streams.lost + streams.reclaimed + streams.replaced, "{stats}");
    let sessions = &stats.sessions;
    let left = sessions.evicted + sessions.expired + sessions.ended;
    assert_eq!(sessions.opened + sessions.restored, left + sessions.now, "{stats}");
    for (now, most, capacity) in [
        (stats.connections.now, stats.connections.most, stats.connections.capacity),
        (stats.buffers.now, stats.buffers.most, stats.buffers.capacity),
        (stats.buffers.waiting, stats.buffers.waiting_most, stats.connections.capacity),
        (calls.now, calls.most, calls.capacity),
        (stats.inputs.now, stats.inputs.most, stats.inputs.capacity),
        (streams.now, streams.most, streams.capacity),
        (sessions.now, sessions.most, sessions.capacity),
    ] {
        assert!(now <= most && most <= capacity, "{now} {most} {capacity}\n{stats}");
    }
    let (requests, refused) = (&stats.requests, &stats.refused);
    let by_head = refused.host + refused.origin + refused.token + refused.path + refused.session + refused.message;
    let by_room = refused.calls + refused.sessions + refused.streams + refused.streams_share + refused.stopping;
    let at_least = requests.served + requests.broken + refused.slow_body + by_head + by_room;
    let by_rate = refused.address_rate + refused.principal_rate + refused.wrong_tokens + refused.tool_rate;
    let at_most = at_least + by_rate + refused.request + refused.wire + refused.body + stats.buffers.now;
    assert!(at_least <= requests.received && requests.received <= at_most, "{at_least} {at_most}\n{stats}");
}

/// Nobody is there any more.
pub(crate) fn must_be_at_rest(stats: &Stats) {
    let now = [stats.buffers.now, stats.buffers.waiting, stats.calls.now, stats.inputs.now, stats.streams.now];
    assert_eq!(now, [0; 5], "{stats}");
}
