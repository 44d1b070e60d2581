//! Tokens with names, scopes and an end: who is let in for what, and who loses it when they change.

use crate::limits::{CLOCK_SET_MIN_UNIX_S, PRINCIPAL_NAME_BYTES_MAX, SCOPES_BYTES_MAX, SCOPES_MAX, TOKENS_MAX};
use crate::session::{Principal, PrincipalId};

use super::{BearerRefusal, Guard, GuardOptions, Token};

const NOW: u64 = CLOCK_SET_MIN_UNIX_S + 1000;

fn guard(tokens: Vec<Token>) -> Guard {
    Guard::new(&GuardOptions { tokens, ..GuardOptions::default() }).unwrap()
}

fn enter(guard: &Guard, token: &str, unix_s: u64) -> Result<Principal, BearerRefusal> {
    guard.bearer([format!("Bearer {token}").as_bytes()].into_iter(), unix_s)
}

fn id(guard: &Guard, token: &str) -> PrincipalId {
    enter(guard, token, NOW).unwrap().id()
}

fn error(tokens: Vec<Token>) -> String {
    Guard::new(&GuardOptions { tokens, ..GuardOptions::default() }).unwrap_err().to_string()
}

#[test]
fn names_and_scopes_are_the_tokens() {
    let tokens = vec![
        Token::new("one"),
        Token::new("two").name("kitchen").scopes(["read", "lights"]),
        Token::new("three").name("guest").scopes::<&str>([]),
    ];
    let guard = guard(tokens);
    let may = |token, scope| enter(&guard, token, NOW).unwrap().has_scope(scope);
    let table = [
        ("one", "read", true),
        ("one", "whatever", true),
        ("two", "read", true),
        ("two", "lights", true),
        ("two", "light", false),
        ("two", "lights read", false),
        ("two", "READ", false),
        ("two", "", false),
        ("three", "read", false),
        ("three", "", false),
    ];
    for (token, scope, expected) in table {
        assert_eq!(may(token, scope), expected, "{token} {scope:?}");
    }
    let kitchen = enter(&guard, "two", NOW).unwrap();
    assert_eq!((kitchen.name(), kitchen.has_every_scope()), (Some("kitchen"), false));
    assert_eq!(kitchen.scopes().collect::<Vec<_>>(), ["read", "lights"]);
    let unnamed = enter(&guard, "one", NOW).unwrap();
    assert_eq!((unnamed.name(), unnamed.has_every_scope(), unnamed.scopes().count()), (None, true, 0));
    assert_eq!(enter(&guard, "four", NOW), Err(BearerRefusal::Wrong));
}

#[test]
fn a_token_is_known_by_its_hash_too() {
    let hash = hmac_sha256::Hash::hash(b"secret");
    let by_hash = guard(vec![Token::of_sha256(hash)]);
    assert_eq!(id(&by_hash, "secret"), id(&guard(vec![Token::new("secret")]), "secret"));
    // The hash itself opens nothing.
    let hex = hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(enter(&by_hash, &hex, NOW), Err(BearerRefusal::Wrong));
}

#[test]
fn a_name_is_one_principal_whatever_its_tokens() {
    let guard = guard(vec![
        Token::new("old").name("kitchen"),
        Token::new("new").name("kitchen").scopes(["read"]),
        Token::new("other").name("cellar"),
        Token::new("kitchen"),
    ]);
    assert_eq!(id(&guard, "old"), id(&guard, "new"));
    assert!(!enter(&guard, "new", NOW).unwrap().has_scope("lights"));
    let of_application = Principal::new("kitchen").id();
    let all = [id(&guard, "old"), id(&guard, "other"), id(&guard, "kitchen"), of_application, PrincipalId::ANYONE];
    for (at, one) in all.iter().enumerate() {
        assert!(all.iter().skip(at + 1).all(|other| other != one), "{at}");
    }
    assert_eq!(all.map(PrincipalId::is_of_token), [true, true, true, false, false]);
}

#[test]
fn a_token_ends_and_needs_a_clock_for_it() {
    let guard = guard(vec![Token::new("ends").name("guest").expires(NOW), Token::new("stays")]);
    assert!(enter(&guard, "ends", NOW - 1).is_ok());
    for late in [NOW, NOW + 1, u64::MAX] {
        assert_eq!(enter(&guard, "ends", late), Err(BearerRefusal::Expired));
    }
    for unset in [0, CLOCK_SET_MIN_UNIX_S - 1] {
        assert_eq!(enter(&guard, "ends", unset), Err(BearerRefusal::NoClock));
        assert!(enter(&guard, "stays", unset).is_ok());
    }
    assert_eq!(BearerRefusal::NoClock.status(), 503);
    assert_eq!((BearerRefusal::Expired.status(), BearerRefusal::Expired.error()), (401, Some("invalid_token")));
    assert_eq!((guard.next_end(0), guard.next_end(NOW - 1), guard.next_end(NOW)), (NOW, NOW, u64::MAX));
    let guest = enter(&guard, "ends", NOW - 1).unwrap().id();
    assert!(guard.knows(guest, NOW - 1) && !guard.knows(guest, NOW));
    assert!(guard.has_lost(guest, NOW - 1, NOW) && !guard.has_lost(guest, NOW - 2, NOW - 1));
    assert!(!guard.has_lost(enter(&guard, "stays", NOW).unwrap().id(), 0, NOW));
}

