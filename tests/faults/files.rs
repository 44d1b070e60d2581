//! No more files: connections pile up, nothing spins, and when there are files again all are served.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::beside::{self, Beside};
use crate::child::{Child, example};
use crate::support::client::{Client, Session};
use crate::support::{until, wire};

const REVISION: &str = "2025-11-25";

/// Streams of sessions: connections that nobody may close for another's sake.
fn streams(child: &Child, how_many: usize) -> Vec<Client> {
    let open = |_| {
        let session: Session = child.session(REVISION);
        let mut stream = child.connect();
        assert_eq!(stream.open(&session.get()).status, 200);
        stream
    };
    (0..how_many).map(open).collect()
}

#[test]
fn without_files_it_waits_and_does_not_spin() {
    let mut child = Child::start("");
    let before = child.own_files();
    let mut streams = streams(&child, 4);
    // One that is being served.
    let notify = wire::modern_call("n", "notify", &serde_json::json!({}));
    let (most, rest) = notify.split_at(notify.len() - 2);
    let mut caller = child.connect();
    caller.send(most);
    // The connections by which the sessions were opened are closed by now, or soon.
    child.until_files(before + 1 + streams.len());
    until("all are there", || (child.files() == before + 1 + streams.len()).then_some(()));
    child.no_more_files();
    let mut waiting: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(child.address).unwrap()).collect();
    let worked = child.worked();
    thread::sleep(Duration::from_secs(1));
    let worked = child.worked().saturating_sub(worked);
    assert!(worked < Duration::from_millis(300), "it worked for {worked:?} in a second");
    // Those who are there are served as ever.
    caller.send(rest);
    assert_eq!(caller.answer().text(), "notified");
    for stream in &mut streams {
        assert_eq!(stream.message()["method"], "notifications/tools/list_changed");
    }
    // One more behind all of them: it is served when there are files.
    let mut last = child.connect();
    last.send(&wire::echo("at last"));
    child.limit_files(1_000);
    assert_eq!(last.answer().text(), "at last");
    let mut served = Client::over(waiting.pop().unwrap());
    assert_eq!(served.ask(&wire::echo("me too")).text(), "me too");
    drop((waiting, served, last, streams, caller));
    child.until_files(before);
    child.must_serve();
    let said = child.said();
    assert_eq!(said.matches("no connection can be accepted for now").count(), 1, "{said}");
    assert!(said.contains("(os error 24)"), "{said}");
    child.must_end(&[Signal::TERM]);
}

#[test]
fn who_is_idle_makes_room() {
    let mut child = Child::start("");
    let before = child.own_files();
    let streams = streams(&child, 2);
    let mut idle: Vec<Client> = (0..4).map(|_| child.connect()).collect();
    for client in &mut idle {
        assert_eq!(client.ask(&wire::echo("first")).status, 200);
    }
    child.until_files(before + streams.len() + idle.len());
    child.no_more_files();
    // Their ages are told in milliseconds, in which the newcomers might be done too.
    thread::sleep(Duration::from_millis(10));
    // Newcomers are served at once: each takes the place of the one that has been idle longest.
    let newcomers: Vec<Client> = (0..4)
        .map(|_| {
            let mut newcomer = child.connect();
            assert_eq!(newcomer.ask(&wire::echo("now")).status, 200);
            newcomer
        })
        .collect();
    for client in &mut idle {
        client.ends();
    }
    child.limit_files(1_000);
    drop((streams, newcomers));
    child.until_files(before);
    assert!(!child.said().contains("no connection can be accepted"), "{}", child.said());
    child.must_end(&[Signal::TERM]);
}

// Held for a moment, the thread finds all at once that happens meanwhile.
fn hold(child: &Child) -> Client {
    let mut holds = child.connect();
    holds.send(&wire::modern_call("b", "fault", &serde_json::json!({"way": "block"})));
    thread::sleep(Duration::from_millis(100));
    holds
}

#[test]
fn who_leaves_behind_a_newcomer_makes_room_for_it() {
    let mut child = Child::start("");
    let before = child.own_files();
    let mut stays = child.connect();
    let mut leaves = child.connect();
    for client in [&mut stays, &mut leaves] {
        assert_eq!(client.ask(&wire::echo("first")).status, 200);
        // Their ages are told in milliseconds.
        thread::sleep(Duration::from_millis(10));
    }
    let mut holds = hold(&child);
    child.no_more_files();
    let mut newcomer = child.connect();
    newcomer.send(&wire::echo("now"));
    drop(leaves);
    assert_eq!(holds.answer().status, 200);
    assert_eq!(newcomer.answer().status, 200);
    assert_eq!(stays.ask(&wire::echo("still here")).text(), "still here");
    drop((stays, holds, newcomer));
    child.limit_files(1_000);
    child.until_files(before);
    child.must_end(&[Signal::TERM]);
}

#[test]
fn where_a_stream_ends_behind_a_newcomer_there_is_no_pause() {
    let mut child = Child::start("");
    let before = child.own_files();
    let mut streams = streams(&child, 2);
    child.until_files(before + streams.len());
    let mut holds = hold(&child);
    // So that it is not idle when it is done.
    holds.send("POST /m");
    child.no_more_files();
    let mut newcomer = child.connect();
    newcomer.send(&wire::echo("now"));
    drop(streams.pop());
    assert_eq!(holds.answer().status, 200);
    assert_eq!(newcomer.answer().status, 200);
    drop((streams, holds, newcomer));
    child.limit_files(1_000);
    child.until_files(before);
    assert!(!child.said().contains("no connection can be accepted"), "{}", child.said());
    child.must_end(&[Signal::TERM]);
}

#[test]
fn the_examples_outlive_it_too() {
    for name in ["minimal", "board", "everything"] {
        let mut child = Child::spawn(example(name, &[]));
        let before = child.own_files();
        child.limit_files(before);
        let waiting: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(child.address).unwrap()).collect();
        thread::sleep(Duration::from_millis(700));
        assert!(child.runs());
        child.limit_files(1_000);
        let answer = child.connect().ask(&wire::bare("GET", "/healthz", &[]));
        assert_eq!(answer.status, 200, "{name}");
        drop(waiting);
        child.until_files(before);
        child.must_end(&[Signal::TERM]);
    }
}

#[test]
fn it_ends_while_there_are_no_files() {
    let mut child = Child::start("");
    let mut stream = Beside::start(child.address).end();
    child.no_more_files();
    let _waiting: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(child.address).unwrap()).collect();
    thread::sleep(Duration::from_millis(200));
    child.must_end(&[Signal::TERM]);
    assert_eq!(stream.message()["id"], "beside");
}

#[test]
fn who_is_gone_before_it_is_accepted_harms_nobody() {
    let mut child = Child::start("");
    let before = child.own_files();
    let beside = Beside::start(child.address);
    // While a tool holds the thread nothing is accepted.
    let mut blocking = child.connect();
    for _ in 0..2 {
        blocking.send(&wire::modern_call("b", "fault", &serde_json::json!({"way": "block"})));
        for n in 0..100 {
            let mut gone = child.connect();
            if n % 2 == 0 {
                gone.send(&wire::echo("never mind"));
            }
            if n % 3 == 0 { drop(gone) } else { gone.reset() }
        }
        assert_eq!(blocking.answer().status, 200);
    }
    drop(blocking);
    let ear = beside.end();
    child.until_files(before + 1);
    child.must_serve();
    child.signal(Signal::TERM);
    beside::must_end(ear);
    assert_eq!(child.end().code(), Some(0));
}
