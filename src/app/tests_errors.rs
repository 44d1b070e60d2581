//! What a handler's failure becomes, and how much of it is told.

use std::io;

use super::*;
use crate::json::Value;
use crate::limits::TOOL_ERROR_BYTES_MAX;

crate::args! {
    #[expect(dead_code, reason = "only its schema is used")]
    struct Led {
        on: bool,
    }
}

fn told(error: &ToolError, arguments: &str) -> String {
    error.told(Value::new(arguments.as_bytes())).to_string()
}

#[test]
fn question_marks() {
    fn fails(how: u8) -> Result<(), ToolError> {
        match how {
            0 => Err("static")?,
            1 => Err(format!("owned {how}"))?,
            2 => Err(io::Error::other("device is gone"))?,
            3 => drop("x".parse::<i32>()?),
            4 => drop("x".parse::<f32>()?),
            5 => drop(u8::try_from(300)?),
            6 => drop(String::from_utf8(vec![0xff])?),
            7 => Err(core::fmt::Error)?,
            _ => {}
        }
        Ok(())
    }
    let message = |how| fails(how).unwrap_err().to_string();
    assert_eq!(message(0), "static");
    assert_eq!(message(1), "owned 1");
    assert_eq!(message(2), "device is gone");
    assert_eq!(message(3), "invalid digit found in string");
    assert_eq!(message(4), "invalid float literal");
    assert_eq!(message(5), "out of range integral type conversion attempted");
    assert!(message(6).starts_with("invalid utf-8"));
    assert!(!message(7).is_empty());
    assert!(fails(99).is_ok());
    assert_eq!(
        ToolError::new("x".parse::<bool>().unwrap_err()).to_string(),
        "provided string was not `true` or `false`"
    );
    assert_eq!(format!("{:?}", ToolError::from("off")), "ToolError(off)");
}

#[test]
fn an_io_error_is_the_source() {
    let error = ToolError::from(io::Error::from(io::ErrorKind::NotFound));
    assert!(std::error::Error::source(&error).is_some());
    assert!(std::error::Error::source(&ToolError::from("off")).is_none());
}

#[test]
fn what_is_told_is_bounded() {
    assert_eq!(told(&ToolError::from("short"), "{}"), "short");
    let exact = "x".repeat(TOOL_ERROR_BYTES_MAX);
    assert_eq!(told(&ToolError::from(exact.clone()), "{}"), exact);
    assert_eq!(told(&ToolError::from(exact.clone() + "y"), "{}"), exact);
    // Cut before the character that would be cut in two.
    let odd = format!("x{}", "ä".repeat(TOOL_ERROR_BYTES_MAX));
    assert_eq!(told(&ToolError::from(odd), "{}"), format!("x{}", "ä".repeat(TOOL_ERROR_BYTES_MAX / 2 - 1)));
}

#[test]
fn arguments_are_told_with_their_reason() {
    let error = ToolError::arguments(&Led::SCHEMA);
    assert_eq!(told(&error, r#"{"on":1}"#), "argument `on`: expected true or false, got 1");
    assert_eq!(error.to_string(), "the arguments do not fit the tool's schema");
    // Should the arguments be lost in between, it still says what it can.
    assert_eq!(told(&error, r#"{"on":true}"#), "the arguments do not fit the tool's schema");
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<ToolResult>() <= 4 * size_of::<usize>());
    assert_eq!(size_of::<Done>(), 0);
}
