//! A file that may hold secrets: tokens, or keys.

use std::fmt::Display;
use std::fs::{self, Metadata, OpenOptions};
use std::hint;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Such a file, read. What stands in it does not stay in memory.
pub(super) struct SecretFile {
    bytes: Vec<u8>,
    mode: u32,
    stamp: Stamp,
}

/// By what it is seen that a file has changed: another file, another size, another time, also that of its rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    file: (u64, u64),
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// That of the file which is there now.
    ///
    /// # Errors
    /// It can't be looked at.
    pub(super) fn now(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What a file is called, and where it is: for what is said of it.
#[derive(Clone, Copy)]
pub(super) struct Named<'p>(pub(super) &'static str, pub(super) &'p Path);

impl Named<'_> {
    /// That something is wrong with what stands in it.
    pub(super) fn invalid(self, why: &dyn Display) -> io::Error {
        self.wrong(ErrorKind::InvalidInput, why)
    }

    fn wrong(self, kind: ErrorKind, why: &dyn Display) -> io::Error {
        io::Error::new(kind, format!("the {} {}: {why}", self.0, self.1.display()))
    }
}

impl SecretFile {
    /// Reads a file of at most so many bytes.
    ///
    /// # Errors
    /// It can't be read, is too large, is no file, or everybody can write it; named.
    pub(super) fn read(named: Named<'_>, bytes_max: usize) -> io::Result<Self> {
        let failed = |error: io::Error| named.wrong(error.kind(), &error);
        // A pipe would keep who opens it waiting, and some devices do something when they are opened.
        let open = || OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(named.1);
        let is_file = fs::metadata(named.1).map_err(failed)?.is_file();
        let file = is_file.then(open).transpose().map_err(failed)?;
        let Some(file) = file else { return Err(named.invalid(&"it is no file")) };
        let metadata = file.metadata().map_err(failed)?;
        // Another may stand there since it was looked at.
        if !metadata.is_file() {
            return Err(named.invalid(&"it is no file"));
        }
        let (mode, stamp) = (metadata.permissions().mode(), Stamp::of(&metadata));
        if mode & WRITABLE_BY_OTHERS != 0 {
            return Err(
                named.invalid(&"everybody on this machine can write it, and so come in: chmod 600 would be right")
            );
        }
        let mut read = Self { bytes: Vec::with_capacity(bytes_max + 1), mode, stamp };
        file.take(bytes_max as u64 + 1).read_to_end(&mut read.bytes).map_err(failed)?;
        if read.bytes.len() > bytes_max {
            return Err(named.invalid(&format_args!("it has more than {bytes_max} bytes")));
        }
        Ok(read)
    }

    /// Its text.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn text(&self, named: Named<'_>) -> io::Result<&str> {
        str::from_utf8(&self.bytes).map_err(|_| named.invalid(&"it is no text (UTF-8)"))
    }

    /// Everybody on this machine can read it.
    pub(super) fn is_readable_by_others(&self) -> bool {
        self.mode & READABLE_BY_OTHERS != 0
    }

    /// By what it is seen that it has changed since.
    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        hint::black_box(&mut self.bytes).fill(0);
        hint::black_box(&self.bytes);
    }
}

const READABLE_BY_OTHERS: u32 = 0o004;
const WRITABLE_BY_OTHERS: u32 = 0o002;
