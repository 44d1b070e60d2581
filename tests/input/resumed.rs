//! Calls that ask, and whose connection breaks.

use serde_json::json;
use smol_mcp::{Config, InputError};

use crate::house::{House, named, text};
use crate::support::client::{Client, Next, Session};
use crate::support::wire;

fn resume(house: &House, session: &Session, id: &str) -> Client {
    let mut back = house.connect();
    let get = session.get().replacen("\r\n\r\n", &format!("\r\nLast-Event-ID: {id}\r\n\r\n"), 1);
    assert_eq!(back.open(&get).status, 200);
    back
}

#[test]
fn a_question_that_was_lost_with_its_connection_is_put_again() {
    let house = House::start(Config::new());
    let session = house.able("2025-11-25");
    let mut client = house.connect();
    assert_eq!(client.open(&session.post(&wire::call(1, "ask", &json!({})))).status, 200);
    let first = client.primed();
    // It comes, but the connection breaks before the client has it.
    let id = client.message()["id"].clone();
    client.reset();
    let mut back = resume(&house, &session, &first);
    let question = back.message();
    assert_eq!((&question["method"], &question["id"]), (&json!("elicitation/create"), &id));
    let seen = back.last_id().unwrap();
    // Who has it already, is not asked again.
    drop(back);
    let mut back = resume(&house, &session, &seen);
    house.answer(&session, &id, &named("me"));
    assert_eq!(text(&mut back), "me");
    assert_eq!(back.next(), Next::End);
}

#[test]
fn a_question_that_can_not_be_put_is_not_waited_for() {
    let house = House::start(Config::new());
    let session = house.able("2025-11-25");
    let mut client = house.connect();
    for (length, detached) in [(6_000, true), (40_000, false)] {
        let args = json!({"length": length, "detached": detached});
        let answer = client.open(&session.post(&wire::call(1, "lecture", &args)));
        assert_eq!(answer.status, 200);
        assert_eq!(house.told(), Err(InputError::TooLarge));
        drop(client);
        client = house.connect();
    }
}
