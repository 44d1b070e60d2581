//! Documents with something wrong in them: the scanner agrees with `serde_json`, and never panics.

use super::tests_paths::{Visit, scan};
use super::{Kind, Span, Value, validate};

/// Holds every span against the document as it is when it is told.
struct Checks;

impl Visit for Checks {
    fn member(&mut self, doc: &[u8], path: &[Span], value: Span, kind: Kind) {
        assert!((1..=3).contains(&path.len()));
        for key in path {
            let quoted = [b"\"", key.of(doc), b"\""].concat();
            assert_eq!(validate(&quoted), Ok(Kind::String));
        }
        assert_eq!(validate(value.of(doc)), Ok(kind));
        assert_eq!(Value::new(value.of(doc)).raw(), value.of(doc));
        assert_eq!(Value::new(value.of(doc)).kind(), kind);
    }
}

const DOCS: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":"\u0061\/","method":"tools\u002fcall","params":{"_meta":{"a":[1,-2.5e+3]},"x":null}}"#,
    r#" [ true , false , null , 0 , -0 , 10.25 , 1E-9 , "" , { } , [ ] , {"a":{"b":{"c":{"d":"e"}}}} ] "#,
    r#"["\ud83d\ude00","\"\\\/\b\f\n\r\t","\u0000\u001f\u0020","é€😀漢字","0123456789abcdef0123456789"]"#,
    r#"{"\u0069d":{"id":"\/"},"":"","a\"b":["\\",{"\\":"\\\\"}],"é":1e5}"#,
    r#"[{"id":"\u0031"},{"id":[2]},[[[["\uD834\uDD1E"]]]]]"#,
    "\"\\u00e9\\ud7ff\\ue000\\uffff\"",
    "-123.456e-78",
];

/// What `serde_json` makes of it: `Ok(None)` where it takes it for JSON but cannot hold it (`1e400`).
fn judge(doc: &[u8]) -> Result<Option<serde_json::Value>, String> {
    match serde_json::from_slice(doc) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.to_string().contains("number out of range") => {
            // It stops there, so the rest is still to be checked: without the values it has no range.
            serde_json::from_slice::<serde::de::IgnoredAny>(doc).map(|_| None).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn check(doc: &[u8]) {
    let read_only = validate(doc);
    let mut bytes = doc.to_vec();
    let in_place = scan(&mut bytes, &mut Checks);
    assert_eq!(read_only, in_place, "{}", doc.escape_ascii());
    let judged = judge(doc);
    assert_eq!(read_only.is_ok(), judged.is_ok(), "{}: {read_only:?}, {judged:?}", doc.escape_ascii());
    if in_place.is_err() {
        return;
    }
    if let Ok(Some(value)) = judged {
        let after: serde_json::Value = serde_json::from_slice(&bytes).expect("normalised");
        assert_eq!(after, value, "{}", doc.escape_ascii());
    }
    let once = bytes.clone();
    assert_eq!(scan(&mut bytes, &mut Checks), in_place);
    assert_eq!(bytes, once, "twice: {}", doc.escape_ascii());
}

/// All that means something to the grammar or to UTF-8, their neighbours, and some that mean nothing.
const BYTES: &[u8] = b"\0\x08\t\n\x0b\x0c\r\x1f !\"#'*+,-./0159:;=AEFU[\\]_abdefglnrstuxz{|}~\x7f\
    \x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xed\xee\xef\xf0\xf1\xf4\xf5\xff";

#[test]
fn every_changed_byte() {
    for doc in DOCS {
        check(doc.as_bytes());
        for at in 0..doc.len() {
            let mut changed = doc.as_bytes().to_vec();
            for byte in BYTES {
                changed[at] = *byte;
                check(&changed);
            }
        }
    }
}

#[test]
fn every_missing_doubled_or_inserted_byte() {
    for doc in DOCS {
        for at in 0..doc.len() {
            let (before, after) = doc.as_bytes().split_at(at);
            check(&[before, &after[1..]].concat());
            check(before);
            check(after);
            for byte in b"\"\\/{}[]:,0e.-+ \n\0u\x7f\x80\xc3\xed\xf0\xff" {
                check(&[before, &[*byte], after].concat());
            }
        }
    }
}

#[test]
fn every_swapped_pair() {
    for doc in DOCS {
        for at in 1..doc.len() {
            let mut changed = doc.as_bytes().to_vec();
            changed.swap(at - 1, at);
            check(&changed);
        }
    }
}

/// A xorshift generator: the same soup each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn soup_of_tokens() {
    let tokens: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"id\"",
        "\"\\u0061\"",
        "\"\\/\"",
        "\"",
        "\\",
        "\\\"",
        "\\u",
        "d83d",
        "\\ud83d",
        "\\ude00",
        "0",
        "-",
        "1",
        ".",
        "e",
        "+",
        "true",
        "null",
        "fals",
        "e",
        " ",
        "\n",
        "é",
        "😀",
        "\u{1}",
        "{\"a\":",
        "[1,",
        "\"id\":",
        "\"x\\n\"",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..40_000 {
        let length = 1 + random.below(8);
        let doc: String = (0..length).map(|_| tokens[random.below(tokens.len())]).collect();
        check(doc.as_bytes());
    }
}

/// A random valid value, in all ways to write it.
fn grow(random: &mut Random, depth: usize, out: &mut String) {
    let spaces = [" ", "", "", "\n\t"];
    out.push_str(spaces[random.below(4)]);
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => out.push_str(["null", "true", "false"][random.below(3)]),
        1 => out.push_str(["0", "-0", "12", "-3.50", "1e5", "0.1E-2", "123456789012"][random.below(7)]),
        2..=4 => grow_string(random, out),
        5 => {
            out.push('[');
            for index in 0..random.below(4) {
                out.push_str(if index == 0 { "" } else { "," });
                grow(random, depth - 1, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..random.below(4) {
                out.push_str(if index == 0 { "" } else { "," });
                grow_string(random, out);
                out.push_str(spaces[random.below(4)]);
                out.push(':');
                grow(random, depth - 1, out);
            }
            out.push('}');
        }
    }
    out.push_str(spaces[random.below(4)]);
}

fn grow_string(random: &mut Random, out: &mut String) {
    let parts = [
        "id",
        "a",
        "plain text of some length",
        "\\u0061",
        "\\u0069\\u0064",
        "\\/",
        "\\\"",
        "\\\\",
        "\\n",
        "\\u000A",
        "\\u0022",
        "\\u005c",
        "\\ud83d\\ude00",
        "é",
        "😀",
        "\\u00E9",
        "\\u2028",
        "/",
        "'",
    ];
    out.push('"');
    for _ in 0..random.below(4) {
        out.push_str(parts[random.below(parts.len())]);
    }
    out.push('"');
}

#[test]
fn random_valid_documents() {
    let mut random = Random(0x0123_4567_89ab_cdef);
    for _ in 0..8_000 {
        let mut doc = String::new();
        grow(&mut random, 5, &mut doc);
        assert!(validate(doc.as_bytes()).is_ok(), "{doc}");
        check(doc.as_bytes());
    }
}
