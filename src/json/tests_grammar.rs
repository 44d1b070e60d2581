//! What is JSON and what is not: every production of RFC 8259, and the ways to break it.

use super::error::ScanErrorKind as E;
use super::tests_paths::{Nobody, scan};
use super::{Kind, ScanError, validate};

/// Both ways to scan must say the same.
fn check(doc: &[u8]) -> Result<Kind, ScanError> {
    let read_only = validate(doc);
    let in_place = scan(&mut doc.to_vec(), &mut Nobody);
    assert_eq!(read_only, in_place, "{}", doc.escape_ascii());
    read_only
}

#[rustfmt::skip] // one to a line would be long
const VALID: &[(Kind, &[&str])] = &[
    (Kind::Null, &["null", " null", "null ", "\t\r\n null\t\r\n "]),
    (Kind::Bool, &["true", "false", " false\n"]),
    (
        Kind::Number,
        &[
            "0", "-0", "1", "-1", "10", "9", "1234567890", "0.0", "-0.0", "0.5", "1.0", "1.50", "0e0", "0E0", "0e+1", "0e-1", "1e1", "1E1",
            "1e+1", "1e-1", "1E+10", "1E-10", "1.5e3", "-1.5E-3", "1e01", "1e00", "0.00000000000000000000000001", "1e400", "-1e400",
            "1e99999999999999999999", "123456789012345678901234567890123456789012345678901234567890", "0.1e1", "20e1", "123.456e78",
            "9223372036854775808", "-9223372036854775809", "18446744073709551616",
        ],
    ),
    (
        Kind::String,
        &[
            r#""""#, r#"" ""#, r#""a""#, r#""abc def""#, r#""'""#, r#""/""#, r#""{[,:]}""#, r#""\"""#, r#""\\""#, r#""\/""#, r#""\b\f\n\r\t""#,
            r#""\\\"""#, r#""\\\\""#, r#""\\n""#, r#""\u0000""#, r#""\u001f\u001F""#, r#""\u0022\u005c\u005C\u002f""#, r#""\u00e9\u00E9""#,
            r#""\uffff\uFFFE\uFDD0""#, r#""\ud800\udc00""#, r#""\uDBFF\uDFFF""#, r#""\ud83d\ude00\uD83D\uDE00""#, r#""\u0061""#,
            r#""\u2028\u2029""#, r#""\u0060\u012a\u12AB""#, r#""\\u0061""#, r#""\\\u0061""#, r#""/* no comment */""#, r#""[\"asd\"]""#,
            "\"\u{7f}\"", "\"\u{80}\"", "\"\u{7ff}\u{800}\"", "\"é\"", "\"€\"", "\"\u{d7ff}\u{e000}\"", "\"\u{ffff}\"", "\"\u{10000}\"",
            "\"\u{10ffff}\"", "\"\u{feff}\"", "\"\u{2028}\"", "\"漢字かな漢字かな漢字かな\"", "\"😀 and 😀\"", "\"aaaaaaaé aaaaaaaaaaaaaa€aaaa\"",
            "\"1234567\"", "\"12345678\"", "\"123456789012345\"", "\"1234567890123456\"", r#""1234567\n89012345\n678""#,
        ],
    ),
    (
        Kind::Array,
        &[
            "[]", "[ ]", "[\n]", "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[[],[]]", "[[[1]],[2]]", "[null,true,false,\"\",0,[],{}]", "[\"a\"]",
            "[\"a\",\"b\"]", "[1,null,null,null,2]", "[0,-0]", "[1]\n", " [] ", "[{}]", "[{},{}]", "[{\"a\":[]}]", "[-1]", "[\"\\u0061\" , 1]",
        ],
    ),
    (
        Kind::Object,
        &[
            "{}", "{ }", "{\"\":0}", "{\"a\":1}", "{ \"a\" : 1 }", "{\"a\":1,\"b\":2}", "{\"a\":1 , \"b\":2}", "{\"a\":{}}", "{\"a\":{\"b\":{}}}",
            "{\"a\":[]}", "{\"a\":[{\"b\":[]}]}", "{\"a\":1,\"a\":1}", "{\"a\":1,\"a\":2}", "{\"\\u0000\":1}", "{\"\\u0061\":1}",
            "{\"\\ud83d\\ude00\":\"x\"}", "{\"id\":\"\\u0061\"}", "{\"i\\u0064\":\"\\u0061\"}", "\r\n{\t\"a\"\r:\n1\t}\r\n", "{\"a\":\"\\\"\"}",
            "{\"id\":[\"\\u0061\",{\"id\":1}]}", "{\"é\":null}",
        ],
    ),
];

