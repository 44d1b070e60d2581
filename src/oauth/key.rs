//! A key that access tokens are signed with, and what it says of a signature (RFC 7515, 7518, 8037).

use core::fmt;

use ed25519_compact::{PublicKey, Signature};
use hmac_sha256::HMAC;

#[cfg(feature = "es256")]
use super::es256;
#[cfg(feature = "rs256")]
use super::rs256;
use crate::session::equal_in_constant_time;

/// A key of an authorization server. It is good for one algorithm, whatever a token says.
#[derive(Clone, PartialEq)]
pub(crate) struct Key {
    /// Its name, where it has one.
    id: Option<Box<str>>,
    material: Material,
}

/// What a key consists of.
#[derive(Clone, PartialEq)]
pub(super) enum Material {
    /// A secret that the authorization server shares.
    Hs256(Box<[u8]>),
    /// A public key of Ed25519.
    Ed25519([u8; 32]),
    #[cfg(feature = "es256")]
    Es256(Box<es256::Key>),
    #[cfg(feature = "rs256")]
    Rs256(Box<rs256::Key>),
}

/// How a token is signed (`alg`): one of each kind of key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    Hs256,
    EdDsa,
    #[cfg(feature = "es256")]
    Es256,
    #[cfg(feature = "rs256")]
    Rs256,
}

impl Algorithm {
    /// The algorithm of this name (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2); none for those that are not
    /// taken, `none` among them.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hs256,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            #[cfg(feature = "es256")]
            "ES256" => Self::Es256,
            #[cfg(feature = "rs256")]
            "RS256" => Self::Rs256,
            _ => return None,
        })
    }
}

impl Key {
    /// A key of this name.
    pub(super) const fn new(id: Option<Box<str>>, material: Material) -> Self {
        Self { id, material }
    }

    /// Its name.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What it is good for.
    pub(super) const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Hs256(_) => Algorithm::Hs256,
            Material::Ed25519(_) => Algorithm::EdDsa,
            #[cfg(feature = "es256")]
            Material::Es256(_) => Algorithm::Es256,
            #[cfg(feature = "rs256")]
            Material::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Whether this is the key's signature of that.
    pub(super) fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hs256(secret) => {
                let tag = HMAC::mac(signed, secret);
                signature.try_into().is_ok_and(|sent| equal_in_constant_time(&tag, sent))
            }
            Material::Ed25519(public) => {
                let signature = Signature::from_slice(signature);
                signature.is_ok_and(|signature| PublicKey::new(*public).verify(signed, &signature).is_ok())
            }
            #[cfg(feature = "es256")]
            Material::Es256(key) => key.has_signed(signed, signature),
            #[cfg(feature = "rs256")]
            Material::Rs256(key) => key.has_signed(signed, signature),
        }
    }

    /// Bytes that a key has beside itself, at most.
    pub(super) const BYTES_BESIDE: usize = {
        let bytes = crate::limits::HS256_SECRET_BYTES_MAX;
        #[cfg(feature = "rs256")]
        let bytes = if bytes < size_of::<rs256::Key>() { size_of::<rs256::Key>() } else { bytes };
        bytes + crate::limits::JWK_ID_BYTES_MAX + 2 * crate::limits::BLOCK_BYTES
    };
}

impl fmt::Debug for Key {
    /// Without the key: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}
