//! Answers, and what is taken for none.

use serde_json::json;
use smol_mcp::{Config, InputError};

use crate::house::{House, initialize, named, text};
use crate::support::client::Next;
use crate::support::wire;

#[test]
fn an_answer_reaches_the_call_by_any_connection() {
    let house = House::start(Config::new());
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let session = house.able(revision);
        let (mut call, id) = house.asked(&session, "ask");
        house.answer(&session, &id, &named("Zoë \"Z\"\n"));
        assert_eq!(text(&mut call), "Zoë \"Z\"\n");
        assert_eq!(house.told(), Ok("Zoë \"Z\"\n".into()));
        // The connection goes on with another call.
        assert_eq!(call.next(), Next::End);
        assert_eq!(call.ask(&session.post(&wire::call(2, "echo", &json!({"name": "next"})))).status, 200);
    }
}

#[test]
fn an_answer_gets_through_while_all_other_buffers_are_busy() {
    let house = House::start(Config::new().calls(2));
    let session = house.able("2025-06-18");
    let (mut call, id) = house.asked(&session, "ask");
    let mut busy = house.connect();
    busy.send(&wire::modern_call("w", "wait", &json!({})));
    assert_eq!(house.told(), Ok("waits".into()));
    house.answer(&session, &id, &named("me"));
    assert_eq!(text(&mut call), "me");
    assert_eq!(house.told(), Ok("me".into()));
    // So does one that is larger than what is looked at beforehand.
    let (mut call, id) = house.asked(&session, "model");
    let long = "y".repeat(7_000);
    let said = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": long}});
    house.answer(&session, &id, &said);
    assert_eq!(text(&mut call), long);
    house.gate.try_send(()).unwrap();
    assert_eq!(busy.answer().text(), "let go");
}

#[test]
fn there_is_always_a_buffer_for_others() {
    let house = House::start(Config::new().calls(3).inputs(8));
    let session = house.able("2025-11-25");
    let waiting = [house.asked(&session, "ask"), house.asked(&session, "ask")];
    let refused = house.connect().ask(&session.post(&wire::call(9, "ask", &json!({}))));
    assert_eq!(refused.text(), InputError::Full.to_string());
    assert_eq!(refused.json()["result"]["isError"], true);
    assert_eq!(house.told(), Err(InputError::Full));
    house.must_serve();
    for (at, (mut call, id)) in waiting.into_iter().enumerate() {
        house.answer(&session, &id, &named(&at.to_string()));
        assert_eq!(text(&mut call), at.to_string());
    }
}

#[test]
fn one_call_may_wait_where_there_is_one() {
    let house = House::start(Config::new().calls(1));
    let session = house.able("2025-11-25");
    let (mut call, id) = house.asked(&session, "ask");
    house.answer(&session, &id, &named("me"));
    assert_eq!(text(&mut call), "me");
}

#[test]
fn a_refusal_is_told_to_the_tool() {
    let house = House::start(Config::new());
    let session = house.able("2025-06-18");
    let (mut call, id) = house.asked(&session, "ask");
    let error = json!({"jsonrpc": "2.0", "id": id, "error": {"code": -1, "message": "User rejected"}}).to_string();
    assert_eq!(house.connect().ask(&session.post(&error)).status, 202);
    assert_eq!(text(&mut call), InputError::Refused.to_string());
    assert_eq!(house.told(), Err(InputError::Refused));
}

#[test]
fn an_answer_is_as_large_as_its_place_at_most() {
    let house = House::start(Config::new());
    let session = house.able("2025-06-18");
    let (mut call, id) = house.asked(&session, "ask");
    house.answer(&session, &id, &named(&"z".repeat(8 * 1024)));
    assert_eq!(text(&mut call), InputError::TooLarge.to_string());
    assert_eq!(house.told(), Err(InputError::TooLarge));
    let (mut call, id) = house.asked(&session, "ask");
    house.answer(&session, &id, &named(&"z".repeat(8_000)));
    assert_eq!(text(&mut call).len(), 8_000);
}

#[test]
fn answers_to_nothing_change_nothing() {
    let house = House::start(Config::new());
    let session = house.able("2025-11-25");
    let other = house.able("2025-11-25");
    let (mut call, id) = house.asked(&session, "ask");
    for unknown in [json!("smol-0-0"), json!("smol-0"), json!(7), json!("x".repeat(2000)), json!("smol-999999-1")] {
        house.answer(&session, &unknown, &named("nobody"));
    }
    house.answer(&other, &id, &named("somebody else"));
    house.answer(&session, &id, &named("me"));
    house.answer(&session, &id, &named("me again"));
    assert_eq!(text(&mut call), "me");
    house.answer(&session, &id, &named("late"));
    // The place is another question's now.
    let (mut call, next) = house.asked(&session, "ask");
    assert_ne!(id, next);
    house.answer(&session, &id, &named("much too late"));
    house.answer(&session, &next, &named("in time"));
    assert_eq!(text(&mut call), "in time");
}

#[test]
fn a_stream_of_2024_carries_the_question() {
    let house = House::start(Config::new());
    let mut stream = house.connect();
    let path = stream.open_http_sse();
    let mut client = house.connect();
    let mut post = |body: &str| client.ask(&wire::post_to(&path, &[], body)).status;
    assert_eq!(post(&initialize("2024-11-05")), 202);
    assert_eq!(stream.message()["id"], "init");
    assert_eq!(post(&wire::call(5, "ask", &json!({}))), 202);
    let question = stream.message();
    assert_eq!(question["method"], "elicitation/create");
    // The stream is free for other answers meanwhile.
    assert_eq!(post(&wire::call(6, "echo", &json!({"name": "between"}))), 202);
    assert_eq!(stream.message()["id"], 6);
    assert_eq!(post(&json!({"jsonrpc": "2.0", "id": question["id"], "result": named("old")}).to_string()), 202);
    let answer = stream.message();
    assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(5), &json!("old")));
}
