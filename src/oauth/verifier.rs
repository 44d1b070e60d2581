//! What an access token is worth (RFC 7519, section 7.2; RFC 9068, section 4; MCP, "Authorization").

use core::cell::{Cell, RefCell};
use core::fmt;
use std::sync::Arc;

use hmac_sha256::Hash;

use super::jwt::{Claims, Jwt, seconds, text};
use super::{Authority, Key, OAuth, TokenRefusal};
use crate::json::{Kind, Value};
use crate::limits::{CLOCK_SET_MIN_UNIX_S, JWT_BYTES_MAX, JWT_KEYS_TRIED_MAX, JWT_REMEMBERED_MAX, SUBJECT_BYTES_MAX};
use crate::session::{Principal, Subject};

/// Checks the tokens of some authorization servers.
pub(crate) struct Verifier {
    issuers: Vec<Issued>,
    /// The names of this server.
    audiences: Vec<String>,
    /// The scopes that mean something here: of a token that has more than there is room for, these are kept.
    scopes: Vec<String>,
    leeway_s: u64,
    buffer: RefCell<Vec<u8>>,
    remembered: RefCell<Vec<Remembered>>,
    /// The place whose turn it is to be forgotten.
    next: Cell<usize>,
}

/// An authorization server, and its keys.
struct Issued {
    url: Arc<str>,
    keys: RefCell<Vec<Key>>,
}

/// A token that was found good. Whether it still is, is asked of the clock each time.
struct Remembered {
    hash: [u8; 32],
    principal: Principal,
    not_before_unix_s: u64,
}

impl Verifier {
    /// What checks tokens by these settings; `keys` are those of each authorization server, and `resource` is this server.
    pub(crate) fn new(settings: &OAuth, resource: &str, keys: Vec<Vec<Key>>) -> Self {
        let issuers =
            settings.issuers.iter().map(|issuer| Arc::from(&*issuer.url)).zip(keys.into_iter().map(RefCell::new));
        // A client writes the URL of a host alone with a slash behind it, and an authorization server repeats that (RFC 3986, section 6.2.3).
        let names = [resource.to_owned(), format!("{resource}/")];
        Self {
            issuers: issuers.map(|(url, keys)| Issued { url, keys }).collect(),
            audiences: names.into_iter().chain(settings.audiences.iter().cloned()).collect(),
            scopes: settings.scopes.clone(),
            leeway_s: settings.leeway_s,
            buffer: RefCell::new(vec![0; JWT_BYTES_MAX]),
            remembered: RefCell::new(Vec::with_capacity(JWT_REMEMBERED_MAX)),
            next: Cell::new(0),
        }
    }

    /// Whether its buffer is as it was before the first token.
    #[cfg(test)]
    pub(super) fn holds_nothing(&self) -> bool {
        self.buffer.borrow().iter().all(|byte| *byte == 0)
    }

    /// Bytes that it takes, but for texts and keys.
    pub(crate) const BYTES: usize = JWT_BYTES_MAX + JWT_REMEMBERED_MAX * size_of::<Remembered>();

    /// Takes these keys in the place of those that the authorization server at this place had. True if some are not among the new ones: who came in
    /// by these may come in no more.
    pub(crate) fn replace_keys(&self, issuer: usize, keys: Vec<Key>) -> bool {
        let Some(issuer) = self.issuers.get(issuer) else { return false };
        let former = issuer.keys.replace(keys);
        let keys = issuer.keys.borrow();
        let has_lost = former.iter().any(|key| !keys.contains(key));
        if has_lost {
            self.remembered.borrow_mut().clear();
        }
        has_lost
    }

    /// Whether these are the keys of the authorization server at this place.
    pub(crate) fn has_keys(&self, issuer: usize, keys: &[Key]) -> bool {
        self.issuers.get(issuer).is_some_and(|issuer| *issuer.keys.borrow() == keys)
    }

    // What was found of a token before.
    fn recall(&self, hash: &[u8; 32], unix_s: u64) -> Option<Result<Principal, TokenRefusal>> {
        let remembered = self.remembered.borrow();
        let known = remembered.iter().find(|known| known.hash == *hash)?;
        Some(
            self.in_time(known.not_before_unix_s, known.principal.ends_unix_s(), unix_s)
                .map(|()| known.principal.clone()),
        )
    }

    fn remember(&self, token: Remembered) {
        let mut remembered = self.remembered.borrow_mut();
        if remembered.len() < JWT_REMEMBERED_MAX {
            return remembered.push(token);
        }
        let turn = self.next.replace((self.next.get() + 1) % JWT_REMEMBERED_MAX);
        if let Some(place) = remembered.get_mut(turn) {
            *place = token;
        }
    }

    fn in_time(&self, not_before_unix_s: u64, ends_unix_s: u64, unix_s: u64) -> Result<(), TokenRefusal> {
        if unix_s < CLOCK_SET_MIN_UNIX_S {
            return Err(TokenRefusal::NoClock);
        }
        if unix_s >= ends_unix_s {
            return Err(TokenRefusal::Ended);
        }
        if unix_s.saturating_add(self.leeway_s) < not_before_unix_s {
            return Err(TokenRefusal::Early);
        }
        Ok(())
    }

