//! On whose behalf a request is made, and what that one may do.

use core::fmt;
use std::sync::Arc;

use hmac_sha256::{HMAC, Hash};

use super::Encoder;
use super::key::first_of;
use crate::limits::{PRINCIPAL_NAME_BYTES_MAX, SCOPES_BYTES_MAX, SCOPES_MAX};

/// Who makes a request, and what that one may do: the holder of a token, whom an access token is about, who the application's own check says it is
/// ([`Server::authorize`](crate::Server::authorize)), or anyone, where the server asks nobody.
///
/// Sessions, states, cursors, event ids and tasks are bound to it by its name: two of one name are the same to them, whatever their scopes. Those of an
/// access token are bound to its subject and the authorization server that it is from.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    id: PrincipalId,
    name: heapless::String<PRINCIPAL_NAME_BYTES_MAX, u8>,
    scopes: Scopes,
    fault: Option<PrincipalFault>,
    /// The authorization server that it is known to; none where it is not from one.
    issuer: Option<Arc<str>>,
    /// When its token ends, in seconds of the wall clock; `u64::MAX`: never, or that is known elsewhere.
    ends_unix_s: u64,
}

/// What a principal may do.
#[derive(Clone, PartialEq, Eq)]
enum Scopes {
    Every,
    /// These, with a space between two.
    Only(heapless::String<SCOPES_BYTES_MAX, u16>),
}

/// What is wrong with a principal's name or scopes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PrincipalFault {
    /// The name is empty, longer than [`PRINCIPAL_NAME_BYTES_MAX`], or has a character that is not seen: see [`is_unseen`].
    Name,
    /// A scope is empty, or has another character than a scope may (RFC 6749, 3.3).
    Scope,
    /// There are more than [`SCOPES_MAX`] scopes, or they have more than [`SCOPES_BYTES_MAX`] bytes.
    Scopes,
}

/// Anyone, for those who need a reference.
pub(crate) static ANYONE: Principal = Principal::ANYONE;

impl Principal {
    /// Whoever comes to a server that asks nobody: without a name, and with every scope.
    pub(crate) const ANYONE: Self = Self::of(PrincipalId::ANYONE);

    /// Who was let in: the one that is known, or else anyone, as only a server lets in that asks nobody.
    pub(crate) fn or_anyone(known: Option<&Self>) -> &Self {
        known.unwrap_or(&ANYONE)
    }

