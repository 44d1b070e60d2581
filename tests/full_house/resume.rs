//! Clients whose connections break: what they missed is there when they come back, once and in order, and nobody else's.

use serde_json::{Value, json};
use smol_mcp::{Config, LogLevel, Message};

use crate::support::client::{Client, Next, Session};
use crate::support::server::Running;
use crate::support::{until, wire};

// Opens a stream that begins with a priming event; its id.
fn primed(stream: &mut Client, request: &str) -> String {
    let head = stream.open(request);
    assert_eq!(head.status, 200, "{head:?}");
    assert_eq!(head.header("content-type"), Some("text/event-stream"), "{head:?}");
    stream.primed()
}

fn message(stream: &mut Client) -> (String, Value) {
    let message = stream.message();
    (stream.last_id().expect("an id"), message)
}

fn resume(session: &Session, id: &str) -> String {
    session.get().replacen("\r\n\r\n", &format!("\r\nLast-Event-ID: {id}\r\n\r\n"), 1)
}

// A call of `wait` whose connection is an event stream by now, and the id that it began with.
fn slow_call(house: &Running, session: &Session, id: u32) -> (Client, String) {
    let mut client = house.connect();
    let first = primed(&mut client, &session.post(&wire::call(id, "wait", &json!({}))));
    (client, first)
}

fn running(house: &Running, calls: usize) {
    drop(house.seen.until("the calls run", |state| state.running == calls));
}

// The answer of a call that was let go, on a stream that began anew, and its end.
fn must_be_answered(stream: &mut Client, id: u32) {
    let (event_id, answer) = message(stream);
    assert!(event_id.contains("-end"), "{event_id}");
    assert_eq!(answer["id"], id, "{answer}");
    assert_eq!(answer["result"]["content"][0]["text"], "let go", "{answer}");
    assert_eq!(stream.next(), Next::End);
}

#[test]
fn a_broken_stream_goes_on_with_what_was_missed() {
    let house = Running::start(Config::new());
    let session = house.connect().initialize("2025-11-25", "reader");
    let mut stream = house.connect();
    let mut last = primed(&mut stream, &session.get());
    let mut seen = Vec::new();
    for round in 0..8 {
        let say =
            |n: u32| house.handle.broadcast(Message::text(LogLevel::Info, None, &format!("{round}.{n}"))).unwrap();
        (0..3).for_each(say);
        // It reads a part of what was said, and breaks in one way or the other.
        for _ in 0..round % 4 {
            let (id, message) = message(&mut stream);
            last = id;
            seen.push(message["params"]["data"].as_str().expect("a text").to_owned());
        }
        if round % 2 == 0 {
            stream.reset();
        } else {
            drop(stream);
        }
        (3..5).for_each(say);
        stream = house.connect();
        assert_eq!(primed(&mut stream, &resume(&session, &last)), last);
        while seen.last().is_none_or(|last| *last != format!("{round}.4")) {
            let (id, message) = message(&mut stream);
            last = id;
            seen.push(message["params"]["data"].as_str().expect("a text").to_owned());
        }
    }
    let all: Vec<String> = (0..8).flat_map(|round| (0..5).map(move |n| format!("{round}.{n}"))).collect();
    assert_eq!(seen, all, "each once, and in order");
    assert_eq!(house.clients().len(), 1);
}

#[test]
fn a_broken_call_goes_on_and_its_answer_is_fetched() {
    let house = Running::start(Config::new());
    let session = house.connect().initialize("2025-11-25", "caller");
    // By RST, by FIN; the client comes back before the tool ends, or after it.
    for (call, (reset, early)) in (1..).zip([(true, true), (true, false), (false, true), (false, false)]) {
        let (client, first) = slow_call(&house, &session, call);
        if reset {
            client.reset();
        } else {
            drop(client);
        }
        let mut back = house.connect();
        if early {
            assert_eq!(primed(&mut back, &resume(&session, &first)), first);
            house.let_go(1);
        } else {
            house.let_go(1);
            drop(house.seen.until("it ended", |state| state.done == call as usize));
            assert_eq!(primed(&mut back, &resume(&session, &first)), first);
        }
        must_be_answered(&mut back, call);
    }
    assert_eq!(house.seen.until("the state", |_| true).dropped, 0);
}

