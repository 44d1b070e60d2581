//! What goes over many bytes at once finds the same as what goes over one after the other.

use super::class::{TOKEN, VALUE, is, skip_letters, skip_values};
use super::known::Known;

#[test]
fn values_end_where_a_byte_ends_them() {
    for byte in 0..=u8::MAX {
        for length in 0..20 {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                text[at] = byte;
                for from in 0..=length {
                    let expected = (from..length).find(|at| !is(text[*at], VALUE)).unwrap_or(length);
                    assert_eq!(skip_values(&text, from), expected, "{byte:#x} at {at} of {length}, from {from}");
                }
            }
        }
    }
    assert_eq!(skip_values(b"\t\t\t\t\t\t\t\t\t\x7f\x80", 0), 9);
    assert_eq!(skip_values(b"a", 7), 7);
}

#[test]
fn letters_are_counted_in_whole_words() {
    let is_counted = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
    for byte in 0..=u8::MAX {
        for at in 0..16 {
            let mut text = *b"Mcp-Session-Id-z";
            text[at] = byte;
            let expected = if is_counted(byte) { text.len() } else { at };
            assert_eq!(skip_letters(&text, 0), expected, "{byte:#x} at {at}");
            assert!(skip_letters(&text[..at], 0) <= at);
        }
    }
}

#[test]
fn known_names_are_found_in_any_case_and_no_others() {
    for (known, text) in Known::ALL {
        assert_eq!(Known::of(text.as_bytes()), Some(*known));
        assert_eq!(Known::of(text.to_ascii_uppercase().as_bytes()), Some(*known));
        for at in 0..text.len() {
            for byte in (0..=u8::MAX).filter(|byte| is(*byte, TOKEN)) {
                let mut name = text.as_bytes().to_vec();
                name[at] = byte;
                let expected = Known::ALL.iter().find(|(_, text)| text.as_bytes().eq_ignore_ascii_case(&name));
                assert_eq!(Known::of(&name), expected.map(|(known, _)| *known), "{}", name.escape_ascii());
            }
        }
        assert_eq!(Known::of(&text.as_bytes()[1..]), None);
    }
    assert_eq!(Known::of(b""), None);
    assert_eq!(Known::of(&[b'a'; 39]), None);
}
