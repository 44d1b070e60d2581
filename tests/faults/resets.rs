//! Connections that end at every byte of what they send and of what they get, by FIN and by RST, in every kind of exchange.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustix::process::Signal;
use serde_json::json;

use crate::beside::Beside;
use crate::child::Child;
use crate::support::client::Client;
use crate::support::{PATIENCE, wire};

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("it listens");
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

// Closed by RST; also what closed otherwise leaves no port behind.
fn reset(socket: TcpStream) {
    set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
    drop(socket);
}

/// The requests of each kind of exchange, with what their answers begin with.
fn exchanges(child: &Child) -> Vec<(&'static str, String)> {
    let session = child.session("2025-11-25");
    let steps = json!({"name": "steps", "arguments": {}, "_meta": {"progressToken": "p"}});
    vec![
        ("JSON", wire::modern_call("1", "echo", &json!({"text": "right"}))),
        ("SSE", session.post(&wire::request(1, "tools/call", &steps))),
        ("chunked", session.post(&wire::call(1, "much", &json!({})))),
        ("GET", session.get()),
        ("listen", wire::listen("a", "l")),
        ("2024-11-05", wire::get_http_sse()),
    ]
}

// Everywhere in what is short; in what is long here and there.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..=length).filter(move |at| *at < 600 || length - at < 20 || at % 4093 == 0)
}

#[test]
fn at_every_byte_of_a_request() {
    let mut child = Child::start("connections=16 streams=4");
    let before = child.own_files();
    let beside = Beside::start(child.address);
    for (kind, request) in exchanges(&child) {
        for at in 0..=request.len() {
            let (sent, _) = request.as_bytes().split_at(at);
            let mut reset_at = connect(child.address);
            reset_at.write_all(sent).unwrap();
            reset(reset_at);
            // One that says that it ends is answered, or closed; nobody waits.
            let mut ended_at = connect(child.address);
            ended_at.write_all(sent).unwrap();
            ended_at.shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            let read = ended_at.read_to_end(&mut answer);
            assert!(read.is_ok(), "{kind}, FIN at {at}: {read:?} behind {} bytes", answer.len());
            let whole = at == request.len();
            assert!(!whole || answer.starts_with(b"HTTP/1.1 200 "), "{kind}: {}", String::from_utf8_lossy(&answer));
            reset(ended_at);
        }
    }
    let ear = beside.end();
    child.until_files(before + 1);
    has_all_places(&child);
    drop(ear);
    child.until_files(before);
    child.must_end(&[Signal::TERM]);
}

#[test]
fn at_every_byte_of_an_answer() {
    let mut child = Child::start("connections=16 streams=4");
    let before = child.own_files();
    let beside = Beside::start(child.address);
    for (kind, request) in exchanges(&child) {
        let length = length_of_answer(child.address, &request);
        assert!(length > 100, "{kind}: {length}");
        for at in cuts(length) {
            for half in [false, true] {
                let mut socket = connect(child.address);
                socket.write_all(request.as_bytes()).unwrap();
                if half && kind != "GET" && kind != "listen" && kind != "2024-11-05" {
                    // Half-closed, it is answered all the same; then it goes for good.
                    socket.shutdown(Shutdown::Write).unwrap();
                }
                let mut got = vec![0; at];
                let read = socket.read_exact(&mut got);
                // Its length is not always quite the same.
                assert!(read.is_ok() || length - at < 20, "{kind}, at {at} of {length}, half {half}: {read:?}");
                if half { drop(socket) } else { reset(socket) }
            }
        }
    }
    let ear = beside.end();
    child.until_files(before + 1);
    has_all_places(&child);
    drop(ear);
    child.until_files(before);
    child.must_end(&[Signal::TERM]);
}

// What comes at once.
fn length_of_answer(address: SocketAddr, request: &str) -> usize {
    let mut socket = connect(address);
    socket.write_all(request.as_bytes()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut answer = Vec::new();
    // A stream goes on: it ends by the time.
    let _ = socket.read_to_end(&mut answer);
    reset(socket);
    answer.len()
}

// Connections and streams to the last one are free. (The listener has a connection and a stream, and so has nobody else.)
fn has_all_places(child: &Child) {
    let mut streams: Vec<Client> = (0..3).map(|_| child.connect()).collect();
    for stream in &mut streams {
        stream.open_http_sse();
    }
    let mut idle: Vec<Client> = (0..12).map(|_| child.connect()).collect();
    for client in &mut idle {
        assert_eq!(client.ask(&wire::echo("there is room")).text(), "there is room");
    }
    child.connect().ask(&wire::get_http_sse()).must_be_full();
}

#[test]
fn half_closed_calls_are_answered_or_cancelled_by_their_era() {
    let mut child = Child::start("calls=2 tool_timeout_ms=1500");
    let session = child.session("2025-11-25");
    let never = json!({"way": "never"});
    // 2026-07-28: it is cancelled, and closed without an answer.
    let mut modern = child.connect();
    modern.send(&wire::modern_call("1", "fault", &never));
    modern.half_close();
    assert!(modern.ends_cleanly());
    // Older: it goes on, and is answered when its time is over.
    let mut old = child.connect();
    old.send(&session.post(&wire::call(1, "fault", &never)));
    old.half_close();
    assert!(old.answer().text().contains("too long"));
    assert!(old.ends_cleanly());
    child.must_serve();
    child.must_end(&[Signal::TERM]);
}
