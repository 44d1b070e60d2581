//! Ids that were seen are taken for what they are, and nothing else is.

use super::id::IdRefusal;
use super::{Key, PrincipalId, Revision, Seen, SessionFields, SessionId, Transport};
use crate::limits::SEEN_IDS;

const KEY: Key = Key::new([7; 32]);
const NOW: u64 = 1_795_000_000;

fn issue(random: [u8; 12], principal: PrincipalId) -> (SessionId, Vec<u8>) {
    let fields = SessionFields {
        revision: Revision::V2025_11_25,
        transport: Transport::Streamable,
        capabilities: 3,
        issued_unix_s: NOW,
    };
    let (id, text) = SessionId::issue(&KEY, fields, principal, random);
    (id, text.as_bytes().to_vec())
}

#[test]
fn what_was_seen_is_what_was_verified() {
    let (seen, alice) = (Seen::new(), PrincipalId::of_token_hash(&[1; 32]));
    let (id, text) = issue(*b"twelve bytes", alice);
    let verify = |text: &[u8], principal| seen.verify(&KEY, text, principal, NOW, 60);
    for _ in 0..3 {
        assert_eq!(verify(&text, alice), Ok(id));
        assert_eq!(verify(&text, PrincipalId::ANYONE), Err(IdRefusal::Forged));
        assert_eq!(verify(&text[1..], alice), Err(IdRefusal::Malformed));
        assert_eq!(seen.verify(&KEY, &text, alice, NOW + 61, 60), Err(IdRefusal::Expired));
    }
    for at in 0..text.len() {
        let mut other = text.clone();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(&other, alice).is_err(), "another at {at}");
        assert_eq!(verify(&text, alice), Ok(id), "behind another at {at}");
    }
}

#[test]
fn as_many_as_there_are_places_for_are_remembered() {
    let seen = Seen::new();
    let ids: Vec<_> = (0..=u8::MAX).take(SEEN_IDS).map(|byte| issue([byte; 12], PrincipalId::ANYONE)).collect();
    for (id, text) in &ids {
        assert_eq!(seen.verify(&KEY, text, PrincipalId::ANYONE, NOW, u64::MAX), Ok(*id));
    }
    // With another key, nothing is right but what was seen.
    let other = Key::new([8; 32]);
    let again = |text: &[u8]| seen.verify(&other, text, PrincipalId::ANYONE, NOW, u64::MAX);
    for (id, text) in &ids {
        assert_eq!(again(text), Ok(*id));
    }
    // Of more, each has the place of one.
    let (one_more, text) = issue([255; 12], PrincipalId::ANYONE);
    assert_eq!(again(&text), Err(IdRefusal::Forged));
    assert_eq!(seen.verify(&KEY, &text, PrincipalId::ANYONE, NOW, u64::MAX), Ok(one_more));
    assert_eq!(again(&text), Ok(one_more));
    assert_eq!(ids.iter().filter(|(_, text)| again(text).is_err()).count(), 1);
}

#[test]
fn more_than_there_are_places_for_take_turns() {
    let seen = Seen::new();
    let ids: Vec<_> = (0..=255).map(|byte| issue([byte; 12], PrincipalId::ANYONE)).collect();
    for _ in 0..2 {
        for (id, text) in &ids {
            assert_eq!(seen.verify(&KEY, text, PrincipalId::ANYONE, NOW, u64::MAX), Ok(*id));
            assert_eq!(seen.verify(&KEY, text, PrincipalId::ANYONE, NOW, u64::MAX), Ok(*id));
        }
    }
}

#[test]
fn those_of_sessions_that_are_over_make_room() {
    let seen = Seen::new();
    let ids =
        |first: u8| -> Vec<_> { (first..).take(SEEN_IDS).map(|byte| issue([byte; 12], PrincipalId::ANYONE)).collect() };
    let verify = |key: &Key, text: &[u8]| seen.verify(key, text, PrincipalId::ANYONE, NOW, u64::MAX);
    // By turns as clients ask: one that made room for another is back at once.
    for first in [0, 64, 128] {
        for _ in 0..3 {
            for (id, text) in &ids(first) {
                assert_eq!(verify(&KEY, text), Ok(*id));
            }
        }
        let known = |(id, text): &&(SessionId, Vec<u8>)| verify(&Key::new([8; 32]), text) == Ok(*id);
        assert_eq!(ids(first).iter().filter(known).count(), SEEN_IDS, "of those from {first} on");
    }
}
