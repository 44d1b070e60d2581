//! Who is there, and who came and went.

use smol_mcp::limits::CLIENT_NAMES_MAX;
use smol_mcp::{Config, Revision, block_on};

use crate::support::client::Next;
use crate::support::server::Running;
use crate::support::{PATIENCE, until, wire};
use crate::three;

#[test]
fn clients_are_listed_with_names_and_revisions() {
    let server = Running::start(Config::new());
    assert!(server.clients().is_empty());
    let mut three = three(&server);
    let mut silent = server.connect();
    let quiet = silent.initialize("2025-03-26", "a name that is far longer than anybody would want to have it shown");
    let mut clients = server.clients();
    clients.sort_by_key(|client| client.id);
    let listed: Vec<_> = clients.iter().map(|client| (client.name.as_str(), client.revision, client.listens)).collect();
    let expected = [
        ("the old one", Revision::V2024_11_05, true),
        ("the session", Revision::V2025_11_25, true),
        ("the listener", Revision::V2026_07_28, true),
        ("a name that is far longer than a", Revision::V2025_03_26, false),
    ];
    assert_eq!(listed, expected);
    assert!(clients.iter().all(|client| client.version == "1.2"), "{clients:?}");
    assert!(clients.iter().all(|client| u128::from(client.connected_ms) < PATIENCE.as_millis() * 6), "{clients:?}");
    assert!(clients.windows(2).all(|pair| pair[0].connected_ms >= pair[1].connected_ms), "{clients:?}");
    assert_eq!(block_on(server.handle.clients(2)).unwrap().len(), 2);
    // Each leaves in its own way.
    assert_eq!(silent.ask(&quiet.delete()).status, 200);
    assert_eq!(silent.ask(&three.session.delete()).status, 200);
    assert_eq!(three.get.next(), Next::End);
    three.old.reset();
    drop(three.listener);
    until("nobody is listed", || server.clients().is_empty().then_some(()));
}

#[test]
fn one_name_too_many_is_not_kept_until_another_is_gone() {
    let server = Running::start(Config::new().sessions(CLIENT_NAMES_MAX + 8));
    let mut client = server.connect();
    let named = |number: usize| server.clients().iter().filter(|it| it.name == format!("client {number}")).count();
    let sessions: Vec<_> =
        (0..=CLIENT_NAMES_MAX).map(|number| client.initialize("2025-11-25", &format!("client {number}"))).collect();
    assert_eq!((named(0), named(CLIENT_NAMES_MAX - 1), named(CLIENT_NAMES_MAX)), (1, 1, 0));
    assert_eq!(server.clients().iter().filter(|client| client.name.is_empty()).count(), 1);
    // Who is called like another needs no place, a listener as well as a session.
    let (mut listener, name) = (server.connect(), "client 0");
    assert_eq!(listener.open(&wire::listen(name, "1")).status, 200);
    assert_eq!(listener.message()["method"], "notifications/subscriptions/acknowledged");
    let (first, second) = (client.initialize("2025-06-18", name), &sessions[0]);
    assert_eq!(named(0), 3);
    for session in [&first, second] {
        assert_eq!(client.ask(&session.delete()).status, 200);
        client.initialize("2025-11-25", "a newcomer");
        assert!(!server.clients().iter().any(|client| client.name == "a newcomer"));
    }
    drop(listener);
    until("the listener is gone", || (named(0) == 0).then_some(()));
    client.initialize("2025-11-25", "a newcomer");
    assert_eq!(server.clients().iter().filter(|client| client.name == "a newcomer").count(), 1);
}

#[test]
fn each_coming_and_going_is_told_once() {
    let server = Running::start(Config::new());
    let three = three(&server);
    let came = server.seen.until("three came", |state| state.came.len() == 3).came.clone();
    let told: Vec<_> = came.iter().map(|(_, name, revision)| (name.as_str(), *revision)).collect();
    let expected = [
        ("the old one", Revision::V2024_11_05),
        ("the session", Revision::V2025_11_25),
        ("the listener", Revision::V2026_07_28),
    ];
    assert_eq!(told, expected);
    let ids: Vec<u64> = came.iter().map(|(id, ..)| *id).collect();
    drop(three.listener);
    drop(server.seen.until("the listener went", |state| state.went == [ids[2]]));
    // A session is more than its stream.
    three.get.reset();
    three.old.reset();
    drop(server.seen.until("the old one went", |state| state.went == [ids[2], ids[0]]));
    assert_eq!(server.connect().ask(&three.session.delete()).status, 200);
    assert_eq!(server.connect().ask(&three.session.delete()).status, 404);
    drop(server.seen.until("the session went", |state| state.went == [ids[2], ids[0], ids[1]]));
    server.must_serve();
    let seen = server.seen.until("the state", |_| true);
    assert_eq!((seen.came.len(), seen.went.len()), (3, 3), "{seen:?}");
}

#[test]
fn who_never_introduced_itself_neither_came_nor_went() {
    let server = Running::start(Config::new());
    let mut stream = server.connect();
    stream.open_http_sse();
    drop(stream);
    // The next one's coming and going are told after that of the first, if that is told at all.
    until("the first is forgotten", || server.clients().is_empty().then_some(()));
    let seen = server.seen.until("the state", |_| true);
    assert!(seen.came.is_empty() && seen.went.is_empty(), "{seen:?}");
}

#[test]
fn who_introduces_itself_twice_came_once() {
    let server = Running::start(Config::new());
    let mut stream = server.connect();
    let path = stream.open_http_sse();
    for _ in 0..2 {
        let request = wire::post_to(&path, &[], &wire::initialize("2024-11-05", "twice"));
        assert_eq!(server.connect().ask(&request).status, 202);
        assert_eq!(stream.message()["id"], "init");
    }
    let seen = server.seen.until("it came", |state| !state.came.is_empty());
    assert_eq!(seen.came.len(), 1, "{seen:?}");
}