#[test]
fn the_valid_is_accepted() {
    for (kind, docs) in VALID {
        for doc in *docs {
            assert_eq!(check(doc.as_bytes()), Ok(*kind), "{doc}");
            // And as a part of every other thing.
            for (before, after) in
                [("[", "]"), ("[0,", "]"), ("[", ",0]"), ("{\"a\":", "}"), ("{\"a\":0,\"b\":", ",\"c\":0}"), (" ", " ")]
            {
                let whole = format!("{before}{doc}{after}");
                assert!(check(whole.as_bytes()).is_ok(), "{whole}");
            }
        }
    }
}

#[test]
fn every_prefix_of_the_valid_is_refused() {
    for (kind, docs) in VALID {
        for doc in *docs {
            let doc = doc.trim_end();
            for cut in 0..doc.len() {
                let prefix = &doc.as_bytes()[..cut];
                // A number is the one thing that does not say where it ends.
                if *kind != Kind::Number {
                    assert!(check(prefix).is_err(), "{}", prefix.escape_ascii());
                }
                let open = [b"[0,", prefix].concat();
                assert!(check(&open).is_err(), "{}", open.escape_ascii());
            }
        }
    }
}

#[rustfmt::skip] // one to a line would be long
const INVALID: &[(E, &[&str])] = &[
    (E::EndOfInput, &["", " ", "\n\t", "[", "[[", "[1", "[1,", "[1 ", "{", "{ ", "{\"a\"", "{\"a\" ", "{\"a\":", "{\"a\":1", "{\"a\":1,", "[{"]),
    (E::EndOfInput, &["\"", "\"a", "\"é", r#""\"#, r#""\""#, r#""\\\""#, "t", "tru", "f", "fals", "n", "nul", "[tru"]),
    (E::ByteOrderMark, &["\u{feff}", "\u{feff}1", "\u{feff}{}"]),
    (
        E::ExpectedValue,
        &[
            "]", "}", ",", ":", "[,", "[,1]", "[1,,2]", "[1,]", "[,]", "{\"a\":}", "{\"a\":,}", "{\"a\"::1}", "[}", "'a'", "[a]", "abc", "+1", "[+1]", ".5",
            "[.5]", "NaN", "Infinity", "[Infinity]", "undefined", "(1)", "/*a*/1", "//\n1", "#\n1", "\u{b}1", "\u{c}1", "\u{a0}1", "\u{85}1", "\u{2028}1",
            "\\u0031", "\0", "[\0]", "[\u{feff}1]", "%1", "`a`", "[1,\n]", "<null>", "[*]", "*", "é", "Null", "TRUE", "\u{1}",
        ],
    ),
    (E::Literal, &["nulx", "trux", "falsx", "tRUE", "fALSE", "nULL", "tr ue", "nan", "[nul]", "[nul,1]", "{\"a\":nul}", "tr\"ue", "n\\u0075ll"]),
    (
        E::ExpectedDigit,
        &[
            "-", "--1", "-a", "-.5", "-Infinity", "- 1", "1.", "[1.]", "1.e1", "1.a", "0.", "-0.", "0.e1", "1e", "1E", "1e+", "1e-", "1ea", "1e+a",
            "1ee1", "1e+-1", "[1e]", "0e", "1.5e", "2.e3", "-[", "1e 1", "1. 5", "1.-5", "-e1", "-\"", "0.\u{ff11}",
        ],
    ),
    (E::LeadingZero, &["00", "01", "-00", "-01", "012", "[01]", "00.5", "-012.5", "0123e1"]),
    (
        E::ExpectedName,
        &[
            "{,", "{,}", "{1:1}", "{null:1}", "{a:1}", "{'a':1}", "{\"a\":1,}", "{\"a\":1,,\"b\":2}", "{\"a\":1,1}", "{[]:1}", "{{}:1}", "{:1}", "{]",
            "{\"a\":1,b:2}", "{/**/\"a\":1}", "{\u{a0}\"a\":1}", "{\"a\":1,\u{feff}\"b\":2}",
        ],
    ),
    (E::ExpectedColon, &["{\"a\"}", "{\"a\" 1}", "{\"a\",1}", "{\"a\"=1}", "{\"a\"\"b\"}", "{\"a\";1}", "{\"a\"/**/:1}", "{\"a\"]"]),
    (
        E::ExpectedCommaOrBrace,
        &["{\"a\":1]", "{\"a\":1 \"b\":2}", "{\"a\":1:2}", "{\"a\":1;}", "{\"a\":truex}", "{\"a\":[]]", "{\"a\":\"b\"c}", "{\"a\":1a}", "{\"a\":1.5.5}"],
    ),
    (
        E::ExpectedCommaOrBracket,
        &[
            "[1}", "[1 2]", "[1:2]", "[1;2]", "[\"a\" \"b\"]", "[\"a\"b]", "[1 true]", "[truefalse]", "[nullx]", "[[][]]", "[{}{}]", "[1.5.5]", "[0x1]",
            "[1a]", "[1e1e1]", "[1/**/]", "[1\u{a0}]", "[1\0]", "[1\u{c}]", "[1-1]", "[0+1]", "[1_000]", "[\"a\": 1]", "[\"\" 1]", "[3[4]]",
            "[1f]", "[0.5f]", "[0E1E]",
        ],
    ),
    (
        E::ControlCharacter,
        &["\"\n\"", "\"\t\"", "\"\r\"", "\"\0\"", "\"\u{1f}\"", "\"aaaaaaaaaaaaaaaaaaaa\u{1}\"", "{\"\n\":1}", "\"\\n\n\"", "\"é\n\"", "\"\u{8}"],
    ),
    (
        E::Escape,
        &[
            r#""\a""#, r#""\0""#, r#""\x41""#, r#""\'""#, r#""\ ""#, r#""\U0041""#, r#""\B""#, r#""\N""#, r#""\1""#, r#""\e""#, r#""\v""#, r#""\é""#,
            "\"\\\n\"", "\"\\\0\"", "\"\\\u{1f}\"", r#"{"\a":1}"#, r#""\\\a""#, r#""\{1}""#,
        ],
    ),
    (
        E::UnicodeEscape,
        &[
            r#""\u""#, r#""\u0""#, r#""\u00""#, r#""\u006""#, r#""\u00g1""#, r#""\u+061""#, r#""\u-061""#, r#""\u 061""#, r#""\u{61}""#, r#""\u00é""#,
            r#""\u0061\u""#, r#""\u006\u0061""#, r#""\u0x61""#, r#""\u00_1""#, r#""\u"#, r#""\u00"#, r#""\u:061""#, r#""\u/061""#, r#""\u`061""#, r#""\u@061""#,
        ],
    ),
    (
        E::LoneSurrogate,
        &[
            r#""\ud800""#, r#""\udbff""#, r#""\udc00""#, r#""\udfff""#, r#""\ud800\ud800""#, r#""\udc00\ud800""#, r#""\udc00\udc00""#, r#""\ud800a""#,
            r#""\ud800\n""#, r#""\ud800\u0061""#, r#""\ud800\u""#, r#""\ud800\udc0""#, r#""\ud800\\udc00""#, r#""\ud83d\uD83D\ude00""#, r#""\ud800\ue000""#,
            r#""\uDFAA""#, r#"{"\ud800":1}"#, r#""\ud800 \udc00""#, r#""\ud800\udbff""#, r#""\ud800\"#, r#""\ud800\u"#, r#""\ud800\Udc00""#,
        ],
    ),
    (
        E::Trailing,
        &[
            "1 2", "1,", "1e1.", "{}{}", "[][]", "[]]", "{}}", "[],", "{},", "null null", "truex", "nullx", "truetrue", "\"\"\"\"", "\"a\"b", "1a",
            "1e1e1", "0x1",
            "1.5.5", "1\0", "{}\0", "[]\u{c}", "[]\u{a0}", "{}//", "{}/**/", "{}#", "1;", "\"a\":1", "1\u{feff}", "-0-", "0e1+", "1 000",
        ],
    ),
];

#[test]
fn the_invalid_is_refused_for_what_it_is() {
    for (kind, docs) in INVALID {
        for doc in *docs {
            let error = check(doc.as_bytes()).expect_err(doc);
            assert_eq!(error.kind, *kind, "{doc}: {error}");
            assert!(error.at as usize <= doc.len(), "{doc}: {error}");
            // Whitespace before moves the position and changes nothing else.
            if *kind != E::ByteOrderMark {
                let moved = check(format!("  {doc}").as_bytes()).expect_err(doc);
                assert_eq!((moved.kind, moved.at), (error.kind, error.at + 2), "{doc}");
            }
        }
    }
}

#[test]
fn no_byte_is_whitespace_but_four() {
    for byte in 0..=u8::MAX {
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        for doc in [[byte, b'[', b']'], [b'[', byte, b']'], [b'[', b']', byte]] {
            let inside = doc[1] == byte && (byte.is_ascii_digit());
            assert_eq!(check(&doc).is_ok(), space || inside, "{}", doc.escape_ascii());
        }
    }
}

#[test]
fn utf8_is_checked_as_the_standard_library_does() {
    let mut cases: Vec<Vec<u8>> = Vec::new();
    let edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, b'a'];
    for first in 0x80..=0xff_u8 {
        cases.push(vec![first]);
        for second in edges {
            cases.push(vec![first, second]);
            for third in edges {
                cases.push(vec![first, second, third]);
                // Others begin no character of four bytes.
                let longest = matches!(first, 0xef..=0xf5 | 0xf8 | 0xff);
                for fourth in edges.into_iter().filter(|_| longest) {
                    cases.push(vec![first, second, third, fourth]);
                }
            }
        }
    }
    for case in cases {
        let valid = str::from_utf8(&case).is_ok();
        for (before, after) in
            [("\"", "\""), ("\"1234567", "89012345\""), ("{\"", "\":0}"), ("\"é", "é\""), ("\"\\u0061", "\\u0061\"")]
        {
            let doc = [before.as_bytes(), &case, after.as_bytes()].concat();
            let result = check(&doc);
            assert_eq!(result.is_ok(), valid, "{}", doc.escape_ascii());
            if !valid {
                assert_eq!(result.map_err(|error| error.kind), Err(E::Utf8), "{}", doc.escape_ascii());
            }
        }
        // Outside of strings there is none.
        assert!(check(&case).is_err());
    }
}

#[test]
fn other_encodings_are_refused() {
    for doc in
        [&b"\xff\xfe1\0"[..], b"\xfe\xff\x001", b"1\0", b"\x001", b"[\0]\0", b"\0[\0]", b"\xef\xbb", b"\xef\xbb\xbf"]
    {
        assert!(check(doc).is_err(), "{}", doc.escape_ascii());
    }
}

#[test]
fn errors_tell_where() {
    let cases: &[(&str, &str)] = &[
        ("{\"a\" 1}", "expected ':' after a member name at byte 5"),
        ("[1,]", "expected a value at byte 3"),
        ("[1 2]", "expected ',' or ']' after an element at byte 3"),
        ("{\"a\":1]", "expected ',' or '}' after a member at byte 6"),
        ("\"ab\\q\"", "unknown escape in a string at byte 3"),
        ("\"\\ud800\"", "unpaired surrogate in a string at byte 1"),
        ("[1.x]", "expected a digit at byte 3"),
        ("[012]", "a number must not begin with a superfluous zero at byte 1"),
        ("{} x", "unexpected text after the JSON value at byte 3"),
        ("[\"a", "unexpected end of the JSON text at byte 3"),
        ("[\"a\u{1}\"]", "unescaped control character in a string at byte 3"),
    ];
    for (doc, message) in cases {
        assert_eq!(check(doc.as_bytes()).expect_err(doc).to_string(), *message, "{doc}");
    }
    let deep = check("[".repeat(100).as_bytes()).expect_err("deep");
    assert_eq!(deep.to_string(), "more than 63 levels of nesting at byte 63");
}

#[test]
fn nesting_ends_at_the_limit() {
    for depth in [1_usize, 2, 31, 32, 33, 61, 62, 63] {
        for (open, middle, close) in [("[", "", "]"), ("{\"a\":", "0", "}"), ("[{\"a\":", "[]", "}]")] {
            let levels = open.matches(['[', '{']).count();
            let times = (depth - usize::from(middle == "[]")) / levels;
            let doc = [&open.repeat(times), middle, &close.repeat(times)].concat();
            assert!(check(doc.as_bytes()).is_ok(), "{depth}: {doc}");
        }
    }
    for depth in [64_usize, 65, 127, 128, 100_000] {
        for (open, middle, close) in [("[", "", "]"), ("{\"a\":", "0", "}"), ("[{\"a\":", "0", "}]")] {
            let doc = [&open.repeat(depth), middle, &close.repeat(depth)].concat();
            assert_eq!(check(doc.as_bytes()).expect_err("deep").kind, E::Depth, "{depth}");
            assert_eq!(check(open.repeat(depth).as_bytes()).expect_err("deep").kind, E::Depth, "{depth}");
        }
    }
    // Wide is not deep, and what is closed does not count.
    assert!(check(["[", &"[[]],{\"a\":{}},".repeat(10_000), "1]"].concat().as_bytes()).is_ok());
    let inner = ["[".repeat(62), "]".repeat(62)].concat();
    assert!(check(format!("[{inner},{inner},{inner}]").as_bytes()).is_ok());
}
