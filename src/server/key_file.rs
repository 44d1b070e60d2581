//! The file that keeps the key of the session ids over a restart, and the ids that were ended before it (DESIGN D5).
//!
//! ```text
//! 32 bytes   the key
//! 12 each    the random parts of ended ids, oldest first; at most DELETED_IDS_MAX
//! ```

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::limits::DELETED_IDS_MAX;
use crate::session::RANDOM_BYTES;

const KEY_BYTES: usize = 32;
const FILE_BYTES_MAX: usize = KEY_BYTES + DELETED_IDS_MAX * RANDOM_BYTES;
/// The owner alone may read and write it.
const MODE: u32 = 0o600;

/// The random part of an id that was ended.
type Ended = [u8; RANDOM_BYTES];

/// A file that was read, or made.
pub(super) struct KeyFile {
    path: PathBuf,
    pub(super) key: [u8; KEY_BYTES],
    pub(super) ended: heapless::Vec<Ended, DELETED_IDS_MAX>,
}

impl KeyFile {
    /// Reads the file, or makes it with a fresh key.
    ///
    /// A disk that can't take it (full, read-only) is logged and keeps no server from starting: its sessions then end with it. What is there and is no key
    /// file, or can't be read, is an error, and is left as it is.
    ///
    /// # Errors
    /// `InvalidData`: another kind of file. Others: it can't be read. Each names the file.
    pub(super) fn open(path: &Path, fresh: impl FnOnce() -> io::Result<[u8; KEY_BYTES]>) -> io::Result<Self> {
        if let Some(found) = Self::find(path)? {
            return Ok(found);
        }
        let made = Self { path: path.into(), key: fresh()?, ended: heapless::Vec::new() };
        match made.write(&[], Way::Make) {
            Ok(()) => return Ok(made),
            // Another server began at the same time: they share its key.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if let Some(found) = Self::find(path)? {
                    return Ok(found);
                }
                made.complain("the key of the sessions", &"it is a link to nothing");
            }
            Err(error) => made.complain("the key of the sessions", &error),
        }
        log::warn!("the sessions of this server end with it");
        Ok(made)
    }

    // The file, if it is there.
    fn find(path: &Path) -> io::Result<Option<Self>> {
        match read(path) {
            // Where it is a link, what it leads to is written.
            Ok((key, ended)) => {
                Ok(Some(Self { path: fs::canonicalize(path).unwrap_or_else(|_| path.into()), key, ended }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the ended ids for the next start, beside those that another server with the same file kept since. A file that has another key by now is
    /// left as it is.
    pub(super) fn keep<'e>(&self, ended: impl Iterator<Item = &'e Ended>) {
        const WHAT: &str = "the sessions that were ended";
        let kept = match read(&self.path) {
            Ok((key, kept)) if key == self.key => Some(kept),
            Ok(_) => return self.complain(WHAT, &"it has another key now, and is left as it is"),
            // It was removed, or could not be made at the start.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return self.complain(WHAT, &error),
        };
        let mut all = kept.clone().unwrap_or_default();
        for id in ended.filter(|id| !self.ended.contains(id)) {
            if all.contains(id) {
                continue;
            }
            if all.is_full() {
                all.remove(0);
            }
            // There is room now.
            let _ = all.push(*id);
        }
        if kept.is_some_and(|kept| kept == all) {
            return;
        }
        if let Err(error) = self.write(&all, Way::Replace) {
            self.complain(WHAT, &error);
        }
    }

    // Whole or not at all: a new file takes the place of the old one, or of none.
    fn write(&self, ended: &[Ended], way: Way) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        // Another server may write its own at the same time.
        name.push(format!(".{:016x}.new", RandomState::new().hash_one(0)));
        let name = Path::new(&name);
        let written = create(name).and_then(|mut file| {
            file.write_all(&self.key)?;
            ended.iter().try_for_each(|id| file.write_all(id))?;
            file.sync_all()
        });
        let placed = written.and_then(|()| match way {
            Way::Replace => fs::rename(name, &self.path),
            Way::Make => match fs::hard_link(name, &self.path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
                // Not every file system has such links.
                Err(_) => fs::rename(name, &self.path),
                Ok(()) => Ok(()),
            },
        });
        // Where it did not get the place it may be half a key.
        drop(fs::remove_file(name));
        if let (Ok(()), Some(folder)) = (&placed, self.path.parent()) {
            // Some file systems can't say whether it will be there after a loss of power.
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            drop(File::open(folder).and_then(|folder| folder.sync_all()));
        }
        placed
    }

    fn complain(&self, what: &str, why: &dyn Display) {
        log::warn!("{what} can't be kept in {}: {why}", self.path.display());
    }
}

/// How a file gets its place.
#[derive(Clone, Copy)]
enum Way {
    /// There must be none.
    Make,
    Replace,
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)
}

fn read(path: &Path) -> io::Result<([u8; KEY_BYTES], heapless::Vec<Ended, DELETED_IDS_MAX>)> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let refused = || {
        let text = format!("{} is not a key file of this server; name another, or remove it", path.display());
        io::Error::new(ErrorKind::InvalidData, text)
    };
    let metadata = fs::metadata(path).map_err(named)?;
    if !metadata.is_file() {
        // To open a pipe is to wait for whoever writes to it.
        return Err(refused());
    }
    let file = File::open(path).map_err(named)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        log::warn!("{} can be read by others than its owner: chmod 600 would be right", path.display());
    }
    let mut bytes = Vec::with_capacity(FILE_BYTES_MAX + 1);
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(named)?;
    let whole = bytes
        .split_first_chunk()
        .filter(|(_, ended)| ended.len().is_multiple_of(RANDOM_BYTES) && bytes.len() <= FILE_BYTES_MAX);
    let (key, ended) = whole.ok_or_else(refused)?;
    let ended = ended.chunks_exact(RANDOM_BYTES).filter_map(|id| id.try_into().ok());
    Ok((*key, ended.collect()))
}

#[cfg(test)]
#[path = "tests_key_file.rs"]
mod tests;
