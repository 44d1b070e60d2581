//! The check of hand-written JSON, against the scanner that reads the network.

use super::verbatim::{is_input_schema, is_json_object};
use crate::json::{Kind, validate};

const GOOD: &[&str] = &[
    "{}",
    " \t\r\n{ \"a\" : [ ] , \"b\" : { } } \n",
    r#"{"a":"\"\\\/\b\f\n\r\t\u00e9é😀","b":[1,-0,0.5,-1.25e+10,2E-3,1e5,0],"c":{"d":[true,false,null,"x",[[]]]}}"#,
];

const BAD: &[&str] = &[
    "",
    " ",
    "{",
    "}",
    "[]",
    "1",
    "\"x\"",
    "{}{}",
    "{} x",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":5.}",
    "{\"a\":1e}",
    "{\"a\":-}",
    "{\"a\":tru}",
    "{\"a\":nulll}",
    "{\"a\":[1,]}",
    "{\"a\":[1 2]}",
    "{\"a\":[}",
    "{\"a\":[1}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"}",
    "{\"a\":\"\\",
    "{\"a\":\"\\u",
    "{1:2}",
    "{\"a\":NaN}",
    "{\"a\":1}//",
    "\u{feff}{}",
];

#[test]
fn it_is_as_strict_as_the_scanner() {
    for good in GOOD {
        assert!(is_json_object(good), "{good}");
        assert_eq!(validate(good.as_bytes()), Ok(Kind::Object), "{good}");
        // No part of it is whole.
        for end in (0..good.trim_end().len()).filter(|end| good.is_char_boundary(*end)) {
            assert!(!is_json_object(&good[..end]), "{}", &good[..end]);
        }
        // Whatever stands at whatever place, the two agree.
        for at in (0..good.len()).filter(|at| good.is_char_boundary(*at)) {
            for byte in ['{', '}', '[', ']', '"', ',', ':', '0', '-', '\\', ' ', '\n', 'x', 'e'] {
                let changed = format!("{}{byte}{}", &good[..at], &good[at..]);
                let valid = validate(changed.as_bytes()) == Ok(Kind::Object);
                assert_eq!(is_json_object(&changed), valid, "{changed}");
            }
        }
    }
    for bad in BAD {
        assert!(!is_json_object(bad), "{bad}");
    }
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(is_json_object(&nested(63)) && !is_json_object(&nested(64)));
}

#[test]
fn a_schema_of_arguments() {
    for good in [
        r#"{"type":"object"}"#,
        r#"{ "properties" : {"type":{"type":"string"}} , "type" : "object" , "additionalProperties":false}"#,
    ] {
        assert!(is_input_schema(good), "{good}");
    }
    for bad in [
        "{}",
        "[]",
        r#"{"type":"string"}"#,
        r#"{"type":["object"]}"#,
        r#"{"properties":{"type":"object"}}"#,
        r#"{"type":"objects"}"#,
        r#"{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}"#,
    ] {
        assert!(!is_input_schema(bad), "{bad}");
    }
}
