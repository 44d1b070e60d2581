//! Sets of keys as texts.

use super::tests_mint::*;
use super::{Issuer, Jwks, OAuth};
use crate::limits::JWKS_KEYS_MAX;
#[cfg(not(feature = "es256"))]
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

fn ed25519(more: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{more}}}"#, base64url(&public(1)))
}

fn error(text: &str) -> String {
    Jwks::parse(text).unwrap_err().to_string()
}

#[test]
fn a_set_or_a_key() {
    let key = ed25519(r#","kid":"a\u0062","use":"sig","alg":"EdDSA","key_ops":["verify"],"x5c":["..."]"#);
    for text in
        [key.clone(), format!(r#"{{"keys":[{key}]}}"#), format!("\u{feff} {{ \"keys\" : [ {key} ], \"more\": 1 }}\n")]
    {
        let jwks = Jwks::parse(&text).unwrap();
        assert_eq!(jwks.keys.iter().map(super::Key::id).collect::<Vec<_>>(), [Some("ab")]);
        assert!(!jwks.is_secret && jwks.left_out.is_none());
    }
    let secret = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(SECRET));
    let jwks = Jwks::parse(&format!(r#"{{"keys":[{key},{secret}]}}"#)).unwrap();
    assert!(jwks.is_secret && jwks.keys.len() == 2);
    assert!(Jwks::parse(&ed25519(r#","d":"AAAA""#)).unwrap().is_secret);
}

#[test]
fn what_is_of_no_use_is_left_out() {
    let long = format!(r#","kid":"{}""#, "k".repeat(129));
    let key = |more: &str| ed25519(more);
    let table = [
        (key(r#","use":"enc""#), "not for signatures"),
        (key(r#","key_ops":["sign"]"#), "key_ops"),
        (key(r#","key_ops":"verify""#), "key_ops"),
        (key(r#","alg":"RS256""#), "alg"),
        (key(r#","alg":"none""#), "alg"),
        (key(&long), "128 bytes"),
        (key(r#","use":["sig"]"#), "type"),
        (key(r#","use":null"#), "type"),
        (key(r#","alg":7"#), "type"),
        (key(r#","kid":7"#), "type"),
        (key(r#","d":7"#), "type"),
        (key(r#","kid":"a","kid":"b""#), "twice"),
        (key(r#","use":"sig","use":"enc""#), "twice"),
        (key(r#","kty":"OKP""#), "twice"),
        (format!(r#"{{"kty":"oct","k":"{0}","k":"{0}"}}"#, base64url(SECRET)), "twice"),
        (r#"{"kty":"oct","k":[]}"#.to_owned(), "base64url"),
        (r#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#.to_owned(), "kty"),
        (r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(), "base64url"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#.to_owned(), "32 bytes"),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(&[0; 32])), "zero"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"A=="}"#.to_owned(), "base64url"),
        (format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(&[7; 31])), "32 to 512"),
        (format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(&[7; 513])), "32 to 512"),
        (r#"{"kty":"X"}"#.to_owned(), "kty"),
        (r#"{"kty":7}"#.to_owned(), "kty"),
        ("{}".to_owned(), "kty"),
        ("7".to_owned(), "kty"),
        #[cfg(not(feature = "es256"))]
        (EC.to_owned(), "feature es256"),
        #[cfg(not(feature = "rs256"))]
        (r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#.to_owned(), "feature rs256"),
        #[cfg(feature = "rs256")]
        (r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#.to_owned(), "2048 to 4096 bits"),
        #[cfg(feature = "es256")]
        (r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#.to_owned(), "P-256"),
    ];
    for (key, why) in table {
        let alone = error(&format!(r#"{{"keys":[{key}]}}"#));
        assert!(alone.starts_with("none of its keys can be used: ") && alone.contains(why), "{key}: {alone}");
        let beside = Jwks::parse(&format!(r#"{{"keys":[{key},{}]}}"#, ed25519(""))).unwrap();
        assert_eq!((beside.keys.len(), beside.left_out.map(|(number, _)| number)), (1, Some(1)), "{key}");
    }
}

#[test]
fn what_is_no_set() {
    for (text, why) in [
        ("", "no JSON"),
        ("{\"keys\":[", "no JSON"),
        ("[]", "expected a set"),
        ("{}", "expected a set"),
        ("null", "expected a set"),
        (r#"{"keys":{}}"#, "expected a set"),
        (r#"{"keys":[]}"#, "holds no key"),
    ] {
        assert!(error(text).contains(why), "{text}: {}", error(text));
    }
    let keys = |number: usize| format!(r#"{{"keys":[{}]}}"#, vec![ed25519(""); number].join(","));
    assert_eq!(Jwks::parse(&keys(JWKS_KEYS_MAX)).unwrap().keys.len(), JWKS_KEYS_MAX);
    assert!(error(&keys(JWKS_KEYS_MAX + 1)).contains("more than 16"));
}

#[test]
fn the_keys_of_an_issuer() {
    let issuer = || Issuer::new(ISSUER);
    let of_file = Jwks::parse(&ed25519("")).unwrap().keys;
    assert_eq!(issuer().hs256(SECRET).jwks(ed25519("")).keys(of_file.clone()).unwrap().len(), 3);
    assert_eq!(issuer().keys(of_file.clone()).unwrap(), of_file);
    for (issuer, why) in [
        (issuer(), "no key"),
        (issuer().hs256("short"), "32 to 512"),
        (issuer().ed25519([0; 32]), "zero"),
        (issuer().jwks("{}"), "expected a set"),
    ] {
        assert!(issuer.keys(Vec::new()).unwrap_err().contains(why), "{issuer:?}");
    }
    // No secret is shown.
    let shown = format!("{:?}", settings());
    assert!(!shown.contains("0123") && !shown.contains("48, 49") && shown.contains(ISSUER), "{shown}");
    assert!(!format!("{:?}", issuer().hs256(SECRET).keys(Vec::new())).contains("48, 49"));
}

#[test]
fn settings_that_can_not_be() {
    let one = || OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER));
    let long = "x".repeat(257);
    for (settings, why) in [
        (OAuth::new(RESOURCE), "1 to 4 authorization servers"),
        (one().issuer(Issuer::new(ISSUER)), "twice"),
        ((0..4).fold(one(), |all, number| all.issuer(Issuer::new(number.to_string()))), "1 to 4"),
        (one().scopes(["a b"]), "can't be a scope"),
        (one().scopes([""]), "can't be a scope"),
        (one().scopes((0..17).map(|number| number.to_string())), "at most 16"),
        (one().scopes([long.clone()]), "together 256"),
        (one().scopes(["read", "offline_access"]), "offline_access"),
        (one().scopes(["read"]).first_scopes(["write"]), "not among"),
        (one().audience(""), "audience"),
        (one().audience(long), "audience"),
        (one().leeway_s(301), "0 to 300"),
    ] {
        let error = settings.check().unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let none = one().scopes(["read"]).first_scopes([""; 0]).audience("x").leeway_s(300);
    assert!(none.check().is_ok() && none.asked_first().is_empty());
}
