//! The Authorization field: does the request bring a token? (RFC 6750)

use core::fmt;

use super::token::is_token68;
use super::{Guard, GuardError, Token, Tokens};
use crate::limits::BEARER_TOKEN_BYTES_MAX;
use crate::oauth::TokenRefusal;
use crate::session::{Principal, PrincipalId};

impl Guard {
    /// On whose behalf a request comes, by all copies of its Authorization field. Where nobody is asked, the field is not looked at.
    ///
    /// How long this takes tells the length of what was sent, and nothing about the tokens: all are compared, each to its end.
    pub(crate) fn bearer<'a>(
        &self,
        mut authorization: impl Iterator<Item = &'a [u8]>,
        unix_s: u64,
    ) -> Result<Principal, BearerRefusal> {
        if self.is_open() {
            return Ok(Principal::ANYONE);
        }
        let field = authorization.next().ok_or(BearerRefusal::Missing)?;
        if authorization.next().is_some() {
            return Err(BearerRefusal::Duplicate);
        }
        let token = token_of(field)?;
        let known = match token.len() {
            ..=BEARER_TOKEN_BYTES_MAX => self.tokens.borrow().find(token, unix_s),
            _ => Err(BearerRefusal::Wrong),
        };
        match (known, &self.oauth) {
            (Err(BearerRefusal::Wrong), Some(oauth)) => oauth.check(token, unix_s).map_err(BearerRefusal::of),
            (known, _) => known,
        }
    }

    /// Whether this principal could come in now by its token. Those of the application are its own affair.
    pub(crate) fn knows(&self, id: PrincipalId, unix_s: u64) -> bool {
        match id {
            PrincipalId::ANYONE => self.is_open(),
            // Each of its requests brings a token, which says until when.
            id if id.is_of_subject() => self.oauth.is_some(),
            id => !id.is_of_token() || self.tokens.borrow().knows(id, unix_s),
        }
    }

    /// When the next token ends, after this time; `u64::MAX` when none does.
    pub(crate) fn next_end(&self, unix_s: u64) -> u64 {
        self.tokens.borrow().next_end(unix_s).unwrap_or(u64::MAX)
    }

    /// Whether a principal may do less now than at an earlier time, for the end of a token.
    pub(crate) fn has_lost(&self, id: PrincipalId, before_unix_s: u64, unix_s: u64) -> bool {
        let tokens = self.tokens.borrow();
        id.is_of_token() && tokens.loses(id, before_unix_s, &tokens, unix_s)
    }

    /// Takes other tokens: those of the program, those of the file, or both. From now on the server asks for one. Gives the tokens that were.
    ///
    /// # Errors
    /// Which of them is wrong; nothing has changed then.
    pub(crate) fn replace_tokens(
        &self,
        program: Option<&[Token]>,
        file: Option<&[Token]>,
    ) -> Result<FormerTokens, GuardError> {
        let next = {
            let tokens = self.tokens.borrow();
            Tokens::new(program.unwrap_or(tokens.program()), file.unwrap_or(tokens.file()))?
        };
        Ok(FormerTokens { was_open: !self.asks.replace(true), tokens: self.tokens.replace(next) })
    }

    /// Whether a principal may do less than it could with the former tokens at that time.
    pub(crate) fn has_lost_by(&self, id: PrincipalId, former: &FormerTokens, before_unix_s: u64, unix_s: u64) -> bool {
        match id {
            PrincipalId::ANYONE => former.was_open,
            id => id.is_of_token() && former.tokens.loses(id, before_unix_s, &self.tokens.borrow(), unix_s),
        }
    }
}

/// The tokens that were, until others took their place.
pub(crate) struct FormerTokens {
    was_open: bool,
    tokens: Tokens,
}

/// Why a request is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BearerRefusal {
    /// It brings no credentials, or others than a bearer token.
    Missing,
    /// The token is none of the configured ones.
    Wrong,
    /// The token was good for a time, which is over.
    Expired,
    /// The token is good for a time, and the machine does not know what time it is.
    NoClock,
    /// It has a token in its query.
    InQuery,
    /// There are several Authorization fields.
    Duplicate,
    /// What follows `Bearer` is not a token.
    Malformed,
    /// It is an access token that lets nobody in.
    Access(TokenRefusal),
}

impl BearerRefusal {
    /// The status of the answer (RFC 6750, section 3.1).
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Missing | Self::Wrong | Self::Expired | Self::Access(_) => 401,
            Self::Duplicate | Self::Malformed | Self::InQuery => 400,
            Self::NoClock => 503,
        }
    }

    /// What the challenge of the answer calls the error (RFC 6750, section 3.1). Who brought nothing is told no error.
    pub(crate) const fn error(self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::NoClock => None,
            Self::Wrong | Self::Expired | Self::Access(_) => Some("invalid_token"),
            Self::Duplicate | Self::Malformed | Self::InQuery => Some("invalid_request"),
        }
    }

    /// A token was brought that may have been a guess, or that was made up: one that nobody has signed costs the most to refuse. Others that are signed
    /// wrong in some way are mistakes of a client or of its authorization server.
    pub(crate) const fn is_guess(self) -> bool {
        matches!(self, Self::Wrong | Self::Access(TokenRefusal::Malformed | TokenRefusal::Signature))
    }

    /// The application's own check may still know who it is.
    pub(crate) const fn may_be_asked(self) -> bool {
        matches!(self, Self::Missing | Self::Wrong | Self::Access(_))
    }

    // Those that there are of other tokens, too, are the same.
    fn of(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Foreign => Self::Wrong,
            TokenRefusal::Ended => Self::Expired,
            TokenRefusal::NoClock => Self::NoClock,
            other => Self::Access(other),
        }
    }
}

impl fmt::Display for BearerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "this server asks for a token: send \"Authorization: Bearer\" and the token",
            Self::Wrong => "the token is not one of this server's",
            Self::Expired => "the token has expired",
            Self::NoClock => {
                "the token expires, and this server does not know the time yet: come again when its clock is set"
            }
            Self::InQuery => {
                "a token in the query ends up in logs: send it as \"Authorization: Bearer\", and take another one"
            }
            Self::Duplicate => "there is more than one Authorization field",
            Self::Malformed => "the Authorization field is not \"Bearer\", a space and a token",
            Self::Access(refusal) => return refusal.fmt(f),
        })
    }
}

impl core::error::Error for BearerRefusal {}

/// The token of an Authorization field: `"Bearer" 1*SP token68` (RFC 9110, section 11.4; the scheme
/// in any case).
fn token_of(field: &[u8]) -> Result<&[u8], BearerRefusal> {
    let field = field.trim_ascii();
    let end = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
    let (scheme, rest) = field.split_at_checked(end).ok_or(BearerRefusal::Malformed)?;
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(BearerRefusal::Missing);
    }
    // Spaces, and no other white space.
    let token = rest.iter().position(|byte| *byte != b' ').and_then(|at| rest.get(at..)).unwrap_or_default();
    if is_token68(token) { Ok(token) } else { Err(BearerRefusal::Malformed) }
}