    /// For the application's own check: the principal of this name, with every scope. At most [`PRINCIPAL_NAME_BYTES_MAX`] bytes without
    /// control characters and others that are not seen (U+200B and the like); one with another name is not let in. Its name has nothing to do with
    /// those of tokens.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self::of(PrincipalId::ANYONE).named(name.as_ref(), Kind::Application)
    }

    /// The same, with these scopes alone: at most [`SCOPES_MAX`] of together [`SCOPES_BYTES_MAX`] bytes, of the characters that RFC 6749,
    /// section 3.3 gives them; one with others is not let in.
    #[must_use]
    pub fn with_scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let mut text = heapless::String::new();
        for (at, scope) in scopes.into_iter().enumerate() {
            let scope = scope.as_ref();
            let fits = at < SCOPES_MAX && (at == 0 || text.push(' ').is_ok()) && text.push_str(scope).is_ok();
            if !is_scope(scope) {
                self.fault = self.fault.or(Some(PrincipalFault::Scope));
            } else if !fits {
                self.fault = self.fault.or(Some(PrincipalFault::Scopes));
            }
        }
        self.scopes = Scopes::Only(text);
        self
    }

    /// The name: a token's, the subject of an access token ([`OAuth`](crate::OAuth)), or what the application's own check gave. None where there
    /// is none.
    ///
    /// It is unique within its source alone: names of tokens, those that the application gives, users and clients of one authorization server and those of
    /// another may be spelled the same, and are others to the server. Where there are several sources, look at the [`issuer`](Self::issuer), too.
    pub fn name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty())
    }

    /// The authorization server whose access token it brought ([`Issuer`](crate::Issuer)), by its URL; none for all others.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether it may do what asks for this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        match &self.scopes {
            Scopes::Every => true,
            Scopes::Only(_) => self.scopes().any(|own| own == scope),
        }
    }

    /// Whether it has every scope, because none were given to it.
    pub fn has_every_scope(&self) -> bool {
        self.scopes == Scopes::Every
    }

    /// The scopes that were given to it; nothing where it has every scope.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let text = match &self.scopes {
            Scopes::Every => "",
            Scopes::Only(text) => text.as_str(),
        };
        text.split(' ').filter(|scope| !scope.is_empty())
    }

    /// The holder of an unnamed token of this hash.
    pub(crate) const fn of_token_hash(hash: &[u8; 32]) -> Self {
        Self::of(PrincipalId::of_token_hash(hash))
    }

    /// The same as the holder of all tokens of a name.
    pub(crate) fn of_token_name(self, name: &str) -> Self {
        self.named(name, Kind::NamedToken)
    }

    /// Whom an authorization server's access token is about. Its name is the subject; where that is too long for a name, a hash of it. What is
    /// bound to it is bound to the whole subject of that server; users and clients are different ones. It has no scopes.
    pub(crate) fn of_subject(issuer: &Arc<str>, subject: &str, what: Subject) -> Self {
        let mut hash = HMAC::new(b"smol-mcp subject");
        // An issuer is a URL, which has no NUL.
        for part in [issuer.as_bytes(), &[0, what as u8], subject.as_bytes()] {
            hash.update(part);
        }
        let mut principal = Self::of(PrincipalId::of(first_of(&hash.finalize()), Kind::Subject));
        principal.scopes = Scopes::Only(heapless::String::new());
        principal.issuer = Some(issuer.clone());
        if subject.is_empty() || subject.chars().any(is_unseen) {
            principal.fault = Some(PrincipalFault::Name);
        } else if principal.name.push_str(subject).is_err() {
            // It fits: 7 and 43 characters.
            let _ = principal.name.push_str("sha256-");
            let mut encoder = Encoder::new(|text: &[u8]| {
                let _ = principal.name.push_str(core::str::from_utf8(text).unwrap_or_default());
            });
            encoder.write(&Hash::hash(subject.as_bytes()));
            encoder.end();
        }
        principal
    }

    /// The same with one more scope. One that can't be a scope, or for which there is no room, is left out: it may do less then.
    pub(crate) fn add_scope(&mut self, scope: &str) {
        if self.has_scope(scope) || !is_scope(scope) || self.scopes().count() == SCOPES_MAX {
            return;
        }
        if let Scopes::Only(text) = &mut self.scopes {
            let space = usize::from(!text.is_empty());
            if text.len() + space + scope.len() <= text.capacity() {
                // There is room.
                let _ = text.push_str(if space == 0 { "" } else { " " });
                let _ = text.push_str(scope);
            }
        }
    }

    /// The same until that time, in seconds since 1970.
    pub(crate) fn until(self, ends_unix_s: u64) -> Self {
        Self { ends_unix_s, ..self }
    }

    /// When its token ends, where that is not known of the token: `u64::MAX` then.
    pub(crate) const fn ends_unix_s(&self) -> u64 {
        self.ends_unix_s
    }

    /// By what sessions and the like are bound to it.
    pub(crate) const fn id(&self) -> PrincipalId {
        self.id
    }

    /// What is wrong with it.
    pub(crate) const fn fault(&self) -> Option<PrincipalFault> {
        self.fault
    }

    /// Whether it may do what asks for all of these.
    pub(crate) fn has_all(&self, scopes: &[&str]) -> bool {
        scopes.iter().all(|scope| self.has_scope(scope))
    }

    /// Whether it may do all that the other may.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (&self.scopes, &other.scopes) {
            (Scopes::Every, _) => true,
            (Scopes::Only(_), Scopes::Every) => false,
            (Scopes::Only(_), Scopes::Only(_)) => other.scopes().all(|scope| self.has_scope(scope)),
        }
    }

    const fn of(id: PrincipalId) -> Self {
        Self {
            id,
            name: heapless::String::new(),
            scopes: Scopes::Every,
            fault: None,
            issuer: None,
            ends_unix_s: u64::MAX,
        }
    }

    fn named(mut self, name: &str, kind: Kind) -> Self {
        self.id = PrincipalId::of_name(name, kind);
        self.name.clear();
        if name.is_empty() || name.chars().any(is_unseen) || self.name.push_str(name).is_err() {
            self.fault = Some(PrincipalFault::Name);
        }
        self
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Principal");
        match self.name() {
            Some(name) => shown.field("name", &name),
            None => shown.field("id", &self.id),
        };
        if let Scopes::Only(scopes) = &self.scopes {
            shown.field("scopes", scopes);
        }
        shown.finish_non_exhaustive()
    }
}

