//! A bearer token as it is configured, and the table of all of them (RFC 6750). Only hashes are kept.

use core::fmt;

use hmac_sha256::{HMAC, Hash};

use super::{BearerRefusal, GuardError};
use crate::limits::{BEARER_TOKEN_BYTES_MAX, CLOCK_SET_MIN_UNIX_S, TOKENS_MAX};
use crate::session::{Principal, PrincipalFault, PrincipalId, equal_in_constant_time};

/// A bearer token that lets in: the hash of it, and who its holder is and may do what.
///
/// ```
/// use smol_mcp::{Config, Token};
///
/// let config = Config::new()
///     .token("f3o83jf8o3jf")
///     .access(Token::new("9j3f9j3f9j3f").name("kitchen").scopes(["read", "lights"]).expires(1_830_297_600));
/// ```
/// The text of the token is not kept: it is hashed here. What is wrong with it is told by [`Server::bind`](crate::Server::bind).
#[derive(Clone)]
pub struct Token {
    hash: [u8; 32],
    principal: Principal,
    /// When it ends, in seconds of the wall clock.
    expires_unix_s: Option<u64>,
    /// What is wrong with it, where something is.
    fault: Option<&'static str>,
    /// The line of a file that it was read from; 0: it comes from the program.
    line: usize,
}

impl Token {
    /// A token of letters, digits and `-._~+/` that may end in `=`, of at most [`BEARER_TOKEN_BYTES_MAX`] bytes; take a random one, as
    /// `openssl rand -hex 32` gives. Its holder has no name, and every scope.
    pub fn new(token: impl AsRef<str>) -> Self {
        let token = token.as_ref();
        Self { fault: fault_of(token), ..Self::of_sha256(Hash::hash(token.as_bytes())) }
    }

    /// The token of which this is the SHA-256: what `printf %s "$TOKEN" | sha256sum` prints, as bytes.
    pub fn of_sha256(sha256: [u8; 32]) -> Self {
        let hash = keyed(&sha256);
        Self { hash, principal: Principal::of_token_hash(&hash), expires_unix_s: None, fault: None, line: 0 }
    }

    /// The name of its holder: 1 to 64 bytes without control characters. Sessions are the name's: they go on when its token is replaced, and
    /// all tokens of one name can use them.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.principal = self.principal.of_token_name(name.as_ref());
        self
    }

    /// What its holder may do: the tools, resources and prompts that ask for no scope, and those that ask for these. Without this, everything.
    #[must_use]
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.principal = self.principal.with_scopes(scopes);
        self
    }

    /// Until when it lets in, in seconds since 1970 by the machine's clock. While that is not set, a token that expires lets nobody in.
    #[must_use]
    pub fn expires(self, unix_s: u64) -> Self {
        Self { expires_unix_s: Some(unix_s), ..self }
    }

    /// The same, as it was read from this line of a file.
    pub(super) fn at_line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    /// What is wrong with it, where something is.
    pub(super) fn check(&self) -> Result<(), TokenFault> {
        match (self.fault, self.principal.fault()) {
            (Some(why), _) => Err(TokenFault::Text(why)),
            (None, Some(fault)) => Err(TokenFault::Principal(fault)),
            (None, None) => Ok(()),
        }
    }

    // By the clock it lets in.
    fn is_good(&self, unix_s: u64) -> bool {
        self.expires_unix_s.is_none_or(|end| unix_s >= CLOCK_SET_MIN_UNIX_S && unix_s < end)
    }

    // The same token says the same twice.
    fn says_the_same(&self, other: &Self) -> bool {
        self.principal == other.principal && self.expires_unix_s == other.expires_unix_s
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("principal", &self.principal)
            .field("expires", &self.expires_unix_s)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenFault {
    Text(&'static str),
    Principal(PrincipalFault),
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(why) => f.write_str(why),
            Self::Principal(fault) => fault.fmt(f),
        }
    }
}

fn fault_of(token: &str) -> Option<&'static str> {
    if token.is_empty() {
        Some("it is empty: check the variable or the file that it comes from")
    } else if token.trim() != token {
        Some("there is white space before or after it, such as the end of a line")
    } else if token.len() > BEARER_TOKEN_BYTES_MAX {
        Some("it has more than 512 bytes")
    } else if !is_token68(token.as_bytes()) {
        Some("a token is made of letters, digits and -._~+/ and may end in =, as in: openssl rand -hex 32")
    } else {
        None
    }
}

