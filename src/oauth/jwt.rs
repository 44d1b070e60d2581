//! A JWT (RFC 7519) as a signed token of three parts (RFC 7515, section 7.1), read in a buffer.

use super::TokenRefusal;
use super::key::Algorithm;
use crate::json::{self, Kind, Text, Value};
use crate::session::decode_in_place;

/// A token that can be read. Nothing of it is believed yet.
pub(super) struct Jwt<'t> {
    /// What was signed: head and claims, as they were sent.
    pub(super) signed: &'t [u8],
    pub(super) signature: &'t [u8],
    pub(super) algorithm: Algorithm,
    /// The name of the key (`kid`).
    pub(super) key: Option<Text<'t>>,
    pub(super) claims: Claims<'t>,
}

/// What a token says.
pub(super) struct Claims<'t> {
    pub(super) issuer: Option<Value<'t>>,
    pub(super) audience: Option<Value<'t>>,
    pub(super) expires: Option<Value<'t>>,
    pub(super) not_before: Option<Value<'t>>,
    pub(super) subject: Option<Value<'t>>,
    pub(super) client: Option<Value<'t>>,
    /// `scope`: a text, as in RFC 8693, section 4.2.
    pub(super) scope: Option<Value<'t>>,
    /// `scp`: a list, or a text, as some large providers have it.
    pub(super) scp: Option<Value<'t>>,
}

impl<'t> Jwt<'t> {
    /// Reads a token; `buffer` is as large as it, at least.
    ///
    /// # Errors
    /// It is no such token, or signed in a way that is not taken here.
    pub(super) fn read(token: &'t [u8], buffer: &'t mut [u8]) -> Result<Self, TokenRefusal> {
        let (signed, _) = split(token).ok_or(TokenRefusal::Foreign)?;
        let buffer = buffer.get_mut(..token.len()).ok_or(TokenRefusal::Foreign)?;
        buffer.copy_from_slice(token);
        let (parts, signature) = buffer.split_at_mut_checked(signed.len()).ok_or(TokenRefusal::Malformed)?;
        let dot = parts.iter().position(|byte| *byte == b'.').ok_or(TokenRefusal::Malformed)?;
        let (head, claims) = parts.split_at_mut_checked(dot).ok_or(TokenRefusal::Malformed)?;
        let head = object_in(head)?;
        let claims = object_in(claims.get_mut(1..).unwrap_or_default())?;
        let signature = decoded(signature.get_mut(1..).unwrap_or_default())?;
        let [alg, kid, typ, crit] = members(head, ["alg", "kid", "typ", "crit"])?;
        if crit.is_some() {
            return Err(TokenRefusal::Critical);
        }
        if let Some(typ) = typ {
            let is_ours = text(typ)?.plain().is_some_and(is_access_token);
            is_ours.then_some(()).ok_or(TokenRefusal::Type)?;
        }
        let algorithm = alg.and_then(|alg| Algorithm::of(alg.as_text()?.plain()?)).ok_or(TokenRefusal::Algorithm)?;
        let key = kid.map(text).transpose()?;
        let names = ["iss", "aud", "exp", "nbf", "sub", "client_id", "scope", "scp"];
        let [issuer, audience, expires, not_before, subject, client, scope, scp] = members(claims, names)?;
        let claims = Claims { issuer, audience, expires, not_before, subject, client, scope, scp };
        Ok(Self { signed, signature, algorithm, key, claims })
    }
}

impl<'t> Claims<'t> {
    /// All scopes that it names, in their order.
    ///
    /// # Errors
    /// `scope` is no text, or `scp` neither that nor a list.
    pub(super) fn scopes(&self) -> Result<impl Iterator<Item = &'t str> + Clone, TokenRefusal> {
        let scope = self.scope.map(text).transpose()?;
        let is_list = self.scp.is_some_and(|scp| scp.kind() == Kind::Array);
        let scp = self.scp.filter(|_| !is_list).map(text).transpose()?;
        let list = self.scp.filter(|_| is_list).into_iter().flat_map(Value::elements);
        // Those with an escape can't be scopes.
        let texts = scope.into_iter().chain(scp).filter_map(Text::plain);
        let listed = list.filter_map(Value::as_text).filter_map(Text::plain);
        Ok(texts.chain(listed).flat_map(|text| text.split(' ')).filter(|scope| !scope.is_empty()))
    }
}

/// A text.
///
/// # Errors
/// It is another value.
pub(super) fn text(value: Value<'_>) -> Result<Text<'_>, TokenRefusal> {
    value.as_text().ok_or(TokenRefusal::Claim)
}

/// Seconds since 1970 (`NumericDate` of RFC 7519, section 2): a number, also one with a fraction, which is dropped.
///
/// # Errors
/// It is no number, or no time that could be meant.
pub(super) fn seconds(value: Value<'_>) -> Result<u64, TokenRefusal> {
    const MOST: u64 = 1 << 53;
    if let Some(seconds) = value.as_u64() {
        return if seconds < MOST { Ok(seconds) } else { Err(TokenRefusal::Claim) };
    }
    let seconds = value.as_f64().filter(|seconds| (0.0..9_007_199_254_740_992.0).contains(seconds));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    seconds.map(|seconds| seconds as u64).ok_or(TokenRefusal::Claim)
}

/// What is signed of a token, and the rest without the dot between; none where it has not three parts.
fn split(token: &[u8]) -> Option<(&[u8], &[u8])> {
    if token.split(|byte| *byte == b'.').count() != 3 {
        return None;
    }
    let dot = token.iter().rposition(|byte| *byte == b'.')?;
    Some((token.get(..dot)?, token.get(dot + 1..)?))
}

/// `JWT`, or `at+jwt` (RFC 9068, section 2.1), also written as a media type (RFC 7515, section 4.1.9).
fn is_access_token(typ: &str) -> bool {
    let short = match typ.split_at_checked("application/".len()) {
        Some((media, rest)) if media.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    short.eq_ignore_ascii_case("jwt") || short.eq_ignore_ascii_case("at+jwt")
}

fn decoded(part: &mut [u8]) -> Result<&[u8], TokenRefusal> {
    let length = decode_in_place(part).ok_or(TokenRefusal::Malformed)?;
    part.get(..length).ok_or(TokenRefusal::Malformed)
}

fn object_in(part: &mut [u8]) -> Result<Value<'_>, TokenRefusal> {
    let length = decode_in_place(part).ok_or(TokenRefusal::Malformed)?;
    let json = part.get_mut(..length).ok_or(TokenRefusal::Malformed)?;
    match json::scan(json, &mut json::Nobody) {
        Ok(Kind::Object) => Ok(Value::new(json)),
        _ => Err(TokenRefusal::Malformed),
    }
}

/// The members of these names; others are not looked at. One of these that is there twice means one thing to one reader, and another to another
/// (RFC 7515, section 4; RFC 7519, section 4).
///
/// # Errors
/// One of them is there twice.
pub(super) fn members<'v, const N: usize>(
    object: Value<'v>,
    names: [&str; N],
) -> Result<[Option<Value<'v>>; N], TokenRefusal> {
    let mut found = [None; N];
    for (name, value) in object.members() {
        let Some(place) = names.iter().position(|known| name.eq_str(known)) else { continue };
        let Some(place) = found.get_mut(place) else { continue };
        if place.replace(value).is_some() {
            return Err(TokenRefusal::Malformed);
        }
    }
    Ok(found)
}
