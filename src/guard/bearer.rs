//! The Authorization field: does the request bring a token? (RFC 6750)

use core::fmt;

use hmac_sha256::HMAC;

use crate::limits::BEARER_TOKEN_BYTES_MAX;
use crate::session::{Principal, equal_in_constant_time};

use super::{Guard, GuardError};

impl Guard {
    /// On whose behalf a request comes, by all copies of its Authorization field. Where no token is
    /// configured, the field is not looked at.
    ///
    /// How long this takes tells the length of what was sent, and nothing about the tokens: all are
    /// compared, each to its end.
    pub(crate) fn bearer<'a>(
        &self,
        mut authorization: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Principal, BearerRefusal> {
        if self.is_open() {
            return Ok(Principal::ANYONE);
        }
        let field = authorization.next().ok_or(BearerRefusal::Missing)?;
        if authorization.next().is_some() {
            return Err(BearerRefusal::Duplicate);
        }
        let token = token_of(field)?;
        if token.len() > BEARER_TOKEN_BYTES_MAX {
            return Err(BearerRefusal::Wrong);
        }
        self.tokens.principal(token).ok_or(BearerRefusal::Wrong)
    }
}

/// Why a request is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BearerRefusal {
    /// It brings no credentials, or others than a bearer token.
    Missing,
    /// The token is none of the configured ones.
    Wrong,
    /// There are several Authorization fields.
    Duplicate,
    /// What follows `Bearer` is not a token.
    Malformed,
}

impl BearerRefusal {
    /// The status of the answer (RFC 6750, section 3.1).
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Missing | Self::Wrong => 401,
            Self::Duplicate | Self::Malformed => 400,
        }
    }

    /// The value of the `WWW-Authenticate` field of the answer (RFC 6750, section 3: MUST). Who
    /// brought nothing is told no error.
    pub(crate) const fn challenge(self) -> &'static str {
        match self {
            Self::Missing => "Bearer",
            Self::Wrong => "Bearer error=\"invalid_token\"",
            Self::Duplicate | Self::Malformed => "Bearer error=\"invalid_request\"",
        }
    }
}

impl fmt::Display for BearerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "this server asks for a token: send \"Authorization: Bearer\" and the token",
            Self::Wrong => "the token is not one of this server's",
            Self::Duplicate => "there is more than one Authorization field",
            Self::Malformed => "the Authorization field is not \"Bearer\", a space and a token",
        })
    }
}

impl core::error::Error for BearerRefusal {}

/// The hashes of the configured tokens. The tokens themselves are not kept.
pub(super) struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    pub(super) fn new(tokens: &[String]) -> Result<Self, GuardError> {
        let hashes = tokens.iter().enumerate().map(|(index, token)| {
            let error = |why| Err(GuardError::of_secret("token", index + 1, why));
            if token.is_empty() {
                error("it is empty: check the variable or the file that it comes from")
            } else if token.trim() != token {
                error("there is white space before or after it, such as the end of a line")
            } else if token.len() > BEARER_TOKEN_BYTES_MAX {
                error("it has more than 512 bytes")
            } else if is_token68(token.as_bytes()) {
                Ok(hash(token.as_bytes()))
            } else {
                error("a token is made of letters, digits and -._~+/ and may end in =, as in: openssl rand -hex 32")
            }
        });
        Ok(Self(hashes.collect::<Result<_, _>>()?))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn principal(&self, token: &[u8]) -> Option<Principal> {
        let sent = hash(token);
        let mut found = false;
        for known in &self.0 {
            // `|` and not `||`: every token is compared.
            found |= equal_in_constant_time(known, &sent);
        }
        found.then(|| Principal::of_token_hash(&sent))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

// The message of the error above.
const _: () = assert!(BEARER_TOKEN_BYTES_MAX == 512);

/// The hash of a token; keyed by its purpose, so that it is of no use where else the token may be
/// known.
fn hash(token: &[u8]) -> [u8; 32] {
    HMAC::mac(token, b"smol-mcp bearer token")
}

/// The token of an Authorization field: `"Bearer" 1*SP token68` (RFC 9110, section 11.4; the scheme
/// in any case).
fn token_of(field: &[u8]) -> Result<&[u8], BearerRefusal> {
    let field = field.trim_ascii();
    let end = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
    let (scheme, rest) = field.split_at_checked(end).ok_or(BearerRefusal::Malformed)?;
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(BearerRefusal::Missing);
    }
    let token = rest.trim_ascii_start();
    if is_token68(token) { Ok(token) } else { Err(BearerRefusal::Malformed) }
}

/// `token68` of RFC 9110, section 11.2.
fn is_token68(token: &[u8]) -> bool {
    let end = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    end > 0 && token.iter().take(end).all(is_part)
}
