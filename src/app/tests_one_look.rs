//! What one look decides, the schema and serde decide so too: of mutated arguments.

use std::borrow::Cow;

use super::tests_validate::{All, GOOD, check, with};
use super::*;
use crate::json::{self, Value};

crate::args! {
    struct Plain {
        text: String,
        level: Option<u8>,
    }

    #[derive(PartialEq)]
    struct Lent<'call> {
        #[len(1..=6)]
        text: Cow<'call, str>,
        more: Option<heapless::Vec<Cow<'call, str>, 2>>,
        inner: Option<LentToo<'call>>,
    }

    #[derive(PartialEq)]
    struct LentToo<'call> {
        /// Any.
        name: Cow<'call, str>,
    }

    #[derive(Default)]
    #[serde(default)]
    struct Read {
        text: String,
    }
}

fn looked<'look, T: Arg<'look>>(arguments: &'look str) -> Option<T> {
    one_look::at_one_look(Value::new(arguments.as_bytes()))
}

// As a request brings it, and only what is JSON.
fn check_json(arguments: &[u8]) {
    let is_object = json::scan(&mut arguments.to_vec(), &mut json::Nobody) == Ok(json::Kind::Object);
    if let (true, Ok(text)) = (is_object, str::from_utf8(arguments)) {
        check::<All>(text);
    }
}

/// The same with no integer that is too long for one look.
fn shorter(arguments: &str) -> String {
    let arguments = arguments.replace(r#""big": 18446744073709551615"#, r#""big": 8"#);
    arguments.replace(r#""small": -9223372036854775808"#, r#""small": -9"#)
}

#[test]
fn one_look_is_enough_for_what_is_usual() {
    assert!(looked::<All>(&shorter(&with("", None))).is_some());
    assert!(looked::<All>(&with("", None)).is_none());
    assert!(looked::<Plain>(r#"{"text":"x"}"#).is_some_and(|it| it.text == "x" && it.level.is_none()));
    assert!(looked::<Plain>(r#" { "level" : null , "text" : "é" } "#).is_some_and(|it| it.text == "é"));
    assert!(looked::<Plain>(r#"{"level":255,"text":""}"#).is_some_and(|it| it.level == Some(255)));
    // A name that another one begins with.
    assert!(looked::<Plain>(r#"{"tex":"x"}"#).is_none() && looked::<Plain>(r#"{"text2":"x"}"#).is_none());
    for arguments in [
        r#"{"text":"a\nb"}"#,
        r#"{"text":1}"#,
        r#"{"level":1}"#,
        r#"{"text":"x","level":-0}"#,
        r#"{"text":"x","level":1.0}"#,
        r#"{"text":"x","level":256}"#,
        r#"{"text":"x","level":null,"level":1}"#,
        r#"{"text":"x","other":1}"#,
        "[]",
        "{}",
        "null",
    ] {
        assert!(looked::<Plain>(arguments).is_none(), "{arguments}");
    }
}

#[test]
fn where_serde_has_a_say_it_is_asked() {
    const WITHOUT: [bool; 2] =
        [crate::__is_plain!(), crate::__is_plain!([doc = " Text."][derive(Debug)][allow(unused)])];
    const WITH: [bool; 2] =
        [crate::__is_plain!([serde(default)]), crate::__is_plain!([doc = ""][cfg_attr(all(), serde(default))])];
    assert_eq!((WITHOUT, WITH), ([true; 2], [false; 2]));
    assert!(looked::<Read>(r#"{"text":"x"}"#).is_none());
}

#[test]
fn mutated_arguments() {
    let whole = shorter(&with("", None));
    let whole = whole.as_bytes();
    let bytes = b"\0 \"\\,:{}[]-+.019eEantfu\xc3\xa9";
    for at in 0..whole.len() {
        let (before, after) = whole.split_at(at);
        check_json(&[before, &after[1..]].concat());
        check_json(&[before, &after[..1], after].concat());
        for byte in bytes {
            check_json(&[before, &[*byte], &after[1..]].concat());
            check_json(&[before, &[*byte], after].concat());
        }
    }
}

#[test]
fn every_value_for_every_argument() {
    let values = [
        "true",
        "false",
        "null",
        "0",
        "-0",
        "1",
        "-1",
        "3",
        "255",
        "256",
        "-128",
        "-129",
        "1.0",
        "1e0",
        "0.1",
        "-1.5e3",
        "1e400",
        "3.5e38",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "999999999999999999",
        "1000000000000000000",
        "\"\"",
        "\"a\"",
        "\"abcdef\"",
        "\"abcdefg\"",
        "\"éé\"",
        "\"ééé\"",
        "\"éééé\"",
        "\"😀\"",
        r#""\n""#,
        r#""\u0061""#,
        r#""a\"b""#,
        "\"slow\"",
        "\"very_fast\"",
        "\"1/s\"",
        "\"VeryFast\"",
        "[]",
        "[1]",
        "[1,2]",
        "[1,2,3]",
        "[null]",
        "[\"a\",\"b\",\"c\"]",
        "[\"a\",\"b\",\"c\",\"d\"]",
        "{}",
        "{\"red\":1}",
        "{\"red\":1,\"alpha\":null}",
        "{\"alpha\":2,\"red\":1}",
        "{\"red\":1,\"red\":1}",
        "{\"red\":null}",
        "{\"red\":1,\"alpha\":null,\"alpha\":null}",
        "{\"red\":1,\"blue\":1}",
        r#"{"r\u0065d":1}"#,
    ];
    for (name, _) in GOOD {
        for value in values {
            check::<All>(&with(name, Some(value)));
            check::<All>(&shorter(&with(name, Some(value))));
            check::<All>(&format!(r#"{{"{name}":{value}}}"#));
        }
    }
}

/// What is borrowed lies in the request; with an escape in it, it is made.
#[test]
fn texts_can_be_borrowed() {
    let read = |arguments: &str| json::from_raw::<Lent<'_>>(arguments.as_bytes(), &mut [0; 64]).ok();
    let arguments = r#"{"text":"hé","more":["a",""],"inner":{"name":"x"}}"#;
    let lent = looked::<Lent<'_>>(arguments).unwrap();
    let texts = [&lent.text, &lent.more.as_ref().unwrap()[0], &lent.inner.as_ref().unwrap().name];
    assert!(texts.iter().all(|text| matches!(text, Cow::Borrowed(_))), "{lent:?}");
    assert!(arguments.as_bytes().as_ptr_range().contains(&lent.text.as_ptr()));
    assert_eq!(read(arguments), Some(lent));
    for (arguments, fits) in [
        (r#"{"text":"a\nb"}"#, true),
        (r#"{"text":"x","inner":{"name":"\\"}}"#, true),
        (r#"{"text":""}"#, false),
        (r#"{"text":"1234567"}"#, false),
        (r#"{"text":"x","more":["a","b","c"]}"#, false),
        (r#"{"text":"x","inner":{}}"#, false),
    ] {
        assert_eq!(looked::<Lent<'_>>(arguments), None, "{arguments}");
        let value = Value::new(arguments.as_bytes());
        let is_let_through = validate::validate(&Lent::SCHEMA, value, &mut String::new()).is_ok();
        assert_eq!(is_let_through, fits, "{arguments}");
        assert_eq!(fits, is_let_through && read(arguments).is_some(), "{arguments}");
    }
    assert_eq!(read(r#"{"text":"a\nb"}"#).unwrap().text, "a\nb");
}
