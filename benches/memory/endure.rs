//! After all pools were filled once, nothing grows: not by calls, not by sessions that are left, not by whoever means harm, and not by readers
//! that stop.

use std::time::Instant;

use crate::load::{self, Client, Wire};
use crate::process::Process;
use crate::promise::Promises;
use crate::{WIRES, hostile, leave, open, row};

/// Connections of the server in the measurements of load: more than the clients here use at once.
const CONNECTIONS: usize = 64;
/// Streams of it.
const STREAMS: usize = 48;
/// Sessions of it: a session is kept for a second at least, so this many can be left behind in one.
const SESSIONS: usize = 2_048;
/// Clients at once where many come one after the other.
const AT_ONCE: usize = 16;
/// What private memory may differ by from where it was, in kB.
const GROWTH_KB_MAX: i64 = 64;
/// Threads at any load.
const THREADS: i64 = 2;
/// Milliseconds for a call among readers that stopped, at most.
const CALL_MS_MAX: i64 = 1_000;

/// Events for readers that stopped: more than the kernel takes for one.
const EVENTS: usize = 2_000;
/// More events than the ring holds.
const EVENTS_OF_A_RING: usize = 10_000;

/// A million calls, and so on, less by `part`.
pub(crate) fn endurance(promises: &mut Promises, part: usize) {
    let capacities = [("--connections", CONNECTIONS), ("--streams", STREAMS), ("--sessions", SESSIONS)];
    let flags: Vec<String> = capacities.iter().flat_map(|(flag, n)| [(*flag).to_owned(), n.to_string()]).collect();
    let server = Process::start(&flags);
    let files = server.files();
    fill(&server);
    let warm = server.settled();
    row("every pool filled once: private and dirty", &format!("{} kB, {files} files", warm.private_dirty_kb));
    for (name, count, run) in [
        ("calls", 1_000_000 / part, load::calls as fn(_, _, _)),
        ("abandoned sessions", 100_000 / part, load::sessions),
        ("hostile connections", 10_000 / part.min(10), hostile::run),
    ] {
        run(server.address, AT_ONCE, count);
        server.settle_files(files);
        let (after, now, threads) = (server.settled(), server.files(), server.threads());
        let grown = after.private_dirty_kb.cast_signed() - warm.private_dirty_kb.cast_signed();
        let what = format!("after {count} {name}");
        row(&what, &format!("{grown:+} kB, {now} files, {threads} threads"));
        promises.at_most(&format!("{what}, private and dirty, against warm"), grown.abs(), GROWTH_KB_MAX, "kB");
        promises.at_most(&format!("{what}, open files"), now.try_into().unwrap(), files.try_into().unwrap(), "");
        promises.at_most(&format!("{what}, threads"), threads.try_into().unwrap(), THREADS, "");
    }
}

// All connections, all streams of each kind, all sessions and all buffers were in use once, and who means harm was there.
fn fill(server: &Process) {
    for (_, wire) in WIRES {
        let count = if wire == Wire::Idle { CONNECTIONS - 1 } else { STREAMS };
        leave(open(server, wire, count));
    }
    load::sessions(server.address, AT_ONCE, SESSIONS + SESSIONS / 4);
    hostile::run(server.address, AT_ONCE, 1_000);
    load::calls(server.address, CONNECTIONS - 4, 5_000);
}

/// Readers that stop, each with a stream of more events than the kernel takes for it.
pub(crate) fn stalled(promises: &mut Promises, count: usize) {
    let server = Process::start(&crate::room_for(count));
    let files = server.files();
    // Their slots are used already: what is measured is what their silence costs.
    leave(open(&server, Wire::Get, count));
    let clients = open(&server, Wire::Get, count);
    clients.iter().for_each(Client::stop_reading);
    let (before, open_before) = (server.settled(), server.files());
    load::shout(server.address, EVENTS);
    let mut client = Client::connect(server.address);
    let began = Instant::now();
    assert_eq!(client.call(), 200, "a call among readers that stopped");
    let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap();
    drop(client);
    let after = server.settled();
    let grown = after.private_dirty_kb.cast_signed() - before.private_dirty_kb.cast_signed();
    let each = grown * 1024 / i64::try_from(count).unwrap();
    let what = format!("each of {count} stalled readers");
    row(&format!("{what}, after {EVENTS} events"), &format!("{each} B more; a call took {took_ms} ms"));
    // The ring passes them by.
    load::shout(server.address, EVENTS_OF_A_RING);
    let lost = open_before.saturating_sub(server.files());
    row(&format!("{what}, after {EVENTS_OF_A_RING} more"), &format!("{lost} of them were let go"));
    promises.at_most(
        &format!("{count} stalled readers, private and dirty, against before"),
        grown,
        GROWTH_KB_MAX,
        "kB",
    );
    promises.at_most("a call among stalled readers", took_ms, CALL_MS_MAX, "ms");
    drop(clients);
    server.settle_files(files);
    promises.at_most(
        "open files when they have gone",
        server.files().try_into().unwrap(),
        files.try_into().unwrap(),
        "",
    );
}