/// Before, after, and whether the holder of `one` loses anything.
#[test]
fn who_loses_by_other_tokens() {
    let one = || Token::new("one").name("kitchen");
    let rotated = || Token::new("two").name("kitchen");
    let table = [
        (vec![one()], vec![one()], false),
        (vec![one()], vec![one(), Token::new("x")], false),
        (vec![one()], vec![rotated()], false),
        (vec![one()], vec![Token::new("x")], true),
        (vec![one()], vec![], true),
        (vec![one()], vec![one().scopes(["read"])], true),
        (vec![one().scopes(["read"])], vec![one().scopes(["read", "lights"])], false),
        (vec![one().scopes(["read"])], vec![rotated()], false),
        (vec![one().scopes(["read", "lights"])], vec![one().scopes(["lights"])], true),
        (vec![one().scopes(["read", "lights"])], vec![rotated().scopes(["lights", "read"])], false),
        (vec![one()], vec![one().expires(NOW)], true),
        (vec![one()], vec![one().expires(NOW + 1)], false),
        (vec![one()], vec![Token::new("one").name("cellar")], true),
        (vec![one(), rotated().scopes(["x"])], vec![one()], false),
    ];
    for (row, (before, after, lost)) in table.into_iter().enumerate() {
        let guard = guard(before);
        let kitchen = id(&guard, "one");
        let former = guard.replace_tokens(Some(&after), None).unwrap();
        assert_eq!(guard.has_lost_by(kitchen, &former, NOW, NOW), lost, "row {row}");
        assert!(!guard.has_lost_by(Principal::new("kitchen").id(), &former, NOW, NOW), "row {row}");
        assert!(!guard.is_open() && !guard.knows(PrincipalId::ANYONE, NOW));
    }
}

#[test]
fn an_open_server_asks_from_the_first_tokens_on() {
    let guard = guard(vec![]);
    assert!(guard.is_open() && guard.knows(PrincipalId::ANYONE, NOW));
    let former = guard.replace_tokens(Some(&[Token::new("one")]), None).unwrap();
    assert!(guard.has_lost_by(PrincipalId::ANYONE, &former, NOW, NOW));
    assert_eq!(guard.bearer([].into_iter(), NOW), Err(BearerRefusal::Missing));
    assert!(enter(&guard, "one", NOW).is_ok());
    // And never opens again.
    guard.replace_tokens(Some(&[]), None).unwrap();
    assert!(!guard.is_open());
    assert_eq!(enter(&guard, "one", NOW), Err(BearerRefusal::Wrong));
}

#[test]
fn an_empty_file_or_a_check_asks_too() {
    let file = GuardOptions { file_tokens: Some(vec![]), ..GuardOptions::default() };
    let checked = GuardOptions { is_checked: true, ..GuardOptions::default() };
    for options in [file, checked] {
        let guard = Guard::new(&options).unwrap();
        assert!(!guard.is_open());
        assert_eq!(enter(&guard, "one", NOW), Err(BearerRefusal::Wrong));
    }
}

#[test]
fn what_can_be_no_token() {
    let long_name = "n".repeat(PRINCIPAL_NAME_BYTES_MAX + 1);
    let long_scope = "s".repeat(SCOPES_BYTES_MAX + 1);
    let many = (0..=SCOPES_MAX).map(|n| n.to_string()).collect::<Vec<_>>();
    let good = Token::new("good");
    let name = "token number 2: a name has 1 to 64 bytes, and no characters that are not seen";
    let scope = "token number 2: a scope has at least one character, and none but visible ASCII without \" and \\";
    let scopes = "token number 2: at most 16 scopes of together 256 bytes can be kept";
    let twice = "token number 2: it is another one, too, with another name, other scopes or another end";
    let table = [
        (Token::new("x").name(""), name),
        (Token::new("x").name("a\nb"), name),
        (Token::new("x").name(&long_name), name),
        (Token::new("x").scopes(["a b"]), scope),
        (Token::new("x").scopes(["a", ""]), scope),
        (Token::new("x").scopes(["a\""]), scope),
        (Token::new("x").scopes(["\u{e4}"]), scope),
        (Token::new("x").scopes([&long_scope]), scopes),
        (Token::new("x").scopes(&many), scopes),
        (Token::new("good").name("another"), twice),
        (Token::new("good").scopes(["a"]), twice),
        (Token::new("good").expires(NOW), twice),
    ];
    for (token, why) in table {
        assert_eq!(error(vec![good.clone(), token]), why);
    }
    assert!(Guard::new(&GuardOptions { tokens: vec![good.clone(), good], ..GuardOptions::default() }).is_ok());
    let longest = Token::new("x").name(&long_name[1..]).scopes(&many[1..]);
    assert!(Guard::new(&GuardOptions { tokens: vec![longest], ..GuardOptions::default() }).is_ok());
}

#[test]
fn there_are_at_most_so_many() {
    let tokens = |count: usize| (0..count).map(|n| Token::new(n.to_string())).collect::<Vec<_>>();
    let full = guard(tokens(TOKENS_MAX));
    // The first and the last are as good as any.
    assert_ne!(id(&full, "0"), id(&full, &(TOKENS_MAX - 1).to_string()));
    assert_eq!(error(tokens(TOKENS_MAX + 1)), "tokens: there are 65; at most 64 can be kept");
    assert!(full.replace_tokens(None, Some(&[Token::new("x").at_line(1)])).is_err());
    assert!(enter(&full, "0", NOW).is_ok() && enter(&full, "x", NOW).is_err(), "nothing has changed");
}

#[test]
fn nothing_shows_a_token_or_its_hash() {
    let token = Token::new("geheim").name("kitchen").scopes(["read"]);
    assert_eq!(
        format!("{token:?}"),
        r#"Token { principal: Principal { name: "kitchen", scopes: "read", .. }, expires: None, .. }"#
    );
    assert_eq!(
        format!("{:?}", Token::new("geheim")),
        "Token { principal: Principal { id: Principal(of a token), .. }, expires: None, .. }"
    );
}
