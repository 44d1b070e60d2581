//! Views of values.

use super::{Kind, Text, Value};

fn value(raw: &str) -> Value<'_> {
    Value::new(raw.as_bytes())
}

#[test]
fn kinds_and_scalars() {
    let cases = [
        ("null", Kind::Null),
        ("true", Kind::Bool),
        ("false", Kind::Bool),
        ("-1", Kind::Number),
        ("0.5", Kind::Number),
        ("\"\"", Kind::String),
        ("[]", Kind::Array),
        ("{}", Kind::Object),
    ];
    for (raw, kind) in cases {
        assert_eq!(value(raw).kind(), kind);
        let padded = format!(" \n{raw}\t ");
        assert_eq!(value(&padded).kind(), kind);
        assert_eq!(value(&padded).raw(), raw.as_bytes());
        assert_eq!(value(raw).as_bool(), raw.parse().ok());
        assert_eq!(value(raw).as_f64(), raw.parse().ok());
        assert_eq!(value(raw).as_text().is_some(), kind == Kind::String);
        assert_eq!((value(raw).members().count(), value(raw).elements().count()), (0, 0));
        assert!(value(raw).get("a").is_none());
        if kind != Kind::Number {
            assert_eq!((value(raw).as_i64(), value(raw).as_u64()), (None, None));
        }
    }
}

#[test]
fn integers_are_exact_or_none() {
    let both: &[(&str, i64)] = &[
        ("0", 0),
        ("-0", 0),
        ("0.0", 0),
        ("-0.0e5", 0),
        ("0e99999999999999999999", 0),
        ("1", 1),
        ("1.0", 1),
        ("1.000", 1),
        ("1e2", 100),
        ("1E+2", 100),
        ("100e-2", 1),
        ("12.5e1", 125),
        ("0.001e3", 1),
        ("1.50e1", 15),
        ("120e-1", 12),
        ("9007199254740993", 9_007_199_254_740_993),
        ("9223372036854775807", i64::MAX),
        ("9223372036854775807.0", i64::MAX),
        ("922337203685477580.7e1", i64::MAX),
        ("1e18", 1_000_000_000_000_000_000),
        ("10000000000000000000000e-20", 100),
        ("1e0", 1),
        ("0.1e1", 1),
        ("1e-0", 1),
        ("10e-01", 1),
    ];
    for (raw, number) in both {
        assert_eq!(value(raw).as_i64(), Some(*number), "{raw}");
        assert_eq!(value(raw).as_u64(), u64::try_from(*number).ok(), "{raw}");
    }
}

#[test]
fn what_is_no_integer_or_out_of_range_is_none() {
    for raw in [
        "1.5",
        "1e-1",
        "0.1",
        "-0.5",
        "15e-1",
        "1e-99999999999999999999",
        "1e99999999999999999999",
        "1e400",
        "1e20",
        "18446744073709551616",
        "100000000000000000000",
    ] {
        assert_eq!((value(raw).as_i64(), value(raw).as_u64()), (None, None), "{raw}");
    }
    let unsigned: &[(&str, u64)] = &[
        ("9223372036854775808", 9_223_372_036_854_775_808),
        ("18446744073709551615", u64::MAX),
        ("1844674407370955161.5e1", u64::MAX),
        ("1e19", 10_000_000_000_000_000_000),
    ];
    for (raw, number) in unsigned {
        assert_eq!((value(raw).as_i64(), value(raw).as_u64()), (None, Some(*number)), "{raw}");
    }
    let signed: &[(&str, i64)] = &[
        ("-1", -1),
        ("-1.0", -1),
        ("-9223372036854775808", i64::MIN),
        ("-1e18", -1_000_000_000_000_000_000),
        ("-12e1", -120),
    ];
    for (raw, number) in signed {
        assert_eq!((value(raw).as_i64(), value(raw).as_u64()), (Some(*number), None), "{raw}");
    }
    assert_eq!(value("-9223372036854775809").as_i64(), None);
    assert_eq!(value("\"1\"").as_i64(), None);
    // The scanner lets any length through.
    let long = format!("{}.0e-{}", "1".to_owned() + &"0".repeat(5000), 4999);
    assert_eq!(value(&long).as_u64(), Some(10));
}

#[test]
fn floats() {
    for (raw, number) in [
        ("0", 0.0),
        ("-1.5e3", -1500.0),
        ("1e-400", 0.0),
        ("0.1", 0.1),
        ("1e308", 1e308),
        ("123456789012345678901234567890", 1.234_567_890_123_456_8e29),
    ] {
        assert_eq!(value(raw).as_f64(), Some(number), "{raw}");
    }
    for raw in ["1e309", "-1e309", "null", "\"1\"", "NaN", "inf", "infinity", ""] {
        assert_eq!(value(raw).as_f64(), None, "{raw}");
    }
}

fn members(raw: &str) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    value(raw).members().map(|(name, value)| (name.chars().collect(), text(value.raw()))).collect()
}

