//! Tools that ask the same question again, or do not wait for the answer.

use serde_json::{Value, json};
use smol_mcp::Config;

use crate::house::{House, named};
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
fn a_tool_that_goes_on_without_the_answer_has_asked_all_the_same() {
    let house = House::start(Config::new());
    let last = rounds(&house, "hurry", &["me"]);
    assert_eq!(last["result"]["content"][0]["text"], "me", "{last}");
}
