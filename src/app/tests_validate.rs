//! The matrix of arguments: every type, good and bad, the message of each refusal; and what is let through can be read.

use super::*;
use crate::json::{self, Value};

crate::args! {
    /// One of everything.
    #[derive(PartialEq)]
    pub(crate) struct All {
        on: bool,
        byte: u8,
        signed: i8,
        big: u64,
        small: i64,
        #[range(-5..=10)]
        bounded: i16,
        float: f32,
        double: f64,
        #[range(0.0..=1.0)]
        share: f32,
        #[len(2..=6)]
        name: heapless::String<6>,
        free: heapless::String<6>,
        #[len(1..=3)]
        owned: String,
        page: String,
        mode: Mode,
        tags: heapless::Vec<heapless::String<4>, 3>,
        #[len(1..=2)]
        list: Vec<u8>,
        color: Color,
        maybe: Option<u8>,
        r#type: Option<Color>,
    }

    #[derive(PartialEq)]
    pub(crate) struct Color {
        red: u8,
        /// Full when absent.
        alpha: Option<u8>,
    }

    pub(crate) enum Mode {
        Slow,
        VeryFast,
        #[name("1/s")]
        EachSecond,
    }

    pub(crate) struct Nothing {}

    #[expect(dead_code, reason = "only its schema is used")]
    pub(crate) struct Described {
        /// Whether the LED is lit.
        on: bool,
        brightness: Option<u8>,
    }
}

/// Arguments for [`All`] without any doubt.
pub(super) const GOOD: &[(&str, &str)] = &[
    ("on", "true"),
    ("byte", "7"),
    ("signed", "-7"),
    ("big", "18446744073709551615"),
    ("small", "-9223372036854775808"),
    ("bounded", "3"),
    ("float", "1.5"),
    ("double", "-1e300"),
    ("share", "0.5"),
    ("name", "\"abc\""),
    ("free", "\"\""),
    ("owned", "\"x\""),
    ("page", "\"page\""),
    ("mode", "\"slow\""),
    ("tags", "[\"a\",\"b\"]"),
    ("list", "[1]"),
    ("color", "{\"red\":1}"),
    ("maybe", "1"),
    ("type", "{\"red\":2,\"alpha\":3}"),
];

/// [`GOOD`] with one member replaced (or left out).
pub(super) fn with(name: &str, value: Option<&str>) -> String {
    let members = GOOD.iter().filter_map(|(other, good)| {
        let value = if *other == name { value? } else { good };
        Some(format!("\"{other}\": {value}"))
    });
    format!("{{ {} }}", members.collect::<Vec<_>>().join(" , "))
}

/// The refusal of `arguments`, or "" where they fit; and that those that fit can be read.
pub(super) fn check<T: for<'look> Arg<'look> + core::fmt::Debug + serde::de::DeserializeOwned>(
    arguments: &str,
) -> String {
    let mut raw = arguments.as_bytes().to_vec();
    json::scan(&mut raw, &mut json::Nobody).unwrap();
    let mut reason = String::new();
    let fits = validate::validate(&T::SCHEMA, Value::new(&raw), &mut reason).is_ok();
    assert_eq!(fits, reason.is_empty(), "{arguments}: {reason}");
    if fits {
        let read = json::from_raw::<T>(&raw, &mut [0; 64]);
        assert!(read.is_ok(), "let through, but not read: {arguments}");
    }
    // What one look decides, the two decide so, too.
    if let Some(looked) = one_look::at_one_look::<T>(Value::new(&raw)) {
        assert!(fits, "not let through, but read at one look: {arguments}: {reason}");
        let read = json::from_raw::<T>(&raw, &mut []);
        assert_eq!(format!("{:?}", Ok::<_, json::TypedError>(looked)), format!("{read:?}"), "{arguments}");
    }
    reason
}

#[track_caller]
fn accepts(name: &str, values: &[&str]) {
    for value in values {
        assert_eq!(check::<All>(&with(name, Some(value))), "", "{name}: {value}");
    }
}

#[track_caller]
fn refuses(name: &str, expected: &str, values: &[&str]) {
    for value in values {
        let shown: String =
            value.chars().take(60).chain(if value.chars().count() > 60 { "..." } else { "" }.chars()).collect();
        assert_eq!(
            check::<All>(&with(name, Some(value))),
            format!("argument `{name}`: expected {expected}, got {shown}")
        );
    }
}

