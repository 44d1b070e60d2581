//! The server as an OAuth 2.1 resource server: access tokens that an authorization server has signed, and the metadata by which clients find that
//! one.
//!
//! ```text
//!   settings   OAuth, Issuer: what the application says
//!   jwks       a set of keys as text -> keys                            (RFC 7517, 7518, 8037)
//!   key        is this signature that key's?                            (RFC 7515, 7518, 8037)
//!   jwt        a token -> its head and its claims, in a fixed buffer    (RFC 7515, 7519)
//!   verifier   who comes with this token, or why nobody                 (RFC 7519, 9068)
//!   metadata   what is published, and what a challenge says             (RFC 9728, 6750)
//! ```
//! A token is believed if it was signed, in the way that the key is for, with a key of the authorization server that it says it is from; says
//! when it ends, and has not ended; and is meant for this server. What it says of its own key, other than the key's name, is not looked at.
//!
//! Pure: keys come as text, the time is given, and nothing allocates when a token is looked at. A server that does not use it has none of it but a
//! few pointers: what checks is reached by a [`dyn Authority`](Authority), which only [`OAuth`] makes.

#[cfg(feature = "es256")]
mod es256;
mod jwks;
mod jwt;
mod key;
mod metadata;
#[cfg(feature = "rs256")]
mod rs256;
mod settings;
mod verifier;

#[cfg(test)]
mod tests_claims;
#[cfg(test)]
mod tests_jwks;
#[cfg(test)]
mod tests_metadata;
#[cfg(test)]
mod tests_mint;
#[cfg(test)]
mod tests_vectors;

pub(crate) use jwks::Jwks;
pub(crate) use key::Key;
pub(crate) use metadata::{Place, Protected};
pub use settings::{Issuer, OAuth};
pub(crate) use verifier::Verifier;

use core::fmt;

use crate::session::Principal;

/// Who knows what access tokens are worth.
pub(crate) trait Authority: fmt::Debug {
    /// Whom a token is about, and what that one may do until when; or why it is worth nothing.
    fn check(&self, token: &[u8], unix_s: u64) -> Result<Principal, TokenRefusal>;
}

/// Why an access token lets nobody in. Its text is a sentence, which repeats nothing of the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenRefusal {
    /// It does not look like a JWT.
    Foreign,
    /// Its parts can't be read.
    Malformed,
    /// Its head asks for what nobody here understands (`crit`).
    Critical,
    /// It is a JWT of another type than an access token.
    Type,
    /// It is signed in a way that is not taken here, or for which its key is not.
    Algorithm,
    /// Its authorization server has no key of that name.
    Key,
    /// The signature is not that of the key.
    Signature,
    /// It is from another authorization server, or does not say from which.
    Issuer,
    /// It is meant for another server, or does not say for which.
    Audience,
    /// It does not say when it ends.
    Endless,
    /// It has ended.
    Ended,
    /// It is not good yet.
    Early,
    /// It does not say whom it is about, or not in a way that can be kept.
    Subject,
    /// A claim, or a member of the head (`typ`, `kid`), is not of the type that it should have, or a time is none that could be meant.
    Claim,
    /// Nobody knows whether it has ended: the clock is not set.
    NoClock,
}

impl fmt::Display for TokenRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "the token is not one of this server's",
            Self::Malformed => "the access token is no JWT that can be read",
            Self::Critical => "the access token has a critical extension (crit), and this server knows none",
            Self::Type => "the token is a JWT of another type (typ) than an access token",
            Self::Algorithm => "the access token is signed in a way (alg) that this server does not take with that key",
            Self::Key => "the access token is signed with a key (kid) that this server does not know",
            Self::Signature => "the signature of the access token is wrong",
            Self::Issuer => "the access token is not from an authorization server (iss) of this server",
            Self::Audience => "the access token is meant for another server (aud) than this one",
            Self::Endless => "the access token does not say when it ends (exp)",
            Self::Ended => "the token has expired",
            Self::Early => "the access token is not good yet (nbf)",
            Self::Subject => {
                "the access token does not say for whom it is (sub), or not in at most 255 printable bytes"
            }
            Self::Claim => "a claim of the access token is not of its type",
            Self::NoClock => {
                "the token expires, and this server does not know the time yet: come again when its clock is set"
            }
        })
    }
}

const _: () = assert!(crate::limits::SUBJECT_BYTES_MAX == 255, "as the sentence says");
