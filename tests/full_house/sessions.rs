//! Sessions: the table is full of the living, or of the dead.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use smol_mcp::Config;

use crate::support::client::{Client, Session};
use crate::support::server::Running;
use crate::support::wire;

fn house(sessions: usize) -> Running {
    Running::start(Config::new().connections(16).sessions(sessions))
}

#[test]
fn a_house_full_of_the_living_refuses_newcomers() {
    let house = house(2);
    let mut streams: Vec<(Session, Client)> = Vec::new();
    for name in ["a", "b"] {
        let session = house.connect().initialize("2025-11-25", name);
        let mut stream = house.connect();
        assert_eq!(stream.open(&session.get()).status, 200);
        streams.push((session, stream));
    }
    let mut client = house.connect();
    for _ in 0..3 {
        client.ask(&wire::post_to("/mcp", &[], &wire::initialize("2025-11-25", "c"))).must_be_full();
        client.ask(&wire::get_http_sse()).must_be_full();
    }
    // Those who have a session are served, and so are those who need none.
    for (session, _) in &streams {
        assert_eq!(client.ask(&session.post(&wire::request(1, "ping", &json!({})))).status, 200);
    }
    assert_eq!(client.ask(&wire::echo("hello")).status, 200);
    // Who is deleted makes room at once.
    let (session, mut stream) = streams.remove(0);
    assert_eq!(client.ask(&session.delete()).status, 200);
    assert!(stream.ends_cleanly());
    client.initialize("2025-11-25", "c");
    assert_eq!(client.ask(&session.post(&wire::request(1, "ping", &json!({})))).status, 404);
}

#[test]
fn a_running_call_keeps_its_session() {
    let house = house(1);
    let mut client = house.connect();
    let session = client.initialize("2025-03-26", "busy");
    client.send(&session.post(&wire::call(7, "wait", &json!({}))));
    drop(house.seen.until("it runs", |state| state.running == 1));
    house.connect().ask(&wire::post_to("/mcp", &[], &wire::initialize("2025-03-26", "late"))).must_be_full();
    house.let_go(1);
    assert_eq!(client.answer().text(), "let go");
}

#[test]
fn an_evicted_session_comes_back_unnoticed() {
    let house = house(2);
    let first = house.connect().initialize("2025-06-18", "first");
    let second = house.connect().initialize("2025-11-25", "second");
    sleep(Duration::from_millis(5)); // longer than the resolution of the server's clock
    let mut client = house.connect();
    assert_eq!(client.ask(&first.post(&wire::request(1, "ping", &json!({})))).status, 200);
    // `second` has been silent longest: it makes room.
    let request = wire::post_to("/mcp", &[], &wire::initialize("2025-06-18", "third"));
    assert_eq!(house.until_served(&request).1.status, 200);
    let names = |house: &Running| house.clients().into_iter().map(|client| client.name).collect::<Vec<_>>();
    assert_eq!(names(&house), ["first", "third"]);
    // Its owner does not notice, but for a pause while the others are young.
    for id in 1..4 {
        let (_, answer) = house.until_served(&second.post(&wire::call(id, "echo", &json!({"text": "me again"}))));
        assert_eq!((answer.status, answer.text()), (200, "me again".to_owned()));
        assert_eq!(answer.json()["id"], id);
        let (_, answer) = house.until_served(&first.post(&wire::request(id, "tools/list", &json!({}))));
        assert!(answer.json()["result"]["tools"].is_array(), "{answer:?}");
    }
    assert_eq!(house.clients().len(), 2);
    // Each that went had come, and whoever is there has not gone.
    let seen = house.seen.until("the state", |_| true);
    assert!(seen.went.iter().all(|gone| seen.came.iter().any(|(id, ..)| id == gone)), "{seen:?}");
    assert_eq!(seen.came.len(), seen.went.len() + 2, "{seen:?}");
}

#[test]
fn abandoned_sessions_lock_nobody_out() {
    let house = house(8);
    for n in 0..24 {
        let name = format!("client {n}");
        let session = house.admit(&name);
        // Some leave by RST, some by FIN, some in the middle of a request; none says goodbye.
        let mut client = house.connect();
        match n % 4 {
            0 => client.reset(),
            1 => drop(client),
            2 => client.send("POST /mcp HTTP/1.1\r\nHost: loc"),
            _ => client.send(&session.post(&wire::call(n, "echo", &json!({"text": "nobody reads this"})))),
        }
        assert!(house.clients().len() <= 8);
    }
    let last = house.admit("last");
    let (_, answer) = house.until_served(&last.post(&wire::request(1, "ping", &json!({}))));
    assert_eq!(answer.status, 200);
    let clients = house.clients();
    assert!(clients.len() <= 8 && clients.iter().any(|client| client.name == "last"), "{clients:?}");
    let seen = house.seen.until("the state", |_| true);
    assert_eq!(seen.came.len(), seen.went.len() + clients.len(), "{seen:?}");
}