#[test]
fn what_is_good_is_read() {
    let all: All = json::from_raw(with("", None).as_bytes(), &mut [0; 64]).unwrap();
    assert_eq!((all.big, all.small, all.mode), (u64::MAX, i64::MIN, Mode::Slow));
    assert_eq!(all.r#type, Some(Color { red: 2, alpha: Some(3) }));
    assert_eq!(check::<All>(&with("", None)), "");
    assert_eq!(check::<Nothing>("{}"), "");
    assert_eq!(check::<Nothing>(" {\n} "), "");
}

#[test]
fn booleans() {
    accepts("on", &["true", "false"]);
    refuses("on", "true or false", &["null", "1", "\"true\"", "[]", "{}"]);
}

#[test]
fn integers() {
    accepts("byte", &["0", "255"]);
    refuses(
        "byte",
        "an integer from 0 to 255",
        &["300", "256", "-1", "-0", "1.5", "null", "\"7\"", "true", "[7]", "{}", "1e99"],
    );
    accepts("signed", &["-128", "127", "0", "-0"]);
    refuses("signed", "an integer from -128 to 127", &["-129", "128"]);
    accepts("big", &["0", "18446744073709551615"]);
    refuses("big", "an integer from 0 to 18446744073709551615", &["18446744073709551616", "-1"]);
    accepts("small", &["9223372036854775807"]);
    refuses(
        "small",
        "an integer from -9223372036854775808 to 9223372036854775807",
        &["9223372036854775808", "-9223372036854775809"],
    );
    accepts("bounded", &["-5", "10", "0", "-0"]);
    refuses("bounded", "an integer from -5 to 10", &["-6", "11", "300000"]);
}

#[test]
fn integers_with_a_fraction() {
    for value in ["1.0", "1e1", "10E0"] {
        assert_eq!(
            check::<All>(&with("byte", Some(value))),
            format!(
                "argument `byte`: expected an integer from 0 to 255, got {value}: write it without fraction or exponent"
            )
        );
    }
}

#[test]
fn numbers() {
    accepts("float", &["0", "-1", "-0", "1e38", "-3.4028234663852886e38", "1E-400", "0.1"]);
    refuses(
        "float",
        "a number from -3.4028234663852886e38 to 3.4028234663852886e38",
        &["1e39", "-1e39", "1e999", "null", "\"1\""],
    );
    accepts("double", &["1.7976931348623157e308", "1E+5", "123456789012345678901234567890"]);
    refuses("double", "a number of 64 bits", &["1e309", "-1e309", "null", "[]"]);
    accepts("share", &["0", "1", "0.0", "1.0", "1e-1"]);
    refuses("share", "a number from 0.0 to 1.0", &["1.01", "-0.01", "2", "null"]);
}

#[test]
fn texts() {
    accepts("name", &["\"ab\"", "\"abcdef\"", "\"äöü\"", "\"\\n\\\"\\\\\\t\\u0001b\""]);
    refuses("name", "a string of 2 to 6 characters", &["null", "12", "[\"ab\"]", "{}", "true"]);
    accepts("name", &[r#""\ud83d\ude00x""#, r#""\u00e4\/""#, r#""\u0000\u001f""#]);
    accepts("free", &["\"\"", "\"\\n\"", "\"\\n\\n\\n\\n\\n\\n\""]);
    for (name, value, message) in [
        ("name", "\"a\"", "expected a string of 2 to 6 characters, got 1 characters"),
        ("name", "\"abcdefg\"", "expected a string of 2 to 6 characters, got 7 characters"),
        ("name", "\"äöüß\"", "expected a string of at most 6 bytes, got 8 bytes"),
        ("free", "\"abcdefg\"", "expected a string of at most 6 characters, got 7 characters"),
        ("owned", "\"\"", "expected a string of 1 to 3 characters, got 0 characters"),
        ("owned", "\"abcd\"", "expected a string of 1 to 3 characters, got 4 characters"),
    ] {
        assert_eq!(check::<All>(&with(name, Some(value))), format!("argument `{name}`: {message}"));
    }
    accepts("owned", &["\"x\"", "\"\u{1F600}\u{1F600}\u{1F600}\""]);
    accepts("page", &[&format!("\"{}\"", "x".repeat(1024))]);
    let long = format!("\"{}\"", "x".repeat(1025));
    assert_eq!(
        check::<All>(&with("page", Some(&long))),
        "argument `page`: expected a string of at most 1024 characters, got 1025 characters"
    );
}

#[test]
fn names() {
    accepts("mode", &["\"slow\"", "\"very_fast\"", "\"1/s\"", r#""\u0073low""#, r#""1\/s""#]);
    refuses(
        "mode",
        "one of `slow`, `very_fast`, `1/s`",
        &["\"Slow\"", "\"\"", "0", "null", "{\"slow\":null}", "\"each_second\""],
    );
}

#[test]
fn arrays() {
    accepts("tags", &["[]", "[\"a\",\"b\",\"abcd\"]", "[ \"\" ]"]);
    refuses("tags", "an array of at most 3 items", &["null", "\"a\"", "{}", "1"]);
    accepts("list", &["[0]", "[0,255]"]);
    for (name, value, message) in [
        ("tags", "[\"\",\"\",\"\",\"\"]", "`tags`: expected an array of at most 3 items, got 4 items"),
        ("tags", "[\"\",\"\",1]", "`tags[2]`: expected a string of at most 4 characters, got 1"),
        ("tags", "[\"\",null]", "`tags[1]`: expected a string of at most 4 characters, got null"),
        ("list", "[]", "`list`: expected an array of 1 to 2 items, got 0 items"),
        ("list", "[1,2,3]", "`list`: expected an array of 1 to 2 items, got 3 items"),
        ("list", "[1,256]", "`list[1]`: expected an integer from 0 to 255, got 256"),
        ("list", "[[1]]", "`list[0]`: expected an integer from 0 to 255, got [1]"),
    ] {
        assert_eq!(check::<All>(&with(name, Some(value))), format!("argument {message}"));
    }
}

#[test]
fn objects_in_objects() {
    accepts("color", &["{\"red\":1,\"alpha\":null}", "{\"alpha\":0,\"red\":255}"]);
    refuses("color", "an object", &["null", "[]", "\"red\"", "1"]);
    accepts("type", &["null"]);
    for (value, message) in [
        ("{\"red\":256}", "argument `color.red`: expected an integer from 0 to 255, got 256"),
        ("{\"red\":null}", "argument `color.red`: expected an integer from 0 to 255, got null"),
        ("{}", "missing argument `color.red`: expected an integer from 0 to 255"),
        ("{\"red\":1,\"blue\":2}", "unknown argument `color.blue`: expected `red`, `alpha`"),
        ("{\"red\":1,\"red\":1}", "argument `color.red` is given twice"),
    ] {
        assert_eq!(check::<All>(&with("color", Some(value))), message);
    }
}

#[test]
fn absent_and_null() {
    for (name, _) in GOOD {
        let (absent, null) = (check::<All>(&with(name, None)), check::<All>(&with(name, Some("null"))));
        if matches!(*name, "maybe" | "type") {
            assert_eq!((&*absent, &*null), ("", ""));
        } else {
            assert!(absent.starts_with(&format!("missing argument `{name}`: expected ")), "{absent}");
            assert!(null.ends_with(", got null"), "{null}");
        }
    }
    assert_eq!(check::<Described>("{}"), "missing argument `on`: Whether the LED is lit.");
}

#[test]
fn twice() {
    for (name, value) in GOOD {
        let twice = format!("\"{name}\": {value}, \"{name}\": {value}");
        let arguments = with(name, Some(value)).replacen(&format!("\"{name}\": {value}"), &twice, 1);
        assert_eq!(check::<All>(&arguments), format!("argument `{name}` is given twice"));
    }
    assert_eq!(
        check::<Described>(r#"{"on":true,"brightness":null,"brightness":1}"#),
        "argument `brightness` is given twice"
    );
}

#[test]
fn unknown() {
    assert_eq!(
        check::<Described>(r#"{"on":true,"brightnes":1}"#),
        "unknown argument `brightnes`: expected `on`, `brightness`"
    );
    assert_eq!(check::<Described>(r#"{"On":true}"#), "unknown argument `On`: expected `on`, `brightness`");
    assert_eq!(check::<Nothing>(r#"{"x":1}"#), "unknown argument `x`: expected none");
    assert_eq!(check::<Nothing>(r#"{"a\nb":1}"#), "unknown argument `a?b`: expected none");
    assert_eq!(check::<Nothing>(r#"{"":1}"#), "unknown argument ``: expected none");
    let long = format!("{{\"{}\":1}}", "ä".repeat(61));
    assert_eq!(check::<Nothing>(&long), format!("unknown argument `{}...`: expected none", "ä".repeat(60)));
}

#[test]
fn not_an_object() {
    for value in ["null", "1", "[1]", "\"on\"", "true"] {
        assert_eq!(check::<Described>(value), format!("arguments: expected an object, got {value}"));
    }
}

#[test]
fn what_came_is_cut_and_cleaned() {
    let value = format!("[\n{}0]", "\"ä\",".repeat(40));
    let shown: String = value.replace('\n', "?").chars().take(60).collect();
    let reason = check::<Described>(&format!("{{\"on\":{value}}}"));
    assert_eq!(reason, format!("argument `on`: expected true or false, got {shown}..."));
}

#[test]
fn a_verbatim_schema_wants_an_object() {
    let schema = Schema::Verbatim(r#"{"type":"object"}"#);
    let check = |raw: &str| validate::validate(&schema, Value::new(raw.as_bytes()), &mut String::new()).is_ok();
    assert!(check(r#"{"whatever":[1]}"#));
    assert!(!check("[]"));
}

#[test]
fn a_schema_by_hand_that_is_too_deep_is_refused() {
    const fn nest(items: &'static Schema) -> Schema {
        Schema::Array { items, items_min: 0, items_max: 9 }
    }
    static DEEP: [Schema; 10] = [
        Schema::Bool,
        nest(&DEEP[0]),
        nest(&DEEP[1]),
        nest(&DEEP[2]),
        nest(&DEEP[3]),
        nest(&DEEP[4]),
        nest(&DEEP[5]),
        nest(&DEEP[6]),
        nest(&DEEP[7]),
        nest(&DEEP[8]),
    ];
    let check = |levels: usize| {
        let raw = format!("{}true{}", "[".repeat(levels), "]".repeat(levels));
        let mut reason = String::new();
        let _ = validate::validate(&DEEP[levels], Value::new(raw.as_bytes()), &mut reason);
        reason
    };
    assert_eq!(check(8), "");
    assert_eq!(check(9), "argument `[0][0][0][0][0][0][0][0]` nests deeper than 8 levels");
}
