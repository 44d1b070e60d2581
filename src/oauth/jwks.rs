//! A set of keys as an authorization server publishes it: a JWK Set (RFC 7517; the keys: RFC 7518, section 6, RFC 8037, section 2).

use core::fmt;

use super::Key;
use super::jwt::members;
use super::key::{Algorithm, Material};
use crate::json::{self, Kind, Value};
use crate::limits::{HS256_SECRET_BYTES_MAX, HS256_SECRET_BYTES_MIN, JWK_ID_BYTES_MAX, JWKS_KEYS_MAX};
use crate::session::decode_in_place;

/// A set of keys that was read.
#[derive(Debug)]
pub(crate) struct Jwks {
    /// Those that can be used: at least one.
    pub(crate) keys: Vec<Key>,
    /// It holds secrets: others must not read it.
    pub(crate) is_secret: bool,
    /// Keys that are of no use here, and why that is so of the last of them.
    pub(crate) left_out: Option<(usize, &'static str)>,
}

/// What is wrong with a set of keys; nothing that stands in it is repeated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct JwksError(String);

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Jwks {
    /// Reads a set, or a single key. Keys that are not for signatures, or of a kind that is not known here, are left out (RFC 7517, section 5).
    ///
    /// # Errors
    /// It is neither; it holds more than [`JWKS_KEYS_MAX`] keys that can be used, or none.
    pub(crate) fn parse(text: &str) -> Result<Self, JwksError> {
        let wrong = |why: String| Err(JwksError(why));
        let text = text.trim_start_matches('\u{feff}').as_bytes();
        match json::validate(text) {
            Ok(Kind::Object) => {}
            Ok(_) => return wrong(NO_SET.to_owned()),
            Err(error) => return wrong(format!("it is no JSON: {error}")),
        }
        let set = Value::new(text);
        let mut jwks = Self { keys: Vec::new(), is_secret: false, left_out: None };
        match set.get("keys") {
            Some(keys) if keys.kind() == Kind::Array => keys.elements().try_for_each(|key| jwks.take(key))?,
            None if set.get("kty").is_some() => jwks.take(set)?,
            _ => return wrong(NO_SET.to_owned()),
        }
        match jwks.left_out {
            _ if !jwks.keys.is_empty() => Ok(jwks),
            Some((_, why)) => wrong(format!("none of its keys can be used: {why}")),
            None => wrong("it holds no key".to_owned()),
        }
    }

    fn take(&mut self, jwk: Value<'_>) -> Result<(), JwksError> {
        self.is_secret |= jwk.get("d").is_some() || jwk.get("k").is_some();
        match key_of(jwk) {
            Ok(_) if self.keys.len() == JWKS_KEYS_MAX => {
                return Err(JwksError(format!("it holds more than {JWKS_KEYS_MAX} keys that could be used")));
            }
            Ok(key) => self.keys.push(key),
            Err(why) => self.left_out = Some((self.left_out.map_or(0, |(number, _)| number) + 1, why)),
        }
        Ok(())
    }
}

const NO_SET: &str = "expected a set of keys, as an authorization server has it at its jwks_uri: {\"keys\":[...]}";

/// A key from a secret.
///
/// # Errors
/// It is too short, or too long.
pub(super) fn key_of_secret(id: Option<Box<str>>, secret: &[u8]) -> Result<Key, &'static str> {
    match secret.len() {
        HS256_SECRET_BYTES_MIN..=HS256_SECRET_BYTES_MAX => Ok(Key::new(id, Material::Hs256(secret.into()))),
        _ => Err("a secret for HS256 has 32 to 512 bytes"),
    }
}

const _: () = assert!(HS256_SECRET_BYTES_MIN == 32 && HS256_SECRET_BYTES_MAX == 512, "as the sentence says");