    // Whom a token is about that is not remembered, and from when on it is good.
    fn look(&self, token: &[u8], buffer: &mut [u8], unix_s: u64) -> Result<(Principal, u64), TokenRefusal> {
        let jwt = Jwt::read(token, buffer)?;
        let issuer = jwt.claims.issuer.ok_or(TokenRefusal::Issuer).and_then(text)?;
        let issuer = self.issuers.iter().find(|known| issuer.eq_str(&known.url)).ok_or(TokenRefusal::Issuer)?;
        authentic(&jwt, &issuer.keys.borrow())?;
        let (principal, not_before_unix_s) = self.judge(&jwt.claims, &issuer.url)?;
        self.in_time(not_before_unix_s, principal.ends_unix_s(), unix_s)?;
        Ok((principal, not_before_unix_s))
    }

    // Of an authentic token.
    fn judge(&self, claims: &Claims<'_>, issuer: &Arc<str>) -> Result<(Principal, u64), TokenRefusal> {
        if !self.is_meant(claims.audience.ok_or(TokenRefusal::Audience)?)? {
            return Err(TokenRefusal::Audience);
        }
        let expires = claims.expires.ok_or(TokenRefusal::Endless).and_then(seconds)?;
        let not_before = claims.not_before.map_or(Ok(0), seconds)?;
        let mut principal = subject(claims, issuer)?.until(expires.saturating_add(self.leeway_s));
        let given = claims.scopes()?;
        let is_known = |scope: &&str| self.scopes.iter().any(|known| known == scope);
        given.clone().filter(is_known).chain(given).for_each(|scope| principal.add_scope(scope));
        Ok((principal, not_before))
    }

    // One name, or a list of names (RFC 7519, section 4.1.3).
    fn is_meant(&self, audience: Value<'_>) -> Result<bool, TokenRefusal> {
        let is_ours = |name: Value<'_>| text(name).map(|name| self.audiences.iter().any(|own| name.eq_str(own)));
        match audience.kind() {
            Kind::Array => audience.elements().try_fold(false, |found, name| Ok(found | is_ours(name)?)),
            _ => is_ours(audience),
        }
    }
}

impl Authority for Verifier {
    fn check(&self, token: &[u8], unix_s: u64) -> Result<Principal, TokenRefusal> {
        if token.len() > JWT_BYTES_MAX {
            return Err(TokenRefusal::Foreign);
        }
        let hash = Hash::hash(token);
        if let Some(known) = self.recall(&hash, unix_s) {
            return known;
        }
        let mut buffer = self.buffer.borrow_mut();
        let found = self.look(token, &mut buffer, unix_s);
        // A token does not stay in memory, and nor does what it says.
        buffer.get_mut(..token.len()).unwrap_or_default().fill(0);
        let (principal, not_before_unix_s) = found?;
        self.remember(Remembered { hash, principal: principal.clone(), not_before_unix_s });
        Ok(principal)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers = self.issuers.iter().map(|issuer| &*issuer.url);
        f.debug_struct("Verifier").field("issuers", &issuers.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// Whether one of the keys has signed it: the one that it names, and then, where it or the key has no name, one that is for its algorithm.
fn authentic(jwt: &Jwt<'_>, keys: &[Key]) -> Result<(), TokenRefusal> {
    let named = |key: &&Key| matches!((&jwt.key, key.id()), (Some(named), Some(id)) if named.eq_str(id));
    let unnamed = |key: &&Key| jwt.key.is_none() || key.id().is_none();
    let mut meant = keys.iter().filter(named).chain(keys.iter().filter(unnamed)).peekable();
    meant.peek().ok_or(TokenRefusal::Key)?;
    // What a key is good for is said by the key, never by the token alone (RFC 8725, section 3.1).
    let mut fit = meant.filter(|key| key.algorithm() == jwt.algorithm).take(JWT_KEYS_TRIED_MAX).peekable();
    fit.peek().ok_or(TokenRefusal::Algorithm)?;
    if fit.any(|key| key.has_signed(jwt.signed, jwt.signature)) { Ok(()) } else { Err(TokenRefusal::Signature) }
}

/// Whom it is about: the subject, or the client that acts on its own behalf where there is none.
fn subject(claims: &Claims<'_>, issuer: &Arc<str>) -> Result<Principal, TokenRefusal> {
    let (name, what) = match (claims.subject, claims.client) {
        (Some(subject), _) => (subject, Subject::User),
        (None, Some(client)) => (client, Subject::Client),
        (None, None) => return Err(TokenRefusal::Subject),
    };
    let mut decoded = heapless::String::<SUBJECT_BYTES_MAX>::new();
    text(name)?.chars().try_for_each(|char| decoded.push(char)).map_err(|_| TokenRefusal::Subject)?;
    let principal = Principal::of_subject(issuer, &decoded, what);
    if principal.fault().is_some() { Err(TokenRefusal::Subject) } else { Ok(principal) }
}
