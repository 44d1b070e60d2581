//! Calls whose question is never answered.

use serde_json::json;
use smol_mcp::{Config, InputError};

use crate::house::{House, initialize, named, text};
use crate::support::wire;

#[test]
fn nobody_answers_in_time() {
    let house = House::start(Config::new().input_timeout_ms(700).tool_timeout_ms(600));
    let session = house.able("2025-06-18");
    let (mut call, id) = house.asked(&session, "ask");
    // The question is off.
    let cancelled = call.message();
    assert_eq!((&cancelled["method"], &cancelled["params"]["requestId"]), (&json!("notifications/cancelled"), &id));
    assert_eq!(text(&mut call), InputError::TimedOut.to_string());
    assert_eq!(house.told(), Err(InputError::TimedOut));
    house.answer(&session, &id, &named("late"));
    house.must_serve();
}

#[test]
fn a_client_that_breaks_off_is_not_waited_for() {
    let house = House::start(Config::new().calls(2));
    // By its revision it can't come back.
    let session = house.able("2024-11-05");
    let (call, _) = house.asked(&session, "ask");
    call.reset();
    assert_eq!(house.told(), Err(InputError::Gone));
    // One that closes is found out by what is written to it.
    let (call, _) = house.asked(&session, "ask");
    drop(call);
    assert_eq!(house.told(), Err(InputError::Gone));
    house.must_serve();
    // One that only says that it will send no more on this connection can still answer by another.
    let (mut call, id) = house.asked(&session, "ask");
    call.half_close();
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    house.answer(&session, &id, &named("here"));
    assert_eq!(text(&mut call), "here");
}

#[test]
fn a_session_that_ends_ends_its_questions() {
    let house = House::start(Config::new());
    let session = house.able("2025-11-25");
    let (mut call, id) = house.asked(&session, "ask");
    assert_eq!(house.connect().ask(&session.delete()).status, 200);
    assert_eq!(text(&mut call), InputError::Gone.to_string());
    assert_eq!(house.told(), Err(InputError::Gone));
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": named("late")}).to_string();
    assert_eq!(house.connect().ask(&session.post(&answer)).status, 404);
}

#[test]
fn a_stream_of_2024_that_closes_takes_its_calls_along() {
    let house = House::start(Config::new().calls(2));
    let mut stream = house.connect();
    let path = stream.open_http_sse();
    let mut client = house.connect();
    for body in [initialize("2024-11-05"), wire::call(5, "ask", &json!({}))] {
        assert_eq!(client.ask(&wire::post_to(&path, &[], &body)).status, 202);
        drop(stream.message());
    }
    drop(stream);
    assert_eq!(house.told(), Ok("dropped".into()));
    house.must_serve();
}

#[test]
fn a_cancelled_call_forgets_its_question() {
    let house = House::start(Config::new().calls(2).inputs(1));
    let session = house.able("2025-06-18");
    for _ in 0..3 {
        let (call, _) = house.asked(&session, "ask");
        assert_eq!(house.connect().ask(&session.post(&wire::cancelled(1))).status, 202);
        assert_eq!(house.told(), Ok("dropped".into()));
        drop(call);
    }
}

#[test]
fn a_shutdown_waits_for_no_answer() {
    let house = House::start(Config::new());
    let session = house.able("2025-06-18");
    let (mut call, _) = house.asked(&session, "ask");
    house.handle.shutdown();
    assert_eq!(text(&mut call), InputError::Gone.to_string());
    house.ended();
}
