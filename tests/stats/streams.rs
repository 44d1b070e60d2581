//! Streams: who listens, and who is made to stop.

use smol_mcp::{Config, LogLevel, Message};

use crate::{House, status, wire};

const OPENED: &str = "connections.accepted+1 requests.received+1 requests.served+1 streams.opened+1";

#[test]
fn a_stream_opens_and_ends() {
    let mut house = House::new(Config::new());
    let session = house.session("2025-06-18");
    house.mark();
    let stream = house.stream("127.0.0.1", &session);
    house.must_have(OPENED);
    house.mark();
    let newer = house.stream("127.0.0.1", &session);
    house.must_have(&format!("{OPENED} streams.closed+1 streams.replaced+1"));
    assert!(stream.is_closed());
    house.mark();
    drop(newer);
    house.server.run();
    house.must_have("streams.closed+1");
    let stats = house.server.stats().unwrap().streams;
    assert_eq!((stats.now, stats.most, stats.capacity), (0, 1, 32));
}

#[test]
fn all_streams_are_taken() {
    let mut house = House::new(Config::new().streams(2));
    let listen = |house: &mut House| house.send(&wire::listen("a", "l"));
    let _streams = [listen(&mut house), listen(&mut house)];
    house.mark();
    let late = listen(&mut house);
    assert_eq!(status(&house.text(&late)), 503);
    house.must_have("connections.accepted+1 requests.received+1 refused.streams+1");
}

#[test]
fn a_silent_stream_makes_room() {
    let mut house = House::new(Config::new().streams(1));
    let silent = house.send(&wire::get_http_sse());
    house.must_have(&format!("{OPENED} sessions.opened+1"));
    house.server.advance(31_000);
    house.mark();
    let _next = house.send(&wire::listen("a", "l"));
    house.must_have(&format!("{OPENED} streams.closed+1 streams.reclaimed+1 sessions.ended+1"));
    assert!(silent.is_closed());
}

#[test]
fn who_reads_too_slowly_and_who_reads_nothing() {
    let mut house = House::new(Config::new());
    let open = |house: &mut House| {
        let session = house.session("2025-06-18");
        let stream = house.stream("127.0.0.1", &session);
        stream.set_room(1_000);
        stream
    };
    let slow = open(&mut house);
    house.mark();
    for _ in 0..20 {
        let text = "x".repeat(4_000);
        house.server.handle().broadcast(Message::text(LogLevel::Info, None, &text)).unwrap();
        house.server.run();
    }
    // It reads again, and finds that what it is to get is no more.
    slow.set_room(usize::MAX);
    house.server.run();
    assert!(slow.is_closed());
    house.must_have("events.appended+20 streams.closed+1 streams.lost+1");
    let stalled = open(&mut house);
    house.mark();
    let text = "x".repeat(4_000);
    house.server.handle().broadcast(Message::text(LogLevel::Info, None, &text)).unwrap();
    house.server.advance(12_000);
    assert!(stalled.is_closed());
    house.must_have("events.appended+1 streams.closed+1 deadlines.stream+1");
}