#[test]
fn a_half_closed_call_is_answered_and_its_answer_kept() {
    let house = Running::start(Config::new());
    let session = house.connect().initialize("2025-11-25", "half");
    let (mut client, first) = slow_call(&house, &session, 7);
    client.half_close();
    house.let_go(1);
    must_be_answered(&mut client, 7);
    // As far as the server can tell, nobody read that.
    let mut back = house.connect();
    assert_eq!(primed(&mut back, &resume(&session, &first)), first);
    must_be_answered(&mut back, 7);
}

#[test]
fn several_broken_calls_are_kept_apart() {
    let house = Running::start(Config::new().calls(4));
    let one = house.connect().initialize("2025-11-25", "one");
    let other = house.connect().initialize("2025-11-25", "other");
    let mut own = house.connect();
    primed(&mut own, &one.get());
    let calls: Vec<_> = [(&one, 1), (&other, 1), (&one, 2), (&other, 2)]
        .into_iter()
        .map(|(session, id)| (session, id, slow_call(&house, session, id)))
        .collect();
    running(&house, 4);
    let mut ids = Vec::new();
    for (session, id, (client, first)) in calls {
        client.reset();
        ids.push((session, id, first));
    }
    house.let_go(4);
    drop(house.seen.until("all ended", |state| state.done == 4));
    // In another order than they began.
    for (session, id, first) in ids.iter().rev() {
        let stranger = if session.id == one.id { &other } else { &one };
        let mut thief = house.connect();
        let head = thief.open(&resume(stranger, first));
        assert_eq!(head.status, 200);
        let (_, message) = message(&mut thief);
        assert!(
            message["result"].is_null() && message["error"]["message"].as_str().unwrap().contains("lost"),
            "{message}"
        );
        let mut back = house.connect();
        primed(&mut back, &resume(session, first));
        must_be_answered(&mut back, *id);
    }
    // The session's own stream was left alone, and has no answers.
    house.handle.broadcast(Message::text(LogLevel::Info, None, "still here")).unwrap();
    assert_eq!(message(&mut own).1["params"]["data"], "still here");
}

#[test]
fn calls_without_a_connection_leave_their_places_to_others() {
    let house = Running::start(Config::new().connections(6).calls(3));
    let session = house.connect().initialize("2025-11-25", "many");
    let calls: Vec<_> = (1..=2).map(|id| slow_call(&house, &session, id)).collect();
    let mut firsts = Vec::new();
    for (client, first) in calls {
        client.reset();
        firsts.push(first);
    }
    // Four streams, which is all that there may be: a call that comes back is told to wait.
    let streams = until("four streams are open", || {
        let open = |client: &mut Client| client.open(&wire::get_http_sse()).status == 200;
        let mut clients: Vec<Client> = (0..4).map(|_| house.connect()).collect();
        clients.iter_mut().all(open).then_some(clients)
    });
    house.must_serve();
    house.connect().ask(&resume(&session, &firsts[0])).must_be_full();
    house.let_go(2);
    drop(house.seen.until("both ended", |state| state.done == 2));
    house.connect().ask(&resume(&session, &firsts[0])).must_be_full();
    streams.into_iter().for_each(Client::reset);
    for (id, first) in (1..).zip(&firsts) {
        let mut back = until("there is a place for the stream", || {
            let mut back = house.connect();
            (back.open(&resume(&session, first)).status == 200).then_some(back)
        });
        assert_eq!(back.primed(), *first);
        must_be_answered(&mut back, id);
    }
}

#[test]
fn a_client_that_does_not_read_gets_its_answer_when_it_comes_back() {
    let house = Running::start(Config::new().calls(2));
    let session = house.connect().initialize("2025-11-25", "deaf");
    let (client, first) = slow_call(&house, &session, 1);
    running(&house, 1);
    // It comes back by another connection, again and again; the newest has the stream, and the call ends for that alone.
    let mut backs: Vec<Client> = Vec::new();
    for _ in 0..3 {
        let mut back = house.connect();
        primed(&mut back, &resume(&session, &first));
        backs.push(back);
    }
    house.let_go(1);
    must_be_answered(&mut backs.pop().expect("three"), 1);
    for mut old in backs {
        assert_eq!(old.next(), Next::End);
    }
    drop(client);
    house.must_serve();
}
