//! What the application says of its authorization servers.

use core::fmt;
use std::path::{Path, PathBuf};

use super::jwks::{key_of_ed25519, key_of_secret};
use super::{Jwks, Key};
use crate::limits::{
    AUDIENCES_MAX, ISSUERS_MAX, JWKS_KEYS_MAX, JWT_LEEWAY_S_DEFAULT, JWT_LEEWAY_S_MAX, OAUTH_URL_BYTES_MAX,
    SCOPES_BYTES_MAX, SCOPES_MAX,
};
use crate::session::is_scope;

/// Makes the server an OAuth 2.1 resource server ([`Config::oauth`](crate::Config::oauth)): requests are let in by access tokens, which clients get
/// from an authorization server, and find that one by the metadata that is published here (MCP, "Authorization"; RFC 9728).
///
/// ```
/// use smol_mcp::{Config, Issuer, OAuth};
///
/// let secret = "a secret of 32 bytes, at the least";
/// let config = Config::new().public_base("https://board.example.org").oauth(
///     OAuth::new("https://board.example.org/mcp")
///         .issuer(Issuer::new("https://login.example.org").hs256(secret))
///         .scopes(["read", "lights"]),
/// );
/// ```
/// What is wrong with it is told by [`Server::bind`](crate::Server::bind).
///
/// # What a token must be
/// A JWT (RFC 7519, 9068) of at most [`JWT_BYTES_MAX`](crate::limits::JWT_BYTES_MAX) bytes, signed with a key of the authorization server that it names:
/// by HS256 or `EdDSA` (Ed25519), and with the crate's features `es256` and `rs256` by those. A key is good for its own algorithm alone, `none` is not
/// one. Its `typ` is `JWT` or `at+jwt`, where it says one, and there is no `crit`; and its claims are
/// - `iss`: the URL of the [`Issuer`], exactly;
/// - `aud`: this resource's URL, or another [`audience`](Self::audience), alone or among others;
/// - `exp`: in the future; `nbf`, where it is there: not so; give or take the [`leeway`](Self::leeway_s);
/// - `sub`, or `client_id` where there is no `sub`: [`Principal::name`](crate::Principal::name), to which sessions and tasks are bound. One that is
///   too long for a name is `sha256-` and its hash. Users of two authorization servers are never the same, also where their names are: a name is
///   unique only with its [`Principal::issuer`](crate::Principal::issuer);
/// - `scope` or `scp`: what it may do. Without these it may do what asks for no scope. Where they are more than
///   [`SCOPES_MAX`] of together [`SCOPES_BYTES_MAX`] bytes, those of [`scopes`](Self::scopes) are kept first.
///
/// A stream ends with the token that opened it, and a call that runs goes on to its end. A session goes on with the next token of its user.
/// Tokens of the configuration ([`Config::token`](crate::Config::token) and the like) let in beside these, if there are any.
#[derive(Clone, Debug)]
pub struct OAuth {
    pub(crate) resource: String,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) scopes: Vec<String>,
    pub(crate) first_scopes: Option<Vec<String>>,
    pub(crate) audiences: Vec<String>,
    pub(crate) leeway_s: u64,
}

impl OAuth {
    /// This server, by the URL that its clients use: `https://board.example.org/mcp`. Where clients of 2024-11-05 come by `/sse`, too, leave the
    /// path out: then it stands for all below. Its host is one of the server's names.
    pub fn new(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            issuers: Vec::new(),
            scopes: Vec::new(),
            first_scopes: None,
            audiences: Vec::new(),
            leeway_s: JWT_LEEWAY_S_DEFAULT,
        }
    }

    /// An authorization server whose tokens are taken; at least one, at most [`ISSUERS_MAX`].
    #[must_use]
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The scopes that there are (`scopes_supported`), for clients to ask for: what tools, resources and prompts ask for by `#[scope]`. At most
    /// [`SCOPES_MAX`] of together [`SCOPES_BYTES_MAX`] bytes. Not `offline_access`, which is the client's to add.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Those that a client is told to ask for first, when it comes without a token. All [`scopes`](Self::scopes), where this is not said; the others
    /// are asked for when something needs them (403, `insufficient_scope`).
    #[must_use]
    pub fn first_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.first_scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// A further name of this server in the `aud` of tokens, for authorization servers that have their own. At most [`AUDIENCES_MAX`]. A name that is
    /// given to other servers, too, lets in by their tokens: it must not be. Nor must the id of a client be: ID tokens, which tell a client who signed in,
    /// have that for `aud`, may have a `typ` as access tokens do, and would let in.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Seconds that the clocks may differ: [`JWT_LEEWAY_S_DEFAULT`], at most [`JWT_LEEWAY_S_MAX`].
    #[must_use]
    pub fn leeway_s(self, leeway_s: u64) -> Self {
        Self { leeway_s, ..self }
    }

    /// Whether all of it can be, but for the keys and the form of the URLs.
    ///
    /// # Errors
    /// Which is wrong, and why.
    pub(crate) fn check(&self) -> Result<(), String> {
        let issuers = self.issuers.len();
        if !(1..=ISSUERS_MAX).contains(&issuers) {
            return Err(format!("expected 1 to {ISSUERS_MAX} authorization servers, got {issuers}"));
        }
        for (place, issuer) in self.issuers.iter().enumerate() {
            if self.issuers.iter().take(place).any(|other| other.url == issuer.url) {
                return Err(format!("the authorization server {:?} is there twice", issuer.url));
            }
        }
        let first = self.first_scopes.as_deref().unwrap_or_default();
        for scopes in [&self.scopes, first] {
            let bytes: usize = scopes.iter().map(|scope| scope.len() + 1).sum();
            if scopes.len() > SCOPES_MAX || bytes > SCOPES_BYTES_MAX + 1 {
                return Err(format!("scopes: expected at most {SCOPES_MAX} of together {SCOPES_BYTES_MAX} bytes"));
            }
            if let Some(wrong) = scopes.iter().find(|scope| !is_scope(scope)) {
                return Err(format!("{wrong:?} can't be a scope: visible ASCII without \" and \\"));
            }
        }
        if self.scopes.iter().chain(first).any(|scope| scope == "offline_access") {
            return Err("offline_access is no scope of a server: clients add it by themselves".to_owned());
        }
        if let Some(unknown) = first.iter().find(|scope| !self.scopes.contains(scope)) {
            return Err(format!("first_scopes: {unknown:?} is not among the scopes"));
        }
        let is_wrong = |name: &String| name.is_empty() || name.len() > OAUTH_URL_BYTES_MAX;
        if self.audiences.len() > AUDIENCES_MAX || self.audiences.iter().any(is_wrong) {
            return Err(format!(
                "audience: expected at most {AUDIENCES_MAX}, of 1 to {OAUTH_URL_BYTES_MAX} bytes each"
            ));
        }
        if self.leeway_s > JWT_LEEWAY_S_MAX {
            return Err(format!("leeway_s: expected 0 to {JWT_LEEWAY_S_MAX}, got {}", self.leeway_s));
        }
        Ok(())
    }

    /// The scopes that a client without a token is told to ask for.
    pub(crate) fn asked_first(&self) -> &[String] {
        self.first_scopes.as_deref().unwrap_or(&self.scopes)
    }

    /// Bytes of its texts and keys, as they are kept.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.scopes.iter().chain(&self.audiences).chain(self.first_scopes.iter().flatten());
        let texts = texts.map(|text| text.len() + size_of::<String>()).sum::<usize>();
        // Of each there are the settings', and what is made of them; and of keys the new ones, while they take the place of the old.
        let keys = 2 * JWKS_KEYS_MAX * (size_of::<Key>() + Key::BYTES_BESIDE);
        let sources = self.issuers.iter().flat_map(|issuer| &issuer.sources).map(Source::bytes).sum::<usize>();
        2 * (texts + self.resource.len()) + self.issuers.len() * (keys + 2 * OAUTH_URL_BYTES_MAX) + sources
    }
}