const _: () = assert!(BEARER_TOKEN_BYTES_MAX == 512, "as the sentence says");

/// The hash that is kept: keyed by its purpose, so that it is of no use where else the token may be known.
fn keyed(sha256: &[u8; 32]) -> [u8; 32] {
    HMAC::mac(sha256, b"smol-mcp bearer token")
}

/// `token68` of RFC 9110, section 11.2.
pub(super) fn is_token68(token: &[u8]) -> bool {
    let end = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    end > 0 && token.iter().take(end).all(is_part)
}

/// All tokens: those of the program, and those of a file.
#[derive(Default)]
pub(super) struct Tokens {
    program: Vec<Token>,
    file: Vec<Token>,
}

impl Tokens {
    /// Checks them, and puts them together.
    ///
    /// # Errors
    /// Which is wrong, by its number or its line.
    pub(super) fn new(program: &[Token], file: &[Token]) -> Result<Self, GuardError> {
        let mut all = Self::default();
        for (index, token) in program.iter().enumerate() {
            let error = |why: String| Err(GuardError::of_secret("token", index + 1, why));
            if let Err(fault) = token.check() {
                return error(fault.to_string());
            }
            let known = all.iter().find(|other| other.hash == token.hash).map(|other| other.says_the_same(token));
            match known {
                Some(true) => {}
                Some(false) => {
                    return error("it is another one, too, with another name, other scopes or another end".into());
                }
                None => all.program.push(token.clone()),
            }
        }
        for token in file {
            let error = |why: String| Err(GuardError::of_line(token.line, why));
            let known = all.iter().find(|other| other.hash == token.hash).map(|other| other.line);
            match known {
                Some(line) if line > 0 => return error(format!("the token is that of line {line}")),
                Some(_) => return error("the token is also given by the program or the environment".into()),
                None => all.file.push(token.clone()),
            }
        }
        match all.iter().count() {
            0..=TOKENS_MAX => Ok(all),
            more => Err(GuardError::of_number("tokens", format!("there are {more}; at most {TOKENS_MAX} can be kept"))),
        }
    }

    /// Those of the program.
    pub(super) fn program(&self) -> &[Token] {
        &self.program
    }

    /// Those of the file.
    pub(super) fn file(&self) -> &[Token] {
        &self.file
    }

    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.program.is_empty() && self.file.is_empty()
    }

    /// Whose token it is. All are compared, each to its end, whichever it is.
    pub(super) fn find(&self, token: &[u8], unix_s: u64) -> Result<Principal, BearerRefusal> {
        let sent = keyed(&Hash::hash(token));
        let mut found = 0;
        for (place, known) in self.iter().enumerate() {
            // No branch: no two have the same hash, so at most one place is added.
            found |= (place + 1) * usize::from(equal_in_constant_time(&known.hash, &sent));
        }
        let Some(token) = found.checked_sub(1).and_then(|place| self.iter().nth(place)) else {
            return Err(BearerRefusal::Wrong);
        };
        match token.expires_unix_s {
            Some(_) if unix_s < CLOCK_SET_MIN_UNIX_S => Err(BearerRefusal::NoClock),
            Some(end) if unix_s >= end => Err(BearerRefusal::Expired),
            _ => Ok(token.principal.clone()),
        }
    }

    /// A token of this principal is good at this time.
    pub(super) fn knows(&self, id: PrincipalId, unix_s: u64) -> bool {
        self.good(id, unix_s).next().is_some()
    }

    /// When the next token ends, after this time.
    pub(super) fn next_end(&self, unix_s: u64) -> Option<u64> {
        self.iter().filter_map(|token| token.expires_unix_s).filter(|end| *end > unix_s).min()
    }

    /// Whether a principal that could come in at `before` with a token of `self` may do less at `now`, with those of `next`.
    pub(super) fn loses(&self, id: PrincipalId, before_unix_s: u64, next: &Self, now_unix_s: u64) -> bool {
        let is_kept = |had: &Token| next.good(id, now_unix_s).any(|has| has.principal.covers(&had.principal));
        !self.good(id, before_unix_s).all(is_kept)
    }

    fn good(&self, id: PrincipalId, unix_s: u64) -> impl Iterator<Item = &Token> {
        self.iter().filter(move |token| token.principal.id() == id && token.is_good(unix_s))
    }

    fn iter(&self) -> impl Iterator<Item = &Token> {
        self.program.iter().chain(&self.file)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.iter().count())
    }
}
