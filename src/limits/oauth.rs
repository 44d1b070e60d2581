//! The limits of OAuth: access tokens that an authorization server has signed, and its keys.

/// Bytes of an access token that is a JWT: those of the large providers have 700 to 2,500, an RSA signature of 4096 bits among them. It must
/// leave room in a head for the rest of it.
pub const JWT_BYTES_MAX: usize = 4096;
const _: () = assert!(JWT_BYTES_MAX + 2048 <= super::HEAD_BYTES_MAX, "it comes in a head");

/// Seconds that the clocks of this machine and of an authorization server may differ, where the settings do not say: `exp` and `nbf` are read with
/// this leeway (RFC 7519, section 4.1.4: "usually no more than a few minutes").
pub const JWT_LEEWAY_S_DEFAULT: u64 = 60;

/// The most that it can be set to: five minutes, as long as many tokens live.
pub const JWT_LEEWAY_S_MAX: u64 = 300;

/// Access tokens whose signatures are remembered as good, so that a client does not cost a verification with each request: on a small board one
/// takes milliseconds. A household's clients that talk at one time.
pub const JWT_REMEMBERED_MAX: usize = 8;

/// Bytes of the subject of an access token: what `OpenID Connect` allows.
pub const SUBJECT_BYTES_MAX: usize = 255;

/// Authorization servers whose tokens are taken.
pub const ISSUERS_MAX: usize = 4;

/// Further names of this server that tokens may be meant for.
pub const AUDIENCES_MAX: usize = 8;

/// Bytes of the URL of an authorization server, and of a further name of this one.
pub const OAUTH_URL_BYTES_MAX: usize = 256;

/// Keys of one authorization server: a few of each kind, the last ones and the next ones.
pub const JWKS_KEYS_MAX: usize = 16;

/// Keys that are tried for a token that does not name its own: each costs a verification.
pub const JWT_KEYS_TRIED_MAX: usize = 4;

/// Bytes of the name of a key (`kid`): a hash in hexadecimal, or a URL.
pub const JWK_ID_BYTES_MAX: usize = 128;

/// Bytes of a secret for HS256: at least as many as the hash has (RFC 7518, section 3.2).
pub const HS256_SECRET_BYTES_MIN: usize = 32;

/// The most that such a secret has: 2048 bits, and one more block of the hash in text.
pub const HS256_SECRET_BYTES_MAX: usize = 512;

/// Bits of an RSA key: at least this (RFC 7518, section 3.3).
pub const RSA_BITS_MIN: usize = 2048;

/// The most that an RSA key has.
pub const RSA_BITS_MAX: usize = 4096;

/// Bytes of a file of keys: [`JWKS_KEYS_MAX`] of the largest, each with a chain of certificates that nobody reads.
pub const JWKS_FILE_BYTES_MAX: usize = 64 * 1024;

/// Milliseconds between two looks whether a file of keys has changed: a look is one call of the system.
pub const JWKS_LOOK_MS: u64 = 2_000;
