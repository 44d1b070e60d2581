//! Connections: who gets a place, and who loses it.

use smol_mcp::testing::TestConnection;
use smol_mcp::{Config, LogLevel, Message};

use crate::{House, call, wire};

// Three connections, and buffers for more.
fn small() -> Config {
    Config::new().connections(3).calls(8)
}

#[test]
fn a_full_house() {
    let mut house = House::new(small());
    let _busy: Vec<_> = (0..3).map(|_| house.send(&call("wait"))).collect();
    house.mark();
    assert_eq!(house.status(&wire::echo("x")), 503);
    house.must_have("connections.accepted+1 refused.house+1");
    // Those that say nothing wait, as long as there are slots beside those that are served; then the first is told.
    house.mark();
    let waiting: Vec<_> = (0..5).map(|_| house.send("")).collect();
    house.must_have("connections.accepted+5 refused.house+1");
    assert_eq!(crate::status(&house.text(&waiting[0])), 503);
    assert!(waiting[1..].iter().all(|waits| house.text(waits).is_empty()));
    drop(waiting);
    house.server.run();
    let stats = house.server.stats().unwrap().connections;
    assert_eq!((stats.now, stats.most, stats.capacity), (3, 7, 7));
}

#[test]
fn an_address_has_its_share() {
    let mut house = House::new(Config::new().connections(8).connections_per_address(2).calls(8));
    let _busy: Vec<_> = (0..2).map(|_| house.send_from("192.0.2.7", &call("wait"))).collect();
    house.mark();
    let third = house.send_from("192.0.2.7", "");
    assert_eq!(crate::status(&house.text(&third)), 503);
    house.must_have("connections.accepted+1 refused.share+1");
    house.mark();
    let _other = house.send_from("192.0.2.8", "");
    house.must_have("connections.accepted+1");
}

#[test]
fn who_makes_room() {
    let mut house = House::new(small());
    let idle: Vec<_> = (0..3).map(|_| house.send(&wire::echo("x"))).collect();
    house.mark();
    let newcomer = house.send("");
    house.must_have("connections.accepted+1 connections.reclaimed_idle+1");
    // Two are idle still.
    let _busy: Vec<_> = (0..2).map(|_| house.send(&call("wait"))).collect();
    house.server.advance(1_500);
    house.mark();
    let _next = house.send("");
    house.must_have("connections.accepted+1 connections.reclaimed_slow+1");
    assert!(newcomer.is_closed() && idle.iter().all(TestConnection::is_closed));
}

#[test]
fn deadlines() {
    let mut house = House::new(Config::new().idle_timeout_ms(5_000));
    let _silent = house.send("");
    house.server.advance(10_500);
    house.must_have("connections.accepted+1 deadlines.silent+1");
    house.mark();
    let _idle = house.send(&wire::echo("x"));
    house.server.advance(5_500);
    house.must_have(
        "connections.accepted+1 requests.received+1 requests.served+1 calls.started+1 calls.finished+1 deadlines.idle+1",
    );
}

#[test]
fn what_finds_the_queue_full() {
    let mut house = House::new(Config::new());
    // Nothing runs meanwhile.
    let handle = house.server.handle().clone();
    let message = || Message::text(LogLevel::Info, None, "x");
    let sent = (0..70).filter(|_| handle.broadcast(message()).is_ok()).count();
    handle.connect(Box::new(smol::io::Cursor::new(Vec::new())), None, None);
    handle.connect(Box::new(smol::io::Cursor::new(Vec::new())), None, None);
    assert_eq!(sent, smol_mcp::limits::COMMANDS_MAX);
    house.must_have("events.appended+64 events.not_taken+6 connections.not_taken+2");
}
