//! A value of a type that no buffer holds: as text, and as structured content.

use std::time::Instant;

use serde_json::{Value, json};
use smol_mcp::Config;

use crate::alone;
use crate::app::{BLOCK, Running};
use crate::forms;
use crate::slow::Slow;

/// Rows of the value, each of which makes some 350 bytes.
const ROWS: usize = 10_000;

#[test]
fn a_value_of_megabytes_goes_out_once_as_text_and_once_as_it_is() {
    let _alone = alone();
    let server = Running::start(Config::new(), 0);
    let mut no_pause = |_| {};
    let mut client = Slow::connect(server.address(), &mut no_pause);
    let begun = Instant::now();
    client.send(&forms::call("rows", &json!({"rows": ROWS})));
    let head = client.head();
    let mut body = Vec::new();
    client.body(&head, |some| {
        body.extend_from_slice(some);
        false
    });
    println!("# a value and its text, {} bytes, in {:?}", body.len(), begun.elapsed());
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let value = &answer["result"]["structuredContent"];
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(*value == serde_json::from_str::<Value>(text).unwrap());
    let rows = value["rows"].as_array().unwrap();
    assert_eq!(rows.len(), ROWS);
    for (number, row) in rows.iter().enumerate() {
        let name = format!("row \"{number}\"");
        let expected = json!({"number": number, "name": name, "values": vec![0.5; 8], "last": number + 1 == ROWS});
        assert_eq!(*row, expected);
    }
    assert!(value["text"] == BLOCK.repeat(ROWS));
}
