//! Tokens for the tests: signed by this server's own crates, so that nothing is proved by these alone; `tests_vectors.rs` has those of others.

use ed25519_compact::{KeyPair, Seed};
use hmac_sha256::HMAC;

use super::{Authority, Issuer, OAuth, TokenRefusal, Verifier};
use crate::session::{Encoder, Principal};

pub(super) const RESOURCE: &str = "https://board.example/mcp";
pub(super) const ISSUER: &str = "https://login.example";
pub(super) const OTHER_ISSUER: &str = "https://other.example/";
pub(super) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
/// The time of the tests: after the clock can be set.
pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const HS256: &str = r#"{"alg":"HS256"}"#;
pub(super) const EDDSA: &str = r#"{"alg":"EdDSA"}"#;

/// Bytes as base64url.
pub(super) fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut encoder = Encoder::new(|characters: &[u8]| text.push_str(str::from_utf8(characters).unwrap()));
    encoder.write(bytes);
    encoder.end();
    text
}

/// The key pair of a number.
pub(super) fn pair(number: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([number; 32]))
}

/// The public key of a number.
pub(super) fn public(number: u8) -> [u8; 32] {
    *pair(number).pk
}

/// A token with this head and these claims, signed by this.
pub(super) fn mint(head: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", base64url(head.as_bytes()), base64url(claims.as_bytes()));
    let signature = base64url(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A token that is signed with [`SECRET`].
pub(super) fn hs256(head: &str, claims: &str) -> String {
    mint(head, claims, |signed| HMAC::mac(signed, SECRET).to_vec())
}

/// A token that is signed with the key of a number.
pub(super) fn eddsa(head: &str, claims: &str, number: u8) -> String {
    mint(head, claims, |signed| pair(number).sk.sign(signed, None).to_vec())
}

/// The claims of a good token, with this member in the place of its own, or as one more; an empty text leaves it out.
pub(super) fn claims(name: &str, member: &str) -> String {
    let exp = format!(r#""exp":{}"#, NOW + 600);
    let members = [
        ("iss", r#""iss":"https://login.example""#),
        ("aud", r#""aud":"https://board.example/mcp""#),
        ("exp", &exp),
        ("sub", r#""sub":"ann""#),
        ("scope", r#""scope":"read lights""#),
    ];
    let others = members.into_iter().filter(|(known, _)| *known != name).map(|(_, member)| member);
    let all: Vec<&str> = others.chain([member]).filter(|member| !member.is_empty()).collect();
    format!("{{{}}}", all.join(","))
}

/// The claims of a good token.
pub(super) fn good() -> String {
    claims("", "")
}

/// The settings of the tests: an authorization server with a secret and key 1, and another with key 2.
pub(super) fn settings() -> OAuth {
    OAuth::new(RESOURCE)
        .issuer(Issuer::new(ISSUER).hs256(SECRET).ed25519(public(1)))
        .issuer(Issuer::new(OTHER_ISSUER).ed25519(public(2)))
        .scopes(["read", "lights", "admin"])
}

/// What checks tokens by these settings.
pub(super) fn verifier(settings: &OAuth) -> Verifier {
    settings.check().unwrap();
    let keys = settings.issuers.iter().map(|issuer| issuer.keys(Vec::new()).unwrap()).collect();
    Verifier::new(settings, RESOURCE, keys)
}

/// What the settings of the tests make of a token.
pub(super) fn check(token: &str) -> Result<Principal, TokenRefusal> {
    verifier(&settings()).check(token.as_bytes(), NOW)
}
