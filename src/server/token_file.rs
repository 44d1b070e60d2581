//! The file of tokens, on the disk.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, hint, str};

use crate::guard::{Token, TokenFile};
use crate::limits::TOKEN_FILE_BYTES_MAX;

/// Reads the file.
///
/// # Errors
/// Which line is wrong, and why, without what stands there; that others can read its tokens, or write it; that it can't be read.
pub(super) fn read(path: &Path) -> io::Result<Vec<Token>> {
    let wrong = |kind: ErrorKind, why: &dyn std::fmt::Display| {
        io::Error::new(kind, format!("the token file {}: {why}", path.display()))
    };
    let invalid = |why: &dyn std::fmt::Display| wrong(ErrorKind::InvalidInput, why);
    let failed = |error: io::Error| wrong(error.kind(), &error);
    // A pipe would keep who opens it waiting.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(invalid(&"it is no file"));
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(invalid(&"everybody on this machine can write it, and so come in: chmod 600 would be right"));
    }
    let mut bytes = Vec::with_capacity(TOKEN_FILE_BYTES_MAX + 1);
    file.take(TOKEN_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > TOKEN_FILE_BYTES_MAX {
        return Err(invalid(&format_args!("it has more than {TOKEN_FILE_BYTES_MAX} bytes")));
    }
    let parsed = match str::from_utf8(&bytes) {
        Ok(text) => TokenFile::parse(text).map_err(|error| invalid(&error)),
        Err(_) => Err(invalid(&"it is no text (UTF-8)")),
    };
    // What stands in it does not stay in memory.
    hint::black_box(&mut bytes).fill(0);
    hint::black_box(&bytes);
    let parsed = parsed?;
    if parsed.is_secret && mode & READABLE_BY_OTHERS != 0 {
        return Err(invalid(
            &"everybody on this machine can read its tokens: chmod 600 would be right, or sha256: hashes",
        ));
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

const READABLE_BY_OTHERS: u32 = 0o004;
const WRITABLE_BY_OTHERS: u32 = 0o002;
