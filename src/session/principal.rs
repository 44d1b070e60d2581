//! On whose behalf a request is made.

use core::fmt;

use super::key::first_of;

/// Whose credential a request carried. Sessions are bound to it, so that an id is worth nothing to
/// another principal.
///
/// It is a prefix of the token's hash and not the token's place in the configuration: it stays the
/// same when tokens are added, taken away or put in another order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Principal([u8; 8]);

impl Principal {
    /// Whoever comes to a server that asks for no token.
    pub(crate) const ANYONE: Self = Self([0; 8]);

    /// The principal whose token has this hash.
    pub(crate) const fn of_token_hash(hash: &[u8; 32]) -> Self {
        Self(first_of(hash))
    }

    /// What goes into the tags of what is signed for it.
    pub(crate) const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Debug for Principal {
    /// Tells only whether there is a token: a part of its hash would help to guess a weak one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::ANYONE { "Principal(anyone)" } else { "Principal(of a token)" })
    }
}
