//! Storms: many that come and go at once, and some that take their time on purpose.

use smol_mcp::Config;
use smol_mcp::testing::TestServer;

use crate::support::server::{Running, server};
use crate::support::{until, wire};

#[test]
fn a_hundred_connects_and_resets() {
    let house = Running::start(Config::new().connections(8));
    let echo = wire::echo("nobody reads this");
    for sent in ["", "P", &echo[..echo.len() / 2], &echo] {
        for _ in 0..100 {
            let mut client = house.connect();
            // It may have been turned away already.
            let _ = client.try_send(sent);
            client.reset();
        }
        let (_, answer) = house.until_served(&wire::echo("hello"));
        assert_eq!(answer.text(), "hello");
    }
    assert!(house.clients().is_empty());
}

#[test]
fn listeners_that_vanish_leave_nothing() {
    let house = Running::start(Config::new().connections(8));
    for n in 0..40 {
        let mut client = house.connect();
        let head = client.open(&wire::listen("ghost", &format!("l-{n}")));
        assert!(matches!(head.status, 200 | 503), "{head:?}");
        if n % 2 == 0 { client.reset() } else { drop(client) }
    }
    until("nobody is listed", || house.clients().is_empty().then_some(()));
    let seen = house.seen.until("the state", |_| true);
    let came: Vec<u64> = seen.came.iter().map(|(id, ..)| *id).collect();
    let mut went = seen.went.clone();
    went.sort_unstable();
    assert_eq!(came, went, "each that came went, once");
}

#[test]
fn a_slow_body_leaves_the_other_buffers_alone() {
    let house = Running::start(Config::new().connections(8).calls(2));
    let whole = wire::echo("slowly");
    let (head, body) = whole.split_at(whole.find("\r\n\r\n").expect("a head") + 4);
    let mut slow = house.connect();
    slow.send(head);
    for at in 0..body.len() {
        slow.send(&body[at..=at]);
        house.must_serve();
    }
    assert_eq!(slow.answer().text(), "slowly");
}

#[test]
fn slow_bodies_lose_their_buffers() {
    // As many slow bodies as there are buffers, the reserve included: a byte a tick, for ever.
    let mut house = TestServer::new(server().0, Config::new().connections(8).calls(1)).unwrap();
    let head = wire::bare("POST", "/mcp", &[("Content-Type", "application/json"), ("Content-Length", "60000")]);
    let slow: Vec<_> = (0..2).map(|_| house.connect()).collect();
    for slow in &slow {
        house.send(slow, head.as_bytes());
    }
    let tick = |house: &mut TestServer| {
        for slow in &slow {
            house.send(slow, b" ");
        }
        house.advance(500);
    };
    // The grace is ten seconds.
    (0..23).for_each(|_| tick(&mut house));
    for slow in &slow {
        let answer = String::from_utf8(house.receive(slow)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
    }
    let client = house.connect();
    house.send(&client, wire::echo("hello").as_bytes());
    let answer = String::from_utf8(house.receive(&client)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

#[test]
fn a_slow_body_on_the_smallest_server_locks_nobody_out() {
    let mut house = TestServer::new(server().0, Config::new().connections(8).calls(1)).unwrap();
    let head = wire::bare("POST", "/mcp", &[("Content-Type", "application/json"), ("Content-Length", "60000")]);
    let mut served = 0;
    // Somebody sends slow bodies without end, one after the other; a patient client is served all the same.
    for _ in 0..4 {
        let slow = house.connect();
        house.send(&slow, head.as_bytes());
        for _ in 0..23 {
            house.send(&slow, b" ");
            house.advance(500);
            let client = house.connect();
            house.send(&client, wire::echo("hello").as_bytes());
            house.advance(500);
            let answer = String::from_utf8(house.receive(&client)).unwrap();
            served += usize::from(answer.starts_with("HTTP/1.1 200 "));
        }
    }
    assert!(served >= 4, "served {served} times");
}
