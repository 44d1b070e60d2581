//! Tokens: who is let in, who is not, and what is said.

use crate::limits::BEARER_TOKEN_BYTES_MAX;
use crate::session::PrincipalId;

use super::{BearerRefusal, Guard, GuardOptions, Token};

const ALICE: &str = "alice-0123456789";
const BOB: &str = "Bob._~+/==";
const NOW: u64 = 1_800_000_000;

fn guard(tokens: &[&str]) -> Guard {
    let tokens = tokens.iter().map(Token::new).collect();
    Guard::new(&GuardOptions { tokens, ..GuardOptions::default() }).unwrap()
}

fn bearer(guard: &Guard, fields: &[&str]) -> Result<PrincipalId, BearerRefusal> {
    guard.bearer(fields.iter().map(|field| field.as_bytes()), NOW).map(|principal| principal.id())
}

#[test]
fn without_a_token_everybody_is_anyone() {
    let guard = guard(&[]);
    assert!(guard.is_open());
    for fields in [&[][..], &["Bearer x"], &["Basic eA=="], &["", "\0"], &["Bearer x", "Bearer y"]] {
        assert_eq!(bearer(&guard, fields), Ok(PrincipalId::ANYONE));
    }
}

#[test]
fn a_token_lets_in_however_the_scheme_is_spelled() {
    let guard = guard(&[ALICE, BOB]);
    assert!(!guard.is_open());
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer    ", " Bearer "] {
        for token in [ALICE, BOB] {
            assert!(bearer(&guard, &[&format!("{scheme}{token}")]).is_ok(), "{scheme}{token}");
        }
    }
}

#[test]
fn a_principal_is_its_token_and_not_its_place() {
    let first = guard(&[ALICE, BOB]);
    let second = guard(&[BOB, "new-token", ALICE, ALICE]);
    for token in [ALICE, BOB] {
        let field = format!("Bearer {token}");
        assert_eq!(bearer(&first, &[&field]), bearer(&second, &[&field]));
        assert_ne!(bearer(&first, &[&field]), Ok(PrincipalId::ANYONE));
    }
    assert_ne!(bearer(&first, &[&format!("Bearer {ALICE}")]), bearer(&first, &[&format!("Bearer {BOB}")]));
}

#[test]
fn what_is_refused_and_how() {
    use BearerRefusal::{Duplicate, Malformed, Missing, Wrong};
    let guard = guard(&[ALICE, BOB]);
    let good = format!("Bearer {ALICE}");
    let longer = format!("Bearer {ALICE}0");
    let shorter = &good[..good.len() - 1];
    let longest = format!("Bearer {}", "x".repeat(BEARER_TOKEN_BYTES_MAX));
    let too_long = format!("Bearer {}", "x".repeat(BEARER_TOKEN_BYTES_MAX + 1));
    let table: [(&[&str], BearerRefusal); 23] = [
        (&[], Missing),
        (&[""], Missing),
        (&["Basic YWxpY2U6eA=="], Missing),
        (&["Digest a=b"], Missing),
        (&["alice-0123456789"], Missing),
        (&["Bearerx"], Missing),
        (&["Bearer:alice-0123456789"], Missing),
        (&["Bearer\talice-0123456789"], Missing),
        (&["Bearer ALICE-0123456789"], Wrong),
        (&[&longer], Wrong),
        (&[shorter], Wrong),
        (&["Bearer x"], Wrong),
        (&[&longest], Wrong),
        (&[&too_long], Wrong),
        (&["Bearer"], Malformed),
        (&["Bearer  "], Malformed),
        (&["Bearer ="], Malformed),
        (&["Bearer a b"], Malformed),
        (&["Bearer a=b"], Malformed),
        (&["Bearer \"alice-0123456789\""], Malformed),
        (&["Bearer alice-0123456789, Bearer x"], Malformed),
        (&[&good, &good], Duplicate),
        (&["", &good], Duplicate),
    ];
    for (fields, refusal) in table {
        assert_eq!(bearer(&guard, fields), Err(refusal), "{fields:?}");
    }
    assert_eq!(guard.bearer([&b"Bearer \xff\x00"[..]].into_iter(), NOW), Err(Malformed));
    assert_eq!(
        [Missing, Wrong, Duplicate].map(BearerRefusal::error),
        [None, Some("invalid_token"), Some("invalid_request")]
    );
    assert_eq!([Missing, Wrong, Duplicate, Malformed].map(BearerRefusal::status), [401, 401, 400, 400]);
}

#[test]
fn what_was_made_up_is_a_guess() {
    use crate::oauth::TokenRefusal::{Audience, Early, Issuer, Key, Malformed as Unreadable, Signature};
    use BearerRefusal::{Access, Duplicate, Expired, InQuery, Malformed, Missing, NoClock, Wrong};
    for guess in [Wrong, Access(Unreadable), Access(Signature)] {
        assert!(guess.is_guess(), "{guess:?}");
    }
    for mistake in [Missing, Duplicate, Malformed, Expired, NoClock, InQuery] {
        assert!(!mistake.is_guess(), "{mistake:?}");
    }
    for mistake in [Audience, Early, Issuer, Key] {
        assert!(!Access(mistake).is_guess(), "{mistake:?}");
    }
}

#[test]
fn every_change_of_one_bit_is_refused() {
    let guard = guard(&[BOB, ALICE]);
    let good = format!("Bearer {ALICE}").into_bytes();
    assert!(guard.bearer([&good[..]].into_iter(), NOW).is_ok());
    for position in 7..good.len() {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[position] ^= 1 << bit;
            assert!(guard.bearer([&changed[..]].into_iter(), NOW).is_err(), "{position} {bit}");
        }
    }
}

#[test]
fn a_token_is_never_shown() {
    let shown = format!("{:?}", guard(&[ALICE, BOB]));
    assert!(shown.contains("Tokens(2)") && !shown.contains("alice") && !shown.contains("Bob"), "{shown}");
    let hash = guard(&[ALICE]).bearer([format!("Bearer {ALICE}").as_bytes()].into_iter(), NOW);
    assert_eq!(format!("{hash:?}"), "Ok(Principal { id: Principal(of a token), .. })");
}
