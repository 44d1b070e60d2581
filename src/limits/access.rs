//! The limits of who may come in.

/// Tokens at once, from all places: every one of a household's people and machines. All are compared with what a request brings.
pub const TOKENS_MAX: usize = 64;

/// Bytes of the name of a principal, such as a token's, or one that the application gives: a UUID, or a long e-mail address.
pub const PRINCIPAL_NAME_BYTES_MAX: usize = 64;

/// Scopes of a principal, and of what asks for scopes.
pub const SCOPES_MAX: usize = 16;

/// Bytes of the scopes of a principal, with a space between two.
pub const SCOPES_BYTES_MAX: usize = 256;
const _: () = assert!(SCOPES_BYTES_MAX <= 1024, "every call buffer holds one principal, and a challenge names them");

/// Bytes of a file of tokens: [`TOKENS_MAX`] of the longest, and as much of comments.
pub const TOKEN_FILE_BYTES_MAX: usize = 96 * 1024;
const _: () = assert!(
    TOKENS_MAX * (super::BEARER_TOKEN_BYTES_MAX + PRINCIPAL_NAME_BYTES_MAX + SCOPES_BYTES_MAX + 64)
        <= TOKEN_FILE_BYTES_MAX
);

/// Milliseconds for the application's own check of who comes in. It holds one of the buffers for calls meanwhile; a check that asks another
/// machine is done in one or two seconds, or not at all.
pub const AUTHORIZE_TIMEOUT_MS: u64 = 5_000;

/// Bytes of what a refusal of the application's own check says; the rest is cut: a sentence or two.
pub const DENIAL_BYTES_MAX: usize = 200;

/// Bytes of a Host that is remembered as admitted: a name of one label, which has at most 63, or an address, with a port.
pub const HOST_KEPT_BYTES_MAX: usize = 72;
