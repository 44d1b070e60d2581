//! The file of tokens, on the disk.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::secret_file::{Named, SecretFile};
use crate::guard::{Token, TokenFile};
use crate::limits::TOKEN_FILE_BYTES_MAX;

/// Reads the file.
///
/// # Errors
/// Which line is wrong, and why, without what stands there; that others can read its tokens, or write it; that it can't be read.
pub(super) fn read(path: &Path) -> io::Result<Vec<Token>> {
    let named = Named("token file", path);
    let file = SecretFile::read(named, TOKEN_FILE_BYTES_MAX)?;
    let parsed = TokenFile::parse(file.text(named)?).map_err(|error| named.invalid(&error))?;
    if parsed.is_secret && file.is_readable_by_others() {
        return Err(named
            .invalid(&"everybody on this machine can read its tokens: chmod 600 would be right, or sha256: hashes"));
    }
    Ok(parsed.tokens)
}

/// The same when the server starts, where a file without tokens is a mistake.
///
/// # Errors
/// As [`read`].
pub(super) fn read_at_start(path: &Path) -> io::Result<Vec<Token>> {
    let tokens = read(path)?;
    if tokens.is_empty() {
        let text = format!("the token file {}: it holds no token, so that nobody could come in", path.display());
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(tokens)
}
