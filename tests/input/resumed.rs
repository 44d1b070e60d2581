//! Calls that ask, and whose connection breaks.

use serde_json::json;
use smol_mcp::{Config, InputError};

use crate::house::House;
use crate::support::wire;

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
