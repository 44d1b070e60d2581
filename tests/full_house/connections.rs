//! Connections: who gets a slot when all are taken.

use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{SendFlags, send};
use smol_mcp::Config;
use smol_mcp::testing::{TestConnection, TestServer};

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::server::{Running, server};
use crate::support::wire;

// Longer than the resolution of the server's clock: who came later is known to have come later.
const A_MOMENT: Duration = Duration::from_millis(5);
const HALF_A_HEAD: &str = "POST /mcp HTTP/1.1\r\nHost: local";

// Buffers are not what is scarce here.
fn house(connections: usize) -> Running {
    Running::start(Config::new().connections(connections).calls(connections + 4))
}

#[test]
fn a_newcomer_reads_that_the_house_is_full() {
    let house = house(4);
    let mut busy = house.busy(4);
    // A body of which the server reads nothing, and which may not turn its answer into a reset.
    let mut newcomer = house.connect();
    newcomer.send(&wire::echo(&"x".repeat(50_000)));
    let answer = newcomer.answer();
    answer.must_be_full();
    assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    assert!(newcomer.ends_cleanly());
    // Whoever has its answer is idle, and makes room.
    house.let_go(1);
    let (_served, answer) = house.until_served(&wire::echo("hello"));
    assert_eq!(answer.status, 200, "{answer:?}");
    house.let_go(3);
    for client in &mut busy {
        assert_eq!(client.answer().text(), "let go");
    }
}

#[test]
fn every_newcomer_of_a_crowd_is_told() {
    let house = house(4);
    let _busy = house.busy(4);
    // More than there are places for refusals, and all keep their connections open.
    let mut crowd: Vec<Client> = Vec::new();
    for _ in 0..8 {
        let mut newcomer = house.connect();
        newcomer.send(&wire::echo("me too"));
        newcomer.answer().must_be_full();
        crowd.push(newcomer);
    }
    for newcomer in &mut crowd {
        newcomer.ends();
    }
    assert_eq!(house.seen.until("the state", |_| true).running, 4);
}

#[test]
fn the_longest_idle_connection_makes_room() {
    let house = house(4);
    let mut idle: Vec<Client> = (0..4).map(|_| house.connect()).collect();
    // In another order than that of their slots.
    for at in [2, 0, 3, 1] {
        assert_eq!(idle[at].ask(&wire::echo("hello")).status, 200);
        sleep(A_MOMENT);
    }
    let mut newcomer = house.connect();
    assert_eq!(newcomer.ask(&wire::echo("hello")).status, 200);
    assert!(idle[2].ends_cleanly(), "it had been idle longest");
    for at in [0, 3, 1] {
        assert_eq!(idle[at].ask(&wire::echo("still here")).status, 200, "connection {at}");
    }
    assert_eq!(newcomer.ask(&wire::echo("still here")).status, 200);
}

#[test]
fn one_that_has_gone_takes_nobodys_place() {
    let house = house(4);
    let mut idle: Vec<Client> = (0..4).map(|_| house.connect()).collect();
    for client in &mut idle {
        assert_eq!(client.ask(&wire::echo("hello")).status, 200);
    }
    let mut blocking = idle.pop().unwrap();
    blocking.send(&wire::modern_call("b", "block", &serde_json::json!({})));
    drop(house.seen.until("the thread is held", |state| state.running == 1));
    // They come and go while nobody looks, by FIN and by RST.
    for at in 0..6 {
        let gone = TcpStream::connect(house.address).unwrap();
        if at % 2 == 0 {
            set_socket_linger(&gone, Some(Duration::ZERO)).unwrap();
        }
    }
    house.let_go(1);
    assert_eq!(blocking.answer().text(), "let go");
    for client in &mut idle {
        assert_eq!(client.ask(&wire::echo("still here")).status, 200);
    }
}

