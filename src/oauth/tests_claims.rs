//! What a token says, one thing wrong at a time.

use super::TokenRefusal::*;
use super::tests_mint::*;
use super::{Authority, Issuer, OAuth, TokenRefusal};
use crate::limits::{JWT_BYTES_MAX, JWT_REMEMBERED_MAX, SCOPES_BYTES_MAX, SCOPES_MAX};
use crate::session::Principal;

fn scopes(principal: &Principal) -> Vec<&str> {
    principal.scopes().collect()
}

#[test]
fn a_good_token_says_who_comes_and_what_for() {
    for token in [hs256(HS256, &good()), eddsa(EDDSA, &good(), 1), eddsa(r#"{"alg":"Ed25519"}"#, &good(), 1)] {
        let principal = check(&token).unwrap();
        assert_eq!((principal.name(), scopes(&principal)), (Some("ann"), vec!["read", "lights"]));
        assert!(!principal.has_every_scope() && principal.id().is_of_subject());
        // With the leeway.
        assert_eq!(principal.ends_unix_s(), NOW + 660);
    }
    let of_other = claims("iss", r#""iss":"https://other.example/""#);
    let other = check(&eddsa(EDDSA, &of_other, 2)).unwrap();
    assert_eq!((other.name(), other.issuer()), (Some("ann"), Some(OTHER_ISSUER)));
    assert_eq!(Principal::new("ann").issuer(), None);
    // The same name, of another authorization server: somebody else.
    assert_ne!(other.id(), check(&hs256(HS256, &good())).unwrap().id());
}

#[test]
fn one_claim_wrong() {
    let named = |claim: &str| claim.split('"').nth(1).unwrap().to_owned();
    let long = format!(r#""sub":"{}""#, "s".repeat(256));
    let (past, edge, soon, later) = (NOW - 61, NOW - 60, NOW + 60, NOW + 61);
    let (past, edge) = (format!(r#""exp":{past}"#), format!(r#""exp":{edge}"#));
    let (soon, later) = (format!(r#""nbf":{soon}"#), format!(r#""nbf":{later}"#));
    for (claim, expected) in [
        (r#""iss":"https://login.example/""#, Some(Issuer)),
        (r#""iss":"https://LOGIN.example""#, Some(Issuer)),
        (r#""iss":"https:\/\/login.example""#, None),
        (r#""iss":["https://login.example"]"#, Some(Claim)),
        (r#""iss":null"#, Some(Claim)),
        // Known, but it has other keys.
        (r#""iss":"https://other.example/""#, Some(Algorithm)),
        (r#""aud":"https://board.example/mcp/""#, None),
        (r#""aud":["x","https://board.example/mcp"]"#, None),
        (r#""aud":[]"#, Some(Audience)),
        (r#""aud":"https://board.example""#, Some(Audience)),
        (r#""aud":"https://board.example/mcp/x""#, Some(Audience)),
        (r#""aud":"""#, Some(Audience)),
        (r#""aud":["https://board.example/mcp",7]"#, Some(Claim)),
        (r#""aud":{"https://board.example/mcp":1}"#, Some(Claim)),
        (r#""aud":null"#, Some(Claim)),
        (&past, Some(Ended)),
        (&edge, Some(Ended)),
        (r#""exp":0"#, Some(Ended)),
        (r#""exp":-1"#, Some(Claim)),
        (r#""exp":"1800000600""#, Some(Claim)),
        (r#""exp":null"#, Some(Claim)),
        (r#""exp":1e300"#, Some(Claim)),
        (r#""exp":9007199254740992"#, Some(Claim)),
        (r#""exp":18446744073709551615"#, Some(Claim)),
        (r#""exp":9007199254740991"#, None),
        (r#""exp":1800000600.75"#, None),
        (r#""exp":1.8000006e9"#, None),
        (&soon, None),
        (&later, Some(Early)),
        (r#""nbf":"0""#, Some(Claim)),
        (r#""nbf":0.5"#, None),
        (r#""sub":"""#, Some(Subject)),
        (r#""sub":"a\u0000b""#, Some(Subject)),
        (r#""sub":"a\nb""#, Some(Subject)),
        (r#""sub":"a\u200bb""#, Some(Subject)),
        (r#""sub":"\u202enna""#, Some(Subject)),
        (r#""sub":"a\u2069b""#, Some(Subject)),
        (r#""sub":"\ufeffann""#, Some(Subject)),
        (r#""sub":"\u00e4nn \u2027""#, None),
        (r#""sub":7"#, Some(Claim)),
        (&long, Some(Subject)),
        (r#""scope":["read"]"#, Some(Claim)),
        (r#""scp":7"#, Some(Claim)),
        (r#""scp":["read",7]"#, None),
        (r#""client_id":7"#, None),
    ] {
        let token = hs256(HS256, &claims(&named(claim), claim));
        assert_eq!(check(&token).err(), expected, "{claim}");
    }
    let without = [("iss", Some(Issuer)), ("aud", Some(Audience)), ("exp", Some(Endless)), ("sub", Some(Subject))];
    for (name, expected) in without {
        let token = hs256(HS256, &claims(name, ""));
        assert_eq!(check(&token).err(), expected, "without {name}");
    }
    // Two readers could take one each.
    for name in ["iss", "aud", "exp", "sub", "scope"] {
        let member = format!(r#""{name}":1,"{name}":1"#);
        assert_eq!(check(&hs256(HS256, &claims(name, &member))).err(), Some(Malformed), "{name}");
    }
    let escaped = hs256(HS256, &claims("", r#""\u0065xp":1900000000"#));
    assert_eq!(check(&escaped).err(), Some(Malformed));
}

#[test]
fn one_thing_wrong_in_the_head() {
    let table: &[(&str, Option<TokenRefusal>)] = &[
        (r#"{"alg":"HS256","typ":"JWT"}"#, None),
        (r#"{"alg":"HS256","typ":"jwt"}"#, None),
        (r#"{"alg":"HS256","typ":"at+JWT"}"#, None),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, None),
        (r#"{"alg":"HS256","typ":"id+jwt"}"#, Some(Type)),
        (r#"{"alg":"HS256","typ":"application/"}"#, Some(Type)),
        (r#"{"alg":"HS256","typ":""}"#, Some(Type)),
        (r#"{"alg":"HS256","typ":7}"#, Some(Claim)),
        (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, Some(Critical)),
        (r#"{"alg":"HS256","crit":[]}"#, Some(Critical)),
        (r#"{"alg":"HS256","crit":null}"#, Some(Critical)),
        (r#"{"alg":"HS256","kid":"any"}"#, None),
        (r#"{"alg":"HS256","kid":7}"#, Some(Claim)),
        (r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"},"jku":"https://evil.example","x5u":"x"}"#, None),
        (r#"{"alg":"HS256","alg":"HS256"}"#, Some(Malformed)),
        (r#"{"alg":"hs256"}"#, Some(Algorithm)),
        (r#"{"alg":"HS384"}"#, Some(Algorithm)),
        (r#"{"alg":"none"}"#, Some(Algorithm)),
        (r#"{"alg":"None"}"#, Some(Algorithm)),
        (r#"{"alg":""}"#, Some(Algorithm)),
        (r#"{"alg":null}"#, Some(Algorithm)),
        (r#"{"alg":["HS256"]}"#, Some(Algorithm)),
        (r#"{"typ":"JWT"}"#, Some(Algorithm)),
        // The secret is no key of that.
        (r#"{"alg":"EdDSA"}"#, Some(Signature)),
        (r"{}", Some(Algorithm)),
        (r"[]", Some(Malformed)),
        (r#""HS256""#, Some(Malformed)),
        (r#"{"alg":"HS256"}x"#, Some(Malformed)),
        (r#"{"alg":"HS256",}"#, Some(Malformed)),
        ("", Some(Malformed)),
    ];
    for (head, expected) in table {
        assert_eq!(check(&hs256(head, &good())).err(), *expected, "{head}");
    }
}

#[test]
fn an_algorithm_is_the_keys_and_not_the_tokens() {
    // A public key is no secret, however a token is signed with it.
    let confused = mint(HS256, &good(), |signed| hmac_sha256::HMAC::mac(signed, public(1)).to_vec());
    assert_eq!(check(&confused).err(), Some(Signature));
    let only_public = OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).ed25519(public(1)));
    let verifier = verifier(&only_public);
    assert_eq!(verifier.check(confused.as_bytes(), NOW).err(), Some(Algorithm));
    for none in [r#"{"alg":"none"}"#, r#"{"alg":"EdDSA"}"#] {
        assert!(verifier.check(mint(none, &good(), |_| vec![]).as_bytes(), NOW).is_err());
    }
    // The key of another authorization server is not this one's.
    assert_eq!(check(&eddsa(EDDSA, &good(), 2)).err(), Some(Signature));
    let of_other = claims("iss", r#""iss":"https://other.example/""#);
    assert_eq!(check(&eddsa(EDDSA, &of_other, 1)).err(), Some(Signature));
}

#[test]
fn whose_it_is() {
    let principal = |claim: &str| check(&hs256(HS256, &claims("sub", claim))).unwrap();
    let (user, client) = (principal(r#""sub":"x","client_id":"y""#), principal(r#""client_id":"x""#));
    assert_eq!((user.name(), client.name()), (Some("x"), Some("x")));
    assert_ne!(user.id(), client.id());
    assert_eq!(principal(r#""sub":"\u00e9\"\\""#).name(), Some("é\"\\"));
    // What is too long for a name has its hash for one.
    let (long, longer) = ("s".repeat(64), "s".repeat(255));
    assert_eq!(principal(&format!(r#""sub":"{long}""#)).name(), Some(&*long));
    let hashed = principal(&format!(r#""sub":"{longer}""#));
    let name = hashed.name().unwrap();
    assert!(name.starts_with("sha256-") && name.len() == 50, "{name}");
    assert_ne!(hashed.id(), principal(&format!(r#""sub":"{name}""#)).id());
}

#[test]
fn what_it_may() {
    let given = |claim: &str| {
        let principal = check(&hs256(HS256, &claims("scope", claim))).unwrap();
        principal.scopes().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(given(""), [""; 0]);
    assert_eq!(given(r#""scope":"""#), [""; 0]);
    assert_eq!(given(r#""scope":" read  read x""#), ["read", "x"]);
    assert_eq!(given(r#""scp":["read","x y"]"#), ["read", "x", "y"]);
    assert_eq!(given(r#""scp":"read x""#), ["read", "x"]);
    assert_eq!(given(r#""scope":"a","scp":["b"]"#), ["a", "b"]);
    assert_eq!(given(r#""scope":"a\"b read é\\""#), [""; 0], "one with an escape is no list of scopes");
    // More than there is room for: those of this server first.
    let many: Vec<String> = (0..SCOPES_MAX + 4).map(|number| format!("s{number}")).collect();
    let kept = given(&format!(r#""scope":"{} admin read""#, many.join(" ")));
    assert_eq!(kept.len(), SCOPES_MAX);
    assert_eq!(kept[..3], ["admin", "read", "s0"]);
    let long = "l".repeat(SCOPES_BYTES_MAX - 4);
    assert_eq!(given(&format!(r#""scope":"{long}x {long} admin""#)), ["admin"]);
    assert_eq!(given(&format!(r#""scope":"{} read x""#, "l".repeat(251))).len(), 2);
}

#[test]
fn further_names_and_another_leeway() {
    let settings = settings().audience("api://board").leeway_s(0);
    let verifier = verifier(&settings);
    let check =
        |claim: (&str, &str), unix_s| verifier.check(hs256(HS256, &claims(claim.0, claim.1)).as_bytes(), unix_s).err();
    assert_eq!(check(("aud", r#""aud":"api://board""#), NOW), None);
    assert_eq!(check(("", ""), NOW + 599), None);
    assert_eq!(check(("", ""), NOW + 600), Some(Ended));
    assert_eq!(check(("nbf", r#""nbf":1800000001"#), NOW), Some(Early));
    // Without a clock nobody knows whether it has ended; but that is told only of what is authentic.
    assert_eq!(check(("", ""), 1_000), Some(NoClock));
    assert_eq!(check(("aud", r#""aud":"x""#), 1_000), Some(Audience));
}

#[test]
fn what_is_remembered_is_still_held_to_the_clock() {
    let verifier = verifier(&settings());
    let tokens: Vec<String> = (0..JWT_REMEMBERED_MAX + 3)
        .map(|number| hs256(HS256, &claims("sub", &format!(r#""sub":"{number}""#))))
        .collect();
    for unix_s in [NOW, NOW + 1, NOW + 659] {
        for (number, token) in tokens.iter().enumerate().chain(tokens.iter().enumerate()) {
            let known = verifier.check(token.as_bytes(), unix_s).unwrap();
            assert_eq!(known.name(), Some(&*number.to_string()));
        }
    }
    for token in &tokens {
        assert_eq!(verifier.check(token.as_bytes(), NOW + 660).err(), Some(Ended));
        assert_eq!(verifier.check(token.as_bytes(), 5).err(), Some(NoClock));
    }
    // With their key they are forgotten.
    assert!(verifier.replace_keys(0, Issuer::new(ISSUER).ed25519(public(1)).keys(Vec::new()).unwrap()));
    for token in &tokens {
        assert_eq!(verifier.check(token.as_bytes(), NOW).err(), Some(Algorithm));
    }
    let more = Issuer::new(ISSUER).ed25519(public(1)).hs256(SECRET).keys(Vec::new()).unwrap();
    assert!(!verifier.replace_keys(0, more.clone()) && verifier.has_keys(0, &more));
    assert!(verifier.check(tokens[0].as_bytes(), NOW).is_ok());
}

#[test]
fn the_key_that_is_named_is_tried_before_all_without_names() {
    let jwk = |number: u8, more: &str| {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{more}}}"#, base64url(&public(number)))
    };
    let unnamed = (2..=9).map(|number| jwk(number, ""));
    let keys: Vec<String> = unnamed.chain([jwk(1, r#","kid":"one""#)]).collect();
    let settings = OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(","))));
    let token = eddsa(r#"{"alg":"EdDSA","kid":"one"}"#, &good(), 1);
    assert!(verifier(&settings).check(token.as_bytes(), NOW).is_ok());
}

#[test]
fn nothing_of_a_token_stays_behind() {
    let verifier = verifier(&settings());
    let good = hs256(HS256, &good());
    for token in [good.clone(), format!("{good}AAAA"), good.replace('.', "..")] {
        let _ = verifier.check(token.as_bytes(), NOW);
        assert!(verifier.holds_nothing(), "{token}");
    }
}

#[test]
fn no_other_token_is_this_one() {
    let verifier = verifier(&settings());
    let is_refused = |token: &[u8]| verifier.check(token, NOW).is_err();
    let token = hs256(r#"{"alg":"HS256","typ":"JWT","kid":"1"}"#, &good());
    assert!(verifier.check(token.as_bytes(), NOW).is_ok());
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        for byte in 0..=255 {
            other[at] = byte;
            assert!(other == token.as_bytes() || is_refused(&other), "{byte:#x} at {at}");
        }
        // Cut, doubled, left out.
        assert!(is_refused(&token.as_bytes()[..at]));
        let mut doubled = token.clone().into_bytes();
        doubled.insert(at, doubled[at]);
        assert!(is_refused(&doubled));
        doubled.drain(at..at + 2);
        assert!(is_refused(&doubled));
    }
    let token = eddsa(EDDSA, &good(), 1);
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        assert!(is_refused(&other), "at {at}");
    }
}

#[test]
fn what_is_no_jwt() {
    let (token, long) = (hs256(HS256, &good()), "x".repeat(JWT_BYTES_MAX));
    let (head, body, signature) = {
        let mut parts = token.split('.');
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    };
    let table: &[(String, TokenRefusal)] = &[
        (String::new(), Foreign),
        ("abc".into(), Foreign),
        (format!("{head}.{body}"), Foreign),
        (format!("{token}."), Foreign),
        (format!("{token}.{signature}.x"), Foreign),
        (format!("{token}{long}"), Foreign),
        ("..".into(), Malformed),
        (format!(".{body}.{signature}"), Malformed),
        (format!("{head}..{signature}"), Malformed),
        (format!("{head}.{body}."), Signature),
        (format!("{head}=.{body}.{signature}"), Malformed),
        (format!("{head}.{body}.{signature}="), Malformed),
        (format!("{head}.{body}.{signature}AA"), Malformed),
        (format!("{head}.{body}+.{signature}"), Malformed),
        (format!("{body}.{head}.{signature}"), Algorithm),
    ];
    for (token, expected) in table {
        assert_eq!(check(token).err(), Some(*expected), "{token}");
    }
    // One that is as long as it may be.
    let filled = |bytes: usize| hs256(HS256, &claims("", &format!(r#""x":"{}""#, "x".repeat(bytes))));
    let room = (0..1024)
        .map(|bytes| JWT_BYTES_MAX * 3 / 4 - bytes)
        .find(|bytes| filled(*bytes).len() <= JWT_BYTES_MAX)
        .unwrap();
    assert!(check(&filled(room)).is_ok());
    assert_eq!(check(&filled(room + 4)).err(), Some(Foreign));
}
