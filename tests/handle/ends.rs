//! The end of a server: asked for in any state, it comes within two seconds.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use smol_mcp::{Config, block_on};

use crate::support::client::{Answer, Client, Next};
use crate::support::server::{Running, server};
use crate::support::{PATIENCE, until, wire};
use crate::{message, three};

// What systemd and users are promised; a machine that runs many tests at once may be late by a little.
const PROMISED: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_secs(1);

fn shut_down(server: &Running) {
    let begun = Instant::now();
    server.handle.shutdown();
    server.wait();
    assert!(begun.elapsed() < PROMISED + LATE, "it took {:?}", begun.elapsed());
    // Its port is free at once, whatever state its connections are in.
    drop(TcpListener::bind(server.address).expect("the port can be had again"));
}

fn says_that_it_ends(server: &Running) -> Answer {
    until("it is said that the server shuts down", || {
        let answer = server.connect().ask(&wire::bare("GET", "/healthz", &[]));
        (answer.status == 503).then_some(answer)
    })
}

#[test]
fn with_idle_connections() {
    let server = Running::start(Config::new());
    let mut idle: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    idle.iter_mut().take(2).for_each(|client| assert_eq!(client.ask(&wire::echo("hello")).status, 200));
    shut_down(&server);
    for client in &mut idle {
        assert!(client.ends_cleanly());
    }
    // A handle that outlives its server says so, and nothing blocks.
    assert_eq!(block_on(server.handle.clients(8)).unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(server.handle.broadcast(message("x")).unwrap_err().kind(), ErrorKind::NotConnected);
    server.handle.tools_changed();
    server.handle.shutdown();
}

#[test]
fn with_open_streams() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    shut_down(&server);
    assert_eq!(three.old.next(), Next::End);
    assert_eq!(three.get.next(), Next::End);
    let result = three.listener.message();
    assert_eq!((&result["id"], &result["result"]["resultType"]), (&json!("l-1"), &json!("complete")), "{result}");
    assert_eq!(three.listener.next(), Next::End);
    for stream in [&mut three.old, &mut three.get, &mut three.listener] {
        assert!(stream.ends_cleanly());
    }
}

#[test]
fn with_a_stream_that_is_not_read() {
    let server = Running::start(Config::new());
    let mut stalled = server.connect();
    stalled.open_http_sse();
    let mut reader = server.connect();
    reader.open_http_sse();
    for _ in 0..200 {
        server.handle.broadcast(message(&"x".repeat(4_000))).unwrap();
        reader.message();
    }
    shut_down(&server);
    assert_eq!(reader.next(), Next::End);
}

#[test]
fn with_a_call_that_never_ends() {
    let server = Running::start(Config::new());
    let mut calls = server.busy(3);
    let session = server.connect().initialize("2025-06-18", "old");
    let mut old = server.connect();
    old.send(&session.post(&wire::call(1, "wait", &json!({}))));
    drop(server.seen.until("four run", |state| state.running == 4));
    shut_down(&server);
    // Their handlers are dropped, and their clients see the end.
    let seen = server.seen.until("all are dropped", |state| state.running == 0);
    assert_eq!((seen.done, seen.dropped), (0, 4));
    drop(seen);
    calls.push(old);
    for client in &mut calls {
        client.ends();
    }
}

#[test]
fn with_halves_of_requests() {
    let server = Running::start(Config::new());
    let whole = wire::echo("never said whole");
    let mut halves: Vec<Client> = [3, 60, whole.len() - 5]
        .map(|length| {
            let mut client = server.connect();
            client.send(&whole[..length]);
            client
        })
        .into();
    server.must_serve();
    shut_down(&server);
    for client in &mut halves {
        client.ends();
    }
}

#[test]
fn calls_that_run_have_a_moment_and_nothing_new_is_taken() {
    let server = Running::start(Config::new());
    let session = server.connect().initialize("2025-11-25", "old");
    let mut running = server.busy(2);
    let mut kept = server.connect();
    assert_eq!(kept.ask(&wire::bare("GET", "/healthz", &[])).body, "ok\n");
    server.handle.shutdown();
    // What watches the server's health learns of it at once; what is new is refused, and its connection closed.
    let answer = says_that_it_ends(&server);
    assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    for request in [wire::echo("late"), session.get(), wire::listen("late", "l"), wire::get_http_sse()] {
        let mut client = server.connect();
        let answer = client.ask(&request);
        answer.must_be_full();
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
        assert!(client.ends_cleanly());
    }
    server.let_go(2);
    for client in &mut running {
        let answer = client.answer();
        assert_eq!(answer.text(), "let go");
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    }
    server.wait();
    assert!(kept.ends_cleanly());
}

