//! Streams: calls still work while all are taken, and a reader that does not read harms nobody but itself.

use std::net::SocketAddr;

use serde_json::json;
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Config, LogLevel, Message};

use crate::support::client::{Client, Next, Session};
use crate::support::server::{Running, server};
use crate::support::{until, wire};

// Six connections of which four can be streams.
fn house() -> Running {
    Running::start(Config::new().connections(6).calls(4))
}

// Opens a session, and its stream on a connection of its own.
fn session_with_stream(house: &Running, name: &str) -> (Session, Client) {
    let session = house.connect().initialize("2025-11-25", name);
    let mut stream = house.connect();
    assert_eq!(stream.open(&session.get()).status, 200);
    (session, stream)
}

fn listener(house: &Running, id: &str) -> Client {
    let mut stream = house.connect();
    assert_eq!(stream.open(&wire::listen("listener", id)).status, 200);
    assert_eq!(stream.message()["method"], "notifications/subscriptions/acknowledged");
    stream
}

fn fill(house: &Running) -> Vec<Client> {
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = house.connect();
        stream.open_http_sse();
        streams.push(stream);
    }
    streams.push(session_with_stream(house, "a").1);
    streams.push(listener(house, "l"));
    streams
}

#[test]
fn calls_work_while_all_streams_are_taken() {
    let house = house();
    let mut streams = fill(&house);
    // One more of each kind is refused, and its connection can be used all the same.
    let mut client = house.connect();
    client.ask(&wire::get_http_sse()).must_be_full();
    let answer = client.ask(&wire::listen("late", "l-9"));
    answer.must_be_full();
    assert_eq!(answer.json()["id"], "l-9");
    let session = client.initialize("2025-06-18", "late");
    client.ask(&session.get()).must_be_full();
    drop(client);
    // The connections that streams can't have serve two calls at once.
    let mut busy = house.busy(2);
    house.let_go(2);
    for client in &mut busy {
        assert_eq!(client.answer().text(), "let go");
    }
    // A stream that ends makes room for the next.
    drop(streams.pop());
    let (_next, answer) = until("a stream's slot is free", || {
        let mut client = house.connect();
        let head = client.open(&wire::listen("next", "n"));
        (head.status == 200).then_some((client, head))
    });
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
}

#[test]
fn streams_are_fewer_than_connections() {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let refused = |config: Config| {
        let error = server().0.bind(config.listen(address)).map(|_| ()).expect_err("a refusal");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        error.to_string()
    };
    let text = refused(Config::new().connections(6).streams(5));
    assert!(text.contains("streams") && text.contains('4') && text.contains('5'), "{text}");
    let text = refused(Config::new().connections(2));
    assert!(text.contains("connections"), "{text}");
    assert!(server().0.bind(Config::new().connections(6).streams(4).listen(address)).is_ok());
}

#[test]
fn a_silent_http_sse_stream_makes_room_after_half_a_minute() {
    let config = Config::new().connections(8).streams(3);
    let mut house = TestServer::new(server().0, config).unwrap();
    let get = |house: &mut TestServer| {
        let stream = house.connect();
        house.send(&stream, wire::get_http_sse().as_bytes());
        let opened = text(house, &stream);
        (stream, opened)
    };
    let (spoken, opened) = get(&mut house);
    let (_, path) = opened.split_once("data: ").expect("an endpoint event");
    let path = path.lines().next().expect("a path").to_owned();
    house.advance(1_000);
    let (silent, _) = get(&mut house);
    house.advance(1_000);
    let (silent_too, _) = get(&mut house);
    // One of the three says something; not the one that is the oldest among the silent.
    let speaker = house.connect();
    house.send(&speaker, wire::post_to(&path, &[], &wire::initialize("2024-11-05", "speaker")).as_bytes());
    assert!(text(&mut house, &speaker).starts_with("HTTP/1.1 202 "));
    house.advance(25_000);
    let (_early, opened) = get(&mut house);
    assert!(opened.starts_with("HTTP/1.1 503 ") && opened.contains("\r\nRetry-After: "), "{opened}");
    house.advance(5_000);
    let (newcomer, opened) = get(&mut house);
    assert!(opened.starts_with("HTTP/1.1 200 "), "{opened}");
    assert!(silent.is_closed() && text(&mut house, &silent).ends_with("0\r\n\r\n"), "it ended as a stream ends");
    assert!(![&spoken, &silent_too, &newcomer].iter().any(|stream| stream.is_closed()), "the others are left alone");
    // Nobody but the silent ones is ever touched.
    house.advance(5_000);
    let (_next, opened) = get(&mut house);
    assert!(opened.starts_with("HTTP/1.1 200 ") && silent_too.is_closed(), "{opened}");
    let (_last, opened) = get(&mut house);
    assert!(opened.starts_with("HTTP/1.1 503 ") && !spoken.is_closed(), "{opened}");
}

