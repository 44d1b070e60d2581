//! Event ids: what is written is read, and nothing else.

use super::id::END;
use super::*;

fn id(place: Place, request: &str) -> EventId {
    let request = if request.is_empty() { RequestTail::default() } else { RequestTail::of(request.as_bytes()) };
    EventId { boot: 0x0f0c_21aa, client: 17, stream: 9, place, request }
}

#[test]
fn what_is_written_is_read() {
    for (id, text) in [
        (id(Place::Ring(0), ""), "0f0c21aa-17-g9-0"),
        (id(Place::Ring(u64::MAX), ""), "0f0c21aa-17-g9-18446744073709551615"),
        (id(Place::Call(0), ""), "0f0c21aa-17-c9-0"),
        (id(Place::Call(3), "42"), "0f0c21aa-17-c9-3-n42"),
        (id(Place::Call(3), "-42"), "0f0c21aa-17-c9-3-n-42"),
        (id(Place::Call(END), "\"a-b_C-1\""), "0f0c21aa-17-c9-end-sa-b_C-1"),
        (id(Place::Call(END), "\"\""), "0f0c21aa-17-c9-end-s"),
    ] {
        assert_eq!(id.to_string(), text);
        assert_eq!(EventId::parse(text.as_bytes()), Some(id));
    }
}

#[test]
fn the_longest_line_fits() {
    let id = EventId {
        boot: u32::MAX,
        client: u64::MAX,
        stream: u64::MAX,
        place: Place::Call(u32::MAX - 1),
        request: RequestTail::of(format!("\"{}\"", "x".repeat(39)).as_bytes()),
    };
    assert!(!id.request.as_str().is_empty());
    let mut line = String::new();
    write_id(&mut line, &id);
    assert!(line.len() <= crate::limits::EVENT_ID_LINE_BYTES_MAX, "{}", line.len());
}

#[test]
fn nothing_else_is_read() {
    for text in [
        "",
        "-",
        "----",
        "0f0c21aa",
        "0f0c21aa-17",
        "0f0c21aa-17-g9",
        "0f0c21aa-17-g9-",
        "0f0c21aa-17-g9-1-",
        "0f0c21aa-17-g9-1-n1",
        "0f0c21aa-17-x9-1",
        "0f0c21aa-17-9-1",
        "0f0c21aa-17-g9-end",
        "0f0c21aa-17-g9-01",
        "0f0c21aa-17-g9-+1",
        "0f0c21aa-17-g9--1",
        "0f0c21aa-017-g9-1",
        "f0c21aa-17-g9-1",
        "+f0c21aa-17-g9-1",
        "0f0c21ag-17-g9-1",
        "0f0c21aa-17-g9-18446744073709551616",
        "0f0c21aa-17-c9-4294967295",
        "0f0c21aa-17-c9-4294967296",
        "0f0c21aa-17-c9-1-",
        "0f0c21aa-17-c9-1-42",
        "0f0c21aa-17-c9-1-n",
        "0f0c21aa-17-c9-1-n07",
        "0f0c21aa-17-c9-1-n1.5",
        "0f0c21aa-17-c9-1-n--1",
        "0f0c21aa-17-c9-1-sa\"b",
        "0f0c21aa-17-c9-1-sa b",
        "0f0c21aa-17-c9-1-s0123456789012345678901234567890123456789",
        " 0f0c21aa-17-g9-1",
        "0f0c21aa-17-g9-1 ",
        "0f0c21aa-17-g9-1\u{e9}",
    ] {
        assert_eq!(EventId::parse(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(EventId::parse(b"0f0c21aa-17-g9-1\xff"), None);
}

#[test]
fn ids_of_requests_are_repeated_as_json_or_not_at_all() {
    for (json, kept) in [
        ("1", true),
        ("-1", true),
        ("0", true),
        ("\"\"", true),
        ("\"abc\"", true),
        ("\"a-b_c\"", true),
        ("null", false),
        ("1.5", false),
        ("1e3", false),
        ("\"a b\"", false),
        ("\"a\\\"b\"", false),
        ("\"\u{e9}\"", false),
        ("\"", false),
        ("", false),
        ("\"0123456789012345678901234567890123456789\"", false),
    ] {
        let tail = RequestTail::of(json.as_bytes());
        assert_eq!(tail.json().map(|parts| parts.concat()), kept.then(|| json.to_owned()), "{json}");
        assert_eq!(RequestTail::parse(tail.as_str()).is_some(), kept, "{json}");
    }
}
