//! Access tokens: one that is looked at costs no memory, whatever it is.

use std::cell::Cell;

use hmac_sha256::HMAC;
use smol_mcp::{Issuer, OAuth};

use super::{By, Running, measure, start};
use crate::support::wire;

const SECRET: &str = "a secret of 32 bytes, at the least";
const RESOURCE: &str = "http://localhost/mcp";
const ISSUER: &str = "http://login.example";

pub(crate) fn are_looked_at_in_place() {
    let server = Running::start_with(
        |config| config.oauth(OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).hs256(SECRET)).scopes(["read"])),
        By::Itself,
    );
    start::is_within(&server);
    let echo = |token: &str| wire::echo("hello").replacen("\r\n", &format!("\r\nAuthorization: Bearer {token}\r\n"), 1);
    let mut client = server.connect();
    let known = echo(&token("ann", 4_000_000_000));
    measure("a call with an access token", 0.0, || assert_eq!(client.ask(&known).status, 200));
    // Those that come first, and those that take the place of others.
    let number = Cell::new(0);
    let users: Vec<String> = (0..300).map(|user| echo(&token(&user.to_string(), 4_000_000_000))).collect();
    measure("a call with another access token each time", 0.0, || {
        number.set(number.get() + 1);
        assert_eq!(client.ask(&users[number.get()]).status, 200);
    });
    let metadata = wire::bare("GET", "/.well-known/oauth-protected-resource/mcp", &[]);
    measure("the metadata", 0.0, || assert_eq!(client.ask(&metadata).status, 200));
    let get = |token: &str| wire::bare("GET", "/mcp", &[("Authorization", &format!("Bearer {token}"))]);
    let ended = get(&token("ann", 1_600_000_000));
    measure("an access token that has ended", 0.0, || assert_eq!(client.ask(&ended).status, 401));
    let wrong = get(&format!("{}A", token("ann", 4_000_000_000)));
    measure("an access token that is none", 0.0, || assert_eq!(client.ask(&wrong).status, 401));
}

fn token(subject: &str, exp: u64) -> String {
    let claims =
        format!(r#"{{"iss":"{ISSUER}","aud":"{RESOURCE}","exp":{exp},"sub":"{subject} \u00e9","scope":"read x"}}"#);
    let signed = format!("{}.{}", base64url(br#"{"alg":"HS256"}"#), base64url(claims.as_bytes()));
    let tag = base64url(&HMAC::mac(signed.as_bytes(), SECRET.as_bytes()));
    format!("{signed}.{tag}")
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let digit = |sextet: &[u8]| (0..6).fold(0, |sum, bit| sum << 1 | sextet.get(bit).copied().unwrap_or(0));
    bits.chunks(6).map(|sextet| DIGITS[usize::from(digit(sextet))] as char).collect()
}