fn text(house: &mut TestServer, connection: &TestConnection) -> String {
    String::from_utf8(house.receive(connection)).unwrap()
}

#[test]
fn who_stops_reading_is_removed_once_and_others_get_everything() {
    let house = house();
    let mut stalled = house.connect();
    let path = stalled.open_http_sse();
    let mut client = house.connect();
    assert_eq!(client.ask(&wire::post_to(&path, &[], &wire::initialize("2024-11-05", "stalled"))).status, 202);
    let (_session, reader) = session_with_stream(&house, "reader");
    let mut other = house.connect();
    other.open_http_sse();
    let mut readers = [reader, other];
    let padding = "x".repeat(4_000);
    let number = house.seen.until("it came", |state| !state.came.is_empty()).came[0].0;
    for n in 0..1_000 {
        house.handle.broadcast(Message::text(LogLevel::Info, None, &format!("{n} {padding}"))).unwrap();
        // Those that read set the pace: no message is missing, and none comes twice.
        for reader in &mut readers {
            let message = reader.message();
            let data = message["params"]["data"].as_str().expect("a text");
            assert_eq!(data.split_once(' ').expect("a number").0, n.to_string());
        }
        if house.seen.until("the state", |_| true).went.contains(&number) {
            break;
        }
    }
    house.must_serve();
    let gone: Vec<u64> = house.seen.until("the state", |_| true).went.clone();
    assert_eq!(gone, [number], "it went, once, and nobody else");
    assert!(!house.clients().iter().any(|client| client.id == number));
    // What it would read now is all that was on its way, and then the end.
    while let Next::Event(..) = stalled.next() {}
}

#[test]
fn readers_that_reset_leave_their_slots() {
    let house = house();
    for _ in 0..3 {
        let streams = until("four streams are open", || {
            let open = |client: &mut Client| client.open(&wire::get_http_sse()).status == 200;
            let mut clients: Vec<Client> = (0..4).map(|_| house.connect()).collect();
            clients.iter_mut().all(open).then_some(clients)
        });
        streams.into_iter().for_each(Client::reset);
    }
    until("nobody is listed", || house.clients().is_empty().then_some(()));
    house.must_serve();
}

#[test]
fn a_half_closed_stream_ends() {
    let house = house();
    let mut streams = fill(&house);
    for stream in &mut streams {
        stream.half_close();
        assert!(stream.ends_cleanly());
    }
    // Only the session is left, as it had no DELETE.
    until("nobody listens", || (house.clients().iter().filter(|client| client.listens).count() == 0).then_some(()));
    assert_eq!(house.clients().len(), 1);
    drop(fill(&house));
}

#[test]
fn half_closed_requests_are_answered() {
    let house = house();
    let mut client = house.connect();
    client.send(&wire::echo("and that was all"));
    client.half_close();
    assert_eq!(client.answer().text(), "and that was all");
    assert!(client.ends_cleanly());
    // A call that still runs: an older revision waits for its answer, 2026-07-28 cancels by closing.
    let session = house.connect().initialize("2025-06-18", "old");
    let mut old = house.connect();
    old.send(&session.post(&wire::call(1, "wait", &json!({}))));
    old.half_close();
    drop(house.seen.until("it runs", |state| state.running == 1));
    let mut modern = house.connect();
    modern.send(&wire::modern_call("m", "wait", &json!({})));
    modern.half_close();
    drop(house.seen.until("it was cancelled", |state| state.dropped == 1));
    assert!(modern.ends_cleanly());
    house.let_go(1);
    assert_eq!(old.answer().text(), "let go");
}
