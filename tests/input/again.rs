//! Tools that ask the same question again, or do not wait for the answer.

use serde_json::{Value, json};
use smol_mcp::{Config, InputError};

use crate::house::{House, named, text};
use crate::once::able;

// What the call of a tool is answered with, round by round, where each question gets the next answer.
fn rounds(house: &House, tool: &str, answers: &[&str]) -> Value {
    let mut params = json!({"name": tool, "arguments": {}});
    let mut answers = answers.iter();
    loop {
        let answer = house.connect().ask(&able(&params)).json();
        if answer["result"]["resultType"] != "input_required" {
            return answer;
        }
        let asked: Vec<&String> = answer["result"]["inputRequests"].as_object().unwrap().keys().collect();
        let [key] = asked[..] else { panic!("{answer}") };
        params["requestState"] = answer["result"]["requestState"].clone();
        params["inputResponses"] = json!({ key: named(answers.next().expect("no more questions")) });
    }
}

#[test]
fn a_question_that_is_put_again_is_another_one() {
    let house = House::start(Config::new());
    let last = rounds(&house, "insist", &["", "", "me"]);
    assert_eq!(last["result"]["content"][0]["text"], "me, asked 3 times", "{last}");
    // Not without end.
    let tired = rounds(&house, "insist", &[""; 100]);
    assert_eq!(tired["result"]["content"][0]["text"], InputError::TooLarge.to_string(), "{tired}");
    let session = house.able("2025-06-18");
    let (mut call, mut id) = house.asked(&session, "insist");
    for empty in 0..2 {
        house.answer(&session, &id, &named(""));
        let question = call.message();
        assert_eq!(question["method"], "elicitation/create", "{empty}");
        id = question["id"].clone();
    }
    house.answer(&session, &id, &named("me"));
    assert_eq!(text(&mut call), "me, asked 3 times");
}

#[test]
fn a_tool_that_goes_on_without_the_answer_has_asked_all_the_same() {
    let house = House::start(Config::new());
    let last = rounds(&house, "hurry", &["me"]);
    assert_eq!(last["result"]["content"][0]["text"], "me", "{last}");
}
