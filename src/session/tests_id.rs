//! Session ids: what is issued is read back, and nothing else is.

use crate::limits::{CLOCK_SET_MIN_UNIX_S, SESSION_ID_CHARS_MAX};

use super::id::IdRefusal;
use super::{IdText, Key, PrincipalId, Revision, SessionFields, SessionId, Transport};

const KEY: Key = Key::new([7; 32]);
const NOW: u64 = 1_795_000_000;

fn alice() -> PrincipalId {
    PrincipalId::of_token_hash(&[1; 32])
}

fn fields() -> SessionFields {
    SessionFields {
        revision: Revision::V2025_06_18,
        transport: Transport::Streamable,
        capabilities: 0xbeef,
        issued_unix_s: NOW,
    }
}

fn issue(fields: SessionFields, principal: PrincipalId) -> (SessionId, IdText) {
    SessionId::issue(&KEY, fields, principal, *b"twelve bytes")
}

fn verify(text: &[u8]) -> Result<SessionId, IdRefusal> {
    SessionId::verify(&KEY, text, alice(), NOW, 60)
}

#[test]
fn what_is_issued_is_read_back() {
    for revision in Revision::ALL {
        for transport in [Transport::Streamable, Transport::HttpSse] {
            for capabilities in [0, 1, 0x8000, u16::MAX] {
                for principal in [alice(), PrincipalId::ANYONE] {
                    let fields = SessionFields { revision, transport, capabilities, ..fields() };
                    let (id, text) = issue(fields, principal);
                    let read = SessionId::verify(&KEY, text.as_bytes(), principal, NOW, 0);
                    assert_eq!(read, Ok(id));
                    assert_eq!((id.fields(), id.random()), (fields, *b"twelve bytes"));
                    assert_eq!(id.text(&KEY), text);
                }
            }
        }
    }
}

#[test]
fn an_id_is_short_visible_and_fit_for_a_query() {
    for random in [[0; 12], [0xff; 12], *b"twelve bytes"] {
        let (_, text) = SessionId::issue(&KEY, fields(), alice(), random);
        assert_eq!(text.len(), 48);
        assert!(text.len() <= SESSION_ID_CHARS_MAX);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{text}");
        assert!(text.starts_with(|first: char| first.is_ascii_uppercase()), "{text}");
    }
}

#[test]
fn an_id_keeps_its_form() {
    // Computed by Python's hmac and base64. Ids outlive an update of the server, so the form
    // changes only together with the version in the first byte.
    let (_, text) = issue(fields(), alice());
    assert_eq!(text, "FL7vAGr9hsB0d2VsdmUgYnl0ZXPVajEeVrZwZxeIDS_mlH6y");
}

#[test]
fn every_change_of_one_byte_is_refused() {
    let (_, text) = issue(fields(), alice());
    for position in 0..text.len() {
        for byte in 0..=u8::MAX {
            let mut changed = text.as_bytes().to_vec();
            changed[position] = byte;
            let same = changed == text.as_bytes();
            assert_eq!(verify(&changed).is_ok(), same, "{position} {byte}");
        }
    }
}

#[test]
fn every_other_length_is_refused() {
    let (_, text) = issue(fields(), alice());
    for length in 0..text.len() {
        assert_eq!(verify(&text.as_bytes()[..length]), Err(IdRefusal::Malformed));
    }
    for tail in ["=", "A", " ", "====", "AAAA"] {
        assert_eq!(verify(format!("{text}{tail}").as_bytes()), Err(IdRefusal::Malformed));
    }
    for other in ["60447234b4bd4ce3b24de698b135d3a9", "a3a6ea76-4bd4-4ce3-b24d-e698b135d3a9", "", "é"] {
        assert_eq!(verify(other.as_bytes()), Err(IdRefusal::Malformed));
    }
    // Text of the right length that is not of this format, or of no revision.
    assert_eq!(verify(&[b'A'; 48]), Err(IdRefusal::Malformed));
    assert_eq!(verify(&[b'H'; 48]), Err(IdRefusal::Malformed));
    assert_eq!(verify(&[0xff; 48]), Err(IdRefusal::Malformed));
}

#[test]
fn an_id_is_bound_to_its_principal_and_its_key() {
    let (_, text) = issue(fields(), alice());
    for other in [PrincipalId::ANYONE, PrincipalId::of_token_hash(&[2; 32])] {
        assert_eq!(SessionId::verify(&KEY, text.as_bytes(), other, NOW, 60), Err(IdRefusal::Forged));
    }
    let other = Key::new([8; 32]);
    assert_eq!(SessionId::verify(&other, text.as_bytes(), alice(), NOW, 60), Err(IdRefusal::Forged));
    let (_, text) = issue(fields(), PrincipalId::ANYONE);
    assert_eq!(verify(text.as_bytes()), Err(IdRefusal::Forged));
}

#[test]
fn an_id_expires_by_the_second() {
    let (_, text) = issue(fields(), alice());
    let at = |now, max_age| SessionId::verify(&KEY, text.as_bytes(), alice(), now, max_age).err();
    assert_eq!(at(NOW, 0), None);
    assert_eq!(at(NOW + 60, 60), None);
    assert_eq!(at(NOW + 61, 60), Some(IdRefusal::Expired));
    assert_eq!(at(u64::MAX, 60), Some(IdRefusal::Expired));
    assert_eq!(at(u64::MAX, u64::MAX), None);
    // The clock went back: the device restarted and does not know the time yet.
    assert_eq!(at(0, 0), None);
}

#[test]
fn an_id_from_before_the_clock_was_set_has_no_age() {
    for (issued_unix_s, expires) in [(0, false), (3_000, false), (CLOCK_SET_MIN_UNIX_S, true)] {
        let (_, text) = issue(SessionFields { issued_unix_s, ..fields() }, alice());
        assert_eq!(verify(text.as_bytes()).is_err(), expires, "{issued_unix_s}");
    }
}

#[test]
fn times_past_2038_and_2106_are_kept() {
    for issued_unix_s in [0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0xff_ffff_ffff] {
        let (id, text) = issue(SessionFields { issued_unix_s, ..fields() }, alice());
        let read = SessionId::verify(&KEY, text.as_bytes(), alice(), issued_unix_s + 60, 60);
        assert_eq!(read, Ok(id));
        assert_eq!(id.fields().issued_unix_s, issued_unix_s);
        let late = SessionId::verify(&KEY, text.as_bytes(), alice(), issued_unix_s + 61, 60);
        assert_eq!(late, Err(IdRefusal::Expired));
    }
    let (id, text) = issue(SessionFields { issued_unix_s: u64::MAX, ..fields() }, alice());
    assert_eq!(id.fields().issued_unix_s, 0xff_ffff_ffff);
    assert_eq!(verify(text.as_bytes()), Ok(id));
}