#[test]
fn objects_and_arrays() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(members("{ }"), []);
    assert_eq!(
        members(r#" { "a" : 1 , "b":"x,}\"" ,"c":[1,{"d":"]"}],"e":{"f":{}},"g":null,"\n\u0061"  :true} "#),
        [
            pair("a", "1"),
            pair("b", r#""x,}\"""#),
            pair("c", r#"[1,{"d":"]"}]"#),
            pair("e", r#"{"f":{}}"#),
            pair("g", "null"),
            pair("\na", "true"),
        ]
    );
    assert_eq!(members("[1,2]"), []);
    let elements: Vec<&[u8]> =
        value(r#" [ 1 , "a" ,[],[[2]] , {"b":[]},-3.5e1,true] "#).elements().map(Value::raw).collect();
    assert_eq!(elements, [&b"1"[..], b"\"a\"", b"[]", b"[[2]]", b"{\"b\":[]}", b"-3.5e1", b"true"]);
    assert_eq!(value("{\"a\":1}").elements().count(), 0);
    assert_eq!(value("[ ]").elements().count(), 0);
}

#[test]
fn getting_a_member() {
    let object = value(r#"{"a":{"b":[1,{"c":"d"}]},"x":1,"x":2,"q\"":3,"\u0075":4,"":5,"é":6}"#);
    let inner =
        object.get("a").and_then(|a| a.get("b")).and_then(|b| b.elements().nth(1)).and_then(|e| e.get("c")).unwrap();
    assert!(inner.as_text().unwrap().eq_str("d"));
    for (name, expected) in [("q\"", 3), ("u", 4), ("", 5), ("é", 6)] {
        assert_eq!(object.get(name).and_then(Value::as_i64), Some(expected), "{name}");
    }
    assert!(object.get("y").is_none());
    assert!(object.get("x").is_none(), "it comes twice");
    assert!(value(r#"{"x":1,"\u0078":1}"#).get("x").is_none());
    assert!(object.get("b").is_none());
}

#[test]
fn text_decodes_every_escape() {
    let cases = [
        ("", ""),
        ("abc", "abc"),
        ("é€😀", "é€😀"),
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r"\u0000\u001f\u0061", "\0\u{1f}a"),
        (r"\ud83d\ude00x\uD834\udd1e", "😀x\u{1d11e}"),
        (r"plain \u00e9 é \\u0061 \n", "plain é é \\u0061 \n"),
        (r"\\", "\\"),
    ];
    for (raw, decoded) in cases {
        let text = Text::new(raw.as_bytes());
        assert_eq!(text.chars().collect::<String>(), decoded);
        assert_eq!(text.to_string(), decoded);
        assert_eq!(text.decoded_len(), decoded.len());
        assert!(text.eq_str(decoded));
        assert!(!text.eq_str(&format!("{decoded}x")));
        assert!(
            decoded.is_empty() || !text.eq_str(&decoded[..decoded.len() - decoded.chars().last().unwrap().len_utf8()])
        );
        assert_eq!(text.plain(), if raw.contains('\\') { None } else { Some(decoded) });
    }
    assert!(!Text::new(b"a\\u0062").eq_str("a\\u0062"));
}

#[test]
fn what_was_never_scanned_does_not_panic() {
    let doc = br#"{"a":[1,"\u00e9\ud83d\ude00\n\\",{"b":-1.5e+3}],"c" : true}"#;
    let look = |raw: &[u8]| {
        let value = Value::new(raw);
        let mut count = 0;
        for (name, value) in value.members() {
            count += name.chars().count() + name.decoded_len() + value.elements().count() + value.members().count();
            let _ = (name.plain(), name.eq_str("a"), value.as_i64(), value.as_u64(), value.as_f64());
        }
        for value in value.elements() {
            count += value.elements().count();
            let _ = (value.as_text().map(|text| text.chars().count()), value.as_i64());
        }
        let _ = (value.kind(), value.as_bool(), value.as_i64(), value.as_f64(), value.get("a"), format!("{value:?}"));
        assert!(count < 200);
    };
    for at in 0..doc.len() {
        look(&doc[at..]);
        look(&doc[..at]);
        let mut changed = doc.to_vec();
        for byte in 0..=u8::MAX {
            changed[at] = byte;
            look(&changed);
            look(&changed[5..]);
        }
    }
    for raw in [
        "-", "e", "-e", ".", "1e", "1.e", "-.", "1a", "1.a", "1ea", "1e+", "\"", "{", "[", "{\"", "[1", "{\"a\":",
        "\"\\", "[\"\\",
    ] {
        look(raw.as_bytes());
    }
}

#[test]
fn characters_are_counted() {
    for (raw, count) in [("", 0), ("hello", 5), ("h\u{e9}llo \u{1f600}!", 8), (r#"a\nb\"c"#, 5), ("\u{ffff}\u{80}", 2)]
    {
        let text = Text::new(raw.as_bytes());
        assert_eq!((text.count_chars(), text.chars().count()), (count, count), "{raw}");
    }
}

#[test]
fn text_is_compared_through_its_escapes() {
    for (raw, other, same) in [
        ("a", "a", true),
        ("a", "b", false),
        ("ab", "a", false),
        ("a", "ab", false),
        (r"a\n", "a\n", true),
        (r"a\n", r"a\n", false),
        (r"\u0061", "a", true),
        (r"\\", "\\", true),
        (r"\\", "\\\\", false),
    ] {
        assert_eq!(Text::new(raw.as_bytes()).eq_str(other), same, "{raw} {other}");
    }
}