/// An authorization server whose access tokens are taken, and the keys that it signs them with.
///
/// Its URL is its issuer identifier, as its metadata has it (RFC 8414): tokens must have exactly this for `iss`, and clients are sent there. It needs keys:
/// a [file](Self::jwks_file), or those that are given here, or both.
#[derive(Clone)]
pub struct Issuer {
    pub(crate) url: String,
    pub(super) sources: Vec<Source>,
    pub(crate) file: Option<PathBuf>,
}

#[derive(Clone)]
pub(super) enum Source {
    Secret(Box<[u8]>),
    Ed25519([u8; 32]),
    Jwks(String),
}

impl Source {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Secret(secret) => secret.len(),
                Self::Ed25519(_) => 0,
                Self::Jwks(text) => text.len(),
            }
    }
}

impl Issuer {
    /// The authorization server of this URL: `https://login.example.org`, with a slash at its end only if its tokens have one.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), sources: Vec::new(), file: None }
    }

    /// Its keys are in this file: a JWK Set (RFC 7517), as it publishes it at its `jwks_uri`, or a single key. Nothing is fetched from here: let a timer do
    /// that (`curl -sf -o jwks.new URL && mv jwks.new jwks.json`). The file is read again when it has changed, and by
    /// [`Handle::reload`](crate::Handle::reload); one that is wrong by then changes nothing, and is logged. Where it holds a secret, others must not be
    /// able to read it; they must never be able to write it.
    #[must_use]
    pub fn jwks_file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// Its keys, as such a text.
    #[must_use]
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.sources.push(Source::Jwks(json.into()));
        self
    }

    /// A secret that it shares with this server, and signs with by HS256: 32 to 512 random bytes, and no password.
    #[must_use]
    pub fn hs256(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.sources.push(Source::Secret(secret.as_ref().into()));
        self
    }

    /// A public key of Ed25519, by whose private half it signs (`EdDSA`).
    #[must_use]
    pub fn ed25519(mut self, public: [u8; 32]) -> Self {
        self.sources.push(Source::Ed25519(public));
        self
    }

    /// All of its keys: those of its file, and those that were given.
    ///
    /// # Errors
    /// What is wrong with those that were given: there are none, there are too many, they can't be used.
    pub(crate) fn keys(&self, of_file: Vec<Key>) -> Result<Vec<Key>, String> {
        let mut keys = of_file;
        for source in &self.sources {
            match source {
                Source::Secret(secret) => keys.push(key_of_secret(None, secret).map_err(str::to_owned)?),
                Source::Ed25519(public) => keys.push(key_of_ed25519(None, public).map_err(str::to_owned)?),
                Source::Jwks(text) => keys.extend(Jwks::parse(text).map_err(|error| error.to_string())?.keys),
            }
        }
        match keys.len() {
            0 => Err("it has no key: name a file (jwks_file), or give one".to_owned()),
            1..=JWKS_KEYS_MAX => Ok(keys),
            more => Err(format!("it has {more} keys; at most {JWKS_KEYS_MAX} can be kept")),
        }
    }
}

impl fmt::Debug for Issuer {
    /// Without the keys: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.url).field("file", &self.file).finish_non_exhaustive()
    }
}