/// A key from a public key of Ed25519. Whether it is a point of the curve, and one that a single secret belongs to, is seen when a signature is checked:
/// none is good where it is not.
///
/// # Errors
/// It has not 32 bytes, or they are all zero.
pub(super) fn key_of_ed25519(id: Option<Box<str>>, public: &[u8]) -> Result<Key, &'static str> {
    const WRONG: &str = "a public key of Ed25519 has 32 bytes, which are not all zero";
    let public = <[u8; 32]>::try_from(public).map_err(|_| WRONG)?;
    // A key of all zeros is what a forgotten variable gives.
    if public == [0; 32] { Err(WRONG) } else { Ok(Key::new(id, Material::Ed25519(public))) }
}

fn key_of(jwk: Value<'_>) -> Result<Key, &'static str> {
    let names = ["kty", "crv", "use", "key_ops", "alg", "kid", "d", "k", "x", "y", "n", "e"];
    let found = members(jwk, names).map_err(|_| "a member of it is there twice")?;
    let [kty, crv, purpose, key_ops, alg, id, private, secret, x, y, n, e] = found;
    // The private half is of no use here; but what is no text is no key.
    let [kty, crv, purpose, alg, id, _] = texts([kty, crv, purpose, alg, id, private])?;
    if purpose.is_some_and(|what| what != "sig") {
        return Err("it is not for signatures (use)");
    }
    if key_ops.is_some_and(|ops| !ops.elements().any(|op| is(op, "verify"))) {
        return Err("it is not for checking signatures (key_ops)");
    }
    if id.as_ref().is_some_and(|id| id.len() > JWK_ID_BYTES_MAX) {
        return Err("its name (kid) has more than 128 bytes");
    }
    let id = id.map(String::into_boxed_str);
    #[cfg(not(feature = "es256"))]
    let _ = y;
    #[cfg(not(feature = "rs256"))]
    let _ = (n, e);
    let key = match (kty.as_deref(), crv.as_deref()) {
        (Some("oct"), _) => key_of_secret(id, &bytes_of(secret)?)?,
        (Some("OKP"), Some("Ed25519")) => key_of_ed25519(id, &bytes_of(x)?)?,
        #[cfg(feature = "es256")]
        (Some("EC"), Some("P-256")) => {
            Key::new(id, Material::Es256(super::es256::Key::new(&bytes_of(x)?, &bytes_of(y)?)?.into()))
        }
        #[cfg(not(feature = "es256"))]
        (Some("EC"), Some("P-256")) => return Err("it is for ES256, which the crate's feature es256 adds"),
        #[cfg(feature = "rs256")]
        (Some("RSA"), _) => Key::new(id, Material::Rs256(super::rs256::Key::new(&bytes_of(n)?, &bytes_of(e)?)?.into())),
        #[cfg(not(feature = "rs256"))]
        (Some("RSA"), _) => return Err("it is for RS256, which the crate's feature rs256 adds"),
        _ => return Err("its kind (kty, crv) is not known here"),
    };
    match alg {
        Some(name) if Algorithm::of(&name) != Some(key.algorithm()) => Err("its algorithm (alg) is not known here"),
        _ => Ok(key),
    }
}

const _: () = assert!(JWK_ID_BYTES_MAX == 128, "as the sentence says");

/// Members that are texts, where they are there.
///
/// # Errors
/// One is another value.
fn texts<const N: usize>(members: [Option<Value<'_>>; N]) -> Result<[Option<String>; N], &'static str> {
    let is_other = |value: &Value<'_>| value.as_text().is_none();
    if members.iter().flatten().any(is_other) {
        return Err("a member of it is not of its type: kty, crv, use, alg, kid and d are texts");
    }
    Ok(members.map(|member| Some(member?.as_text()?.to_string())))
}

fn is(value: Value<'_>, text: &str) -> bool {
    value.as_text().is_some_and(|own| own.eq_str(text))
}

/// A member that is base64url of something.
fn bytes_of(member: Option<Value<'_>>) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "a part of it is missing, or is no base64url";
    let mut bytes = member.and_then(Value::as_text).ok_or(WRONG)?.to_string().into_bytes();
    let length = decode_in_place(&mut bytes).ok_or(WRONG)?;
    bytes.truncate(length);
    Ok(bytes)
}