#[test]
fn urgent_bytes_are_no_request() {
    let house = house(8);
    let mut urgent: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(house.address).unwrap()).collect();
    let begun = Instant::now();
    // Who says nothing is closed after ten seconds, whatever is sent that nobody reads.
    while !urgent.is_empty() {
        assert!(begun.elapsed() < 2 * PATIENCE, "{} are open still", urgent.len());
        sleep(Duration::from_millis(250));
        urgent.retain(|client| send(client, b"!", SendFlags::OOB | SendFlags::NOSIGNAL).is_ok());
    }
    house.must_serve();
}

#[test]
fn a_busy_connection_is_not_idle() {
    let house = house(4);
    let mut busy = house.busy(3);
    let mut idle = house.connect();
    assert_eq!(idle.ask(&wire::echo("hello")).status, 200);
    let mut newcomer = house.connect();
    assert_eq!(newcomer.ask(&wire::echo("hello")).status, 200);
    assert!(idle.ends_cleanly());
    house.let_go(3);
    for client in &mut busy {
        assert_eq!(client.answer().text(), "let go");
    }
}

#[test]
fn silence_makes_room_for_a_request() {
    oldest_makes_room("");
}

#[test]
fn half_a_head_makes_room_for_a_whole_one() {
    oldest_makes_room(HALF_A_HEAD);
}

fn oldest_makes_room(sent: &str) {
    let house = house(4);
    let mut quiet: Vec<Client> = Vec::new();
    for _ in 0..4 {
        let mut client = house.connect();
        client.send(sent);
        quiet.push(client);
        sleep(A_MOMENT);
    }
    let mut newcomer = house.connect();
    assert_eq!(newcomer.ask(&wire::echo("hello")).status, 200);
    quiet[0].ends();
    let whole = wire::echo("at last");
    // The oldest had to go, and nobody else.
    for client in &mut quiet[1..] {
        let rest = whole.strip_prefix(sent).expect("the beginning of a request");
        assert_eq!(client.ask(rest).text(), "at last");
    }
    assert_eq!(newcomer.ask(&wire::echo("still here")).status, 200);
}

#[test]
fn half_a_second_head_makes_room_too() {
    let mut house = TestServer::new(server().0, Config::new().connections(4).calls(8)).unwrap();
    let begun = wire::echo("the first") + HALF_A_HEAD;
    let clients: Vec<TestConnection> = (0..4).map(|_| house.connect()).collect();
    for client in &clients {
        house.send(client, begun.as_bytes());
        assert!(house.receive(client).starts_with(b"HTTP/1.1 200 "));
    }
    house.advance(2_000);
    let newcomer = house.connect();
    house.send(&newcomer, wire::echo("hello").as_bytes());
    let answer = String::from_utf8(house.receive(&newcomer)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    assert!(clients[0].is_closed());
}

#[test]
fn a_connection_that_made_room_gives_its_buffer_back() {
    // Three halves of a head hold all three buffers; the third gets the reserve, which is late.
    let mut house = TestServer::new(server().0, Config::new().connections(3).calls(2)).unwrap();
    let halves: Vec<TestConnection> = (0..3).map(|_| house.connect()).collect();
    for half in &halves {
        house.send(half, HALF_A_HEAD.as_bytes());
    }
    house.advance(2_500);
    let newcomer = house.connect();
    assert!(halves[0].is_closed(), "it was the oldest");
    house.send(&newcomer, wire::echo("hello").as_bytes());
    house.advance(1_000);
    let answer = String::from_utf8(house.receive(&newcomer)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "it has a slot, but no buffer: {answer:?}");
}

#[test]
fn half_heads_do_not_hold_all_buffers() {
    // There is room for connections, but three that never finish a head hold all request buffers.
    let house = Running::start(Config::new().connections(32).calls(2));
    let mut halves: Vec<Client> = (0..3).map(|_| house.connect()).collect();
    for client in &mut halves {
        client.send(HALF_A_HEAD);
    }
    house.must_serve();
}