impl fmt::Display for PrincipalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a name has 1 to 64 bytes, and no characters that are not seen",
            Self::Scope => "a scope has at least one character, and none but visible ASCII without \" and \\",
            Self::Scopes => "at most 16 scopes of together 256 bytes can be kept",
        })
    }
}

const _: () =
    assert!(PRINCIPAL_NAME_BYTES_MAX == 64 && SCOPES_MAX == 16 && SCOPES_BYTES_MAX == 256, "as is said above");

/// Whether people don't see this character, or it makes them see others than stand there: control characters, and those that turn the direction,
/// join, or have no width. Two names must not look like one.
fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether this can be a scope: `scope-token` of RFC 6749, section 3.3.
pub(crate) const fn is_scope(scope: &str) -> bool {
    let bytes = scope.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'!' | b'#'..=b'[' | b']'..=b'~') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

/// By what a principal is known to what is signed for it: sessions are bound to this, so that an id is worth nothing to another.
///
/// It comes from its name, from the hash of a token that has none, or from the subject of an access token with its issuer, and not from a place in the
/// configuration: it stays the same when tokens are added, taken away or put in another order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PrincipalId([u8; 8]);

/// Where a principal comes from, as three bits of its id say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    UnnamedToken = 1,
    NamedToken = 2,
    Application = 3,
    Subject = 4,
}

/// Whom an access token is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Subject {
    /// Its subject, as it says: a user, or a client on its own behalf.
    User = b's' as isize,
    /// A client, in a token that has no subject.
    Client = b'c' as isize,
}

impl PrincipalId {
    /// Whoever comes to a server that asks nobody.
    pub(crate) const ANYONE: Self = Self([0; 8]);

    /// The holder of an unnamed token of this hash.
    pub(crate) const fn of_token_hash(hash: &[u8; 32]) -> Self {
        Self::of(first_of(hash), Kind::UnnamedToken)
    }

    /// It is the holder of a token of the configuration.
    pub(crate) const fn is_of_token(self) -> bool {
        self.is_of(Kind::UnnamedToken) || self.is_of(Kind::NamedToken)
    }

    /// It is whom the application knows.
    pub(crate) const fn is_of_application(self) -> bool {
        self.is_of(Kind::Application)
    }

    /// It is whom an access token is about.
    pub(crate) const fn is_of_subject(self) -> bool {
        self.is_of(Kind::Subject)
    }

    const fn is_of(self, kind: Kind) -> bool {
        let [first, ..] = self.0;
        first & KIND == kind as u8
    }

    /// What it is counted by in a table.
    pub(crate) const fn key(self) -> u64 {
        u64::from_le_bytes(self.0)
    }

    /// What goes into the tags of what is signed for it.
    pub(crate) const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    fn of_name(name: &str, kind: Kind) -> Self {
        Self::of(first_of(&HMAC::mac(name.as_bytes(), b"smol-mcp principal")), kind)
    }

    const fn of(mut bytes: [u8; 8], kind: Kind) -> Self {
        let [first, ..] = &mut bytes;
        *first = *first & !KIND | kind as u8;
        Self(bytes)
    }
}

/// The bits of the first byte that tell the kind.
const KIND: u8 = 0b111;

impl fmt::Debug for PrincipalId {
    /// Tells only whether there is a token: a part of its hash would help to guess a weak one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::ANYONE => "Principal(anyone)",
            token if token.is_of_token() => "Principal(of a token)",
            subject if subject.is_of_subject() => "Principal(of an access token)",
            _ => "Principal(of the application)",
        })
    }
}
