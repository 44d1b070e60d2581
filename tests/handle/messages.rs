//! Messages and changes, to one and to all.

use std::io::ErrorKind;
use std::thread;

use serde_json::json;
use smol_mcp::{Config, LogLevel, Message};

use crate::support::client::Next;
use crate::support::server::Running;
use crate::support::wire;
use crate::{is_text, message, three};

#[test]
fn a_message_goes_to_one() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    let number = |name: &str| server.clients().into_iter().find(|client| client.name == name).expect("it is listed").id;
    let (session, old) = (number("the session"), number("the old one"));
    server.handle.send(session, message("to the session")).unwrap();
    server.handle.send(old, message("to the old one")).unwrap();
    server.handle.send(4_711, message("to nobody")).unwrap();
    server.handle.broadcast(message("to all")).unwrap();
    for (stream, own) in [(&mut three.get, "to the session"), (&mut three.old, "to the old one")] {
        for text in [own, "to all"] {
            let message = stream.message();
            assert!(is_text(&message, text), "{text}: {message}");
        }
    }
}

#[test]
fn a_broadcast_reaches_each_older_client_once() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    // A second stream of the same session takes the place of the first.
    let mut newest = server.connect();
    assert_eq!(newest.open(&three.session.get()).status, 200);
    assert_eq!(three.get.next(), Next::End);
    // Another session asked for errors only.
    let mut client = server.connect();
    let calm = client.initialize("2025-06-18", "calm");
    let level = wire::request(1, "logging/setLevel", &json!({"level": "error"}));
    assert_eq!(client.ask(&calm.post(&level)).status, 200);
    let mut errors = server.connect();
    assert_eq!(errors.open(&calm.get()).status, 200);
    for text in ["one", "two"] {
        server.handle.broadcast(message(text)).unwrap();
    }
    server.handle.broadcast(Message::json(LogLevel::Error, None, "{\"alarm\":\n true}").unwrap()).unwrap();
    server.handle.tools_changed();
    // 2026-07-28 gets what it asked for, and no messages.
    assert_eq!(three.listener.message()["method"], "notifications/tools/list_changed");
    let alarm = json!({"alarm": true});
    for (stream, expected) in [
        (&mut three.old, vec![json!("one"), json!("two"), alarm.clone()]),
        (&mut newest, vec![json!("one"), json!("two"), alarm.clone()]),
        (&mut errors, vec![alarm]),
    ] {
        // A change may overtake messages.
        let got: Vec<_> = (0..=expected.len()).map(|_| stream.message()).collect();
        let (messages, others): (Vec<_>, Vec<_>) = got.iter().partition(|it| it["method"] == "notifications/message");
        let data: Vec<_> = messages.into_iter().map(|message| message["params"]["data"].clone()).collect();
        assert_eq!(data, expected);
        assert_eq!(others, [&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})]);
    }
    server.handle.shutdown();
    assert_eq!(three.listener.message()["id"], "l-1");
    for stream in [&mut three.old, &mut newest, &mut errors, &mut three.listener] {
        assert_eq!(stream.next(), Next::End);
    }
}

#[test]
fn a_burst_reaches_those_who_read() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    let mut blocking = server.connect();
    blocking.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the server stands still", |state| state.running == 1));
    // More than the ring of events holds, and taken without complaint: nobody is slow here but the application.
    let padding = "x".repeat(4_000);
    for n in 0..20 {
        server.handle.broadcast(message(&format!("{n} {padding}"))).unwrap();
    }
    server.let_go(1);
    assert_eq!(blocking.answer().text(), "let go");
    for stream in [&mut three.old, &mut three.get] {
        for n in 0..20 {
            match stream.next() {
                Next::Event(_, data) => assert!(data.contains(&format!("\"{n} x")), "{n}: {data}"),
                end => panic!("the stream ends before message {n}: {end:?}"),
            }
        }
    }
}

#[test]
fn a_tool_that_shouts_reaches_those_who_read() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    // More than the ring of events holds, less than it and a socket hold together.
    let shout = wire::modern_call("s", "shout", &json!({"kibibytes": 48}));
    assert_eq!(server.connect().ask(&shout).text(), "shouted");
    for stream in [&mut three.old, &mut three.get] {
        for n in 0..48 {
            match stream.next() {
                Next::Event(_, data) => assert!(data.contains(&format!("\"{n} 0123")), "{n}: {data}"),
                end => panic!("the stream ends before message {n}: {end:?}"),
            }
        }
    }
    // And those who asked for no messages have lost nothing.
    server.handle.tools_changed();
    assert!(matches!(three.listener.next(), Next::Event(_, data) if data.contains("tools/list_changed")));
}

#[test]
fn changes_in_haste_are_one_change() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    let mut blocking = server.connect();
    blocking.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the server stands still", |state| state.running == 1));
    let handle = server.handle.clone();
    thread::spawn(move || (0..1_000).for_each(|_| handle.tools_changed())).join().unwrap();
    server.let_go(1);
    assert_eq!(blocking.answer().text(), "let go");
    server.handle.broadcast(message("behind it")).unwrap();
    for stream in [&mut three.old, &mut three.get] {
        assert_eq!(stream.message()["method"], "notifications/tools/list_changed");
        assert!(is_text(&stream.message(), "behind it"));
    }
    let changed = three.listener.message();
    assert_eq!(changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "l-1", "{changed}");
    server.handle.shutdown();
    assert_eq!(three.listener.message()["result"]["resultType"], "complete");
    assert_eq!(three.listener.next(), Next::End);
}

#[test]
fn what_is_too_much_is_refused() {
    let server = Running::start(Config::new());
    let mut three = three(&server);
    let error = server.handle.broadcast(message(&"x".repeat(6_000))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("5120"), "{error}");
    assert_eq!(server.handle.send(1, message(&"\n".repeat(3_000))).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(Message::json(LogLevel::Info, None, "{} {}").unwrap_err().kind(), ErrorKind::InvalidData);
    // The largest that is taken arrives: what surrounds the text has 42 bytes.
    let largest = "x".repeat(smol_mcp::limits::MESSAGE_PARAMS_BYTES_MAX - 46);
    server.handle.broadcast(message(&largest)).unwrap();
    assert!(is_text(&three.get.message(), &largest));
    // A queue of bounded length, while nobody takes from it.
    let mut blocking = server.connect();
    blocking.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the server stands still", |state| state.running == 1));
    let taken = (0..1_000).take_while(|_| server.handle.broadcast(message("x")).is_ok()).count();
    assert_eq!(taken, smol_mcp::limits::COMMANDS_MAX);
    assert_eq!(server.handle.broadcast(message("x")).unwrap_err().kind(), ErrorKind::WouldBlock);
    server.let_go(1);
    assert_eq!(blocking.answer().text(), "let go");
    (0..taken).for_each(|_| assert!(is_text(&three.get.message(), "x")));
}