#[test]
fn who_connected_before_the_end_is_told_of_it() {
    let server = Running::start(Config::new());
    let mut holds = server.connect();
    holds.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the thread is held", |state| state.running == 1));
    // They wait to be accepted, in twos: one asks, the other says nothing.
    let mut waiting: Vec<(Client, Client)> = (0..20).map(|_| (server.connect(), server.connect())).collect();
    for (asks, _) in &mut waiting {
        asks.send(&wire::echo("in time"));
    }
    server.handle.shutdown();
    server.let_go(1);
    server.wait();
    assert_eq!(holds.answer().text(), "let go");
    for (asks, silent) in &mut waiting {
        asks.answer().must_be_full();
        assert!(asks.ends_cleanly() && silent.ends_cleanly());
    }
}

#[test]
fn who_asked_on_a_kept_connection_before_the_end_is_told_of_it() {
    let server = Running::start(Config::new());
    let (mut asks, mut silent, mut holds) = (server.connect(), server.connect(), server.connect());
    for kept in [&mut asks, &mut silent] {
        assert_eq!(kept.ask(&wire::bare("GET", "/healthz", &[])).body, "ok\n");
    }
    holds.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the thread is held", |state| state.running == 1));
    asks.send(&wire::echo("in time"));
    server.handle.shutdown();
    server.let_go(1);
    server.wait();
    assert_eq!(holds.answer().text(), "let go");
    asks.answer().must_be_full();
    assert!(asks.ends_cleanly() && silent.ends_cleanly());
}

#[test]
fn an_answer_of_2024_ends_before_its_stream() {
    let server = Running::start(Config::new());
    let mut stream = server.connect();
    let path = stream.open_http_sse();
    assert_eq!(server.connect().ask(&wire::post_to(&path, &[], &wire::call(5, "wait", &json!({})))).status, 202);
    drop(server.seen.until("it runs", |state| state.running == 1));
    server.handle.shutdown();
    drop(says_that_it_ends(&server));
    server.let_go(1);
    let message = stream.message();
    assert_eq!((&message["id"], &message["result"]["content"][0]["text"]), (&json!(5), &json!("let go")));
    assert_eq!(stream.next(), Next::End);
    server.wait();
}

#[test]
fn asked_for_before_the_start_it_comes_at_the_start() {
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let server = server().0;
        server.handle().shutdown();
        let _ = end.send(block_on(server.serve(Config::new().listen(SocketAddr::from(([127, 0, 0, 1], 0))))));
    });
    ended.recv_timeout(PATIENCE).expect("it ends").expect("without an error");
}

#[test]
fn a_future_that_is_dropped_closes_everything() {
    let (told, address) = mpsc::channel();
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    let thread = thread::spawn(move || {
        let (server, seen, gate) = server();
        let bound = server.bind(Config::new().listen(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
        told.send((bound.local_addr().unwrap(), bound.handle(), seen, gate)).unwrap();
        let told = async {
            let _ = stopped.recv().await;
            Ok(())
        };
        block_on(smol::future::or(bound.run(), told)).unwrap();
    });
    let (address, handle, seen, _gate) = address.recv_timeout(PATIENCE).unwrap();
    let mut idle = Client::connect(address);
    assert_eq!(idle.ask(&wire::echo("hello")).status, 200);
    let mut stream = Client::connect(address);
    stream.open_http_sse();
    let mut call = Client::connect(address);
    call.send(&wire::modern_call("w", "wait", &json!({})));
    let mut half = Client::connect(address);
    half.send("POST /mcp HT");
    drop(seen.until("it runs", |state| state.running == 1));
    stop.try_send(()).unwrap();
    thread.join().unwrap();
    for client in &mut [idle, stream, call, half] {
        client.ends();
    }
    drop(seen.until("the call is dropped", |state| state.dropped == 1));
    drop(TcpListener::bind(address).expect("the port can be had again"));
    assert_eq!(block_on(handle.clients(8)).unwrap_err().kind(), ErrorKind::NotConnected);
}

#[test]
fn who_asks_a_server_that_never_ran_is_told() {
    let (server, ..) = server();
    let handle = server.handle();
    let (end, ended) = mpsc::channel();
    let asking = handle.clone();
    thread::spawn(move || end.send(block_on(asking.clients(8))));
    // Nobody tells that the question lies in the queue; early or late, the answer is the same.
    thread::sleep(Duration::from_millis(50));
    drop(server);
    let answer = ended.recv_timeout(PATIENCE).expect("an answer, and not silence for ever");
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotConnected);
}
