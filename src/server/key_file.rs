//! The file that keeps the key of the session ids over a restart, and the ids that were ended before it (DESIGN D5).
//!
//! ```text
//! 32 bytes   the key
//! 12 each    the random parts of ended ids, oldest first; at most DELETED_IDS_MAX
//! ```

use std::fs::{self, File, OpenOptions};
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
    /// file, or can't be read, is an error.
    ///
    /// # Errors
    /// `InvalidData`: another kind of file. Others: it can't be read.
    pub(super) fn open(path: &Path, fresh: impl FnOnce() -> io::Result<[u8; KEY_BYTES]>) -> io::Result<Self> {
        match read(path) {
            Ok((key, ended)) => Ok(Self { path: path.into(), key, ended }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = Self { path: path.into(), key: fresh()?, ended: heapless::Vec::new() };
                if let Err(error) = made.write(&made.ended) {
                    log::warn!(
                        "the key of the sessions can't be kept in {}: {error}; they end with this server",
                        path.display()
                    );
                }
                Ok(made)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the ended ids for the next start, beside those that another server with the same file kept since.
    pub(super) fn keep<'e>(&self, ended: impl Iterator<Item = &'e Ended>) {
        let mut all = read(&self.path).map(|(_, kept)| kept).unwrap_or_default();
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
        if let Err(error) = self.write(&all) {
            log::warn!("the sessions that were ended can't be kept in {}: {error}", self.path.display());
        }
    }

    // Whole or not at all: a new file takes the place of the old one.
    fn write(&self, ended: &[Ended]) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let written = create(Path::new(&name)).and_then(|mut file| {
            file.write_all(&self.key)?;
            ended.iter().try_for_each(|id| file.write_all(id))?;
            file.sync_all()
        });
        let written = written.and_then(|()| fs::rename(&name, &self.path));
        if written.is_err() {
            // What is left of it may be half a key.
            drop(fs::remove_file(&name));
        }
        written
    }
}

fn create(path: &Path) -> io::Result<File> {
    // Another server's that was cut off; never through a link.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)
}

fn read(path: &Path) -> io::Result<([u8; KEY_BYTES], heapless::Vec<Ended, DELETED_IDS_MAX>)> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        log::warn!("{} can be read by others than its owner: chmod 600 would be right", path.display());
    }
    let mut bytes = Vec::with_capacity(FILE_BYTES_MAX + 1);
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let whole = bytes
        .split_first_chunk()
        .filter(|(_, ended)| ended.len().is_multiple_of(RANDOM_BYTES) && bytes.len() <= FILE_BYTES_MAX);
    let Some((key, ended)) = whole else {
        let text = format!("{} is not a key file of this server; name another, or remove it", path.display());
        return Err(io::Error::new(ErrorKind::InvalidData, text));
    };
    let ended = ended.chunks_exact(RANDOM_BYTES).filter_map(|id| id.try_into().ok());
    Ok((*key, ended.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_kept() {
        let dir = place();
        let path = dir.path().join("key");
        let first = KeyFile::open(&path, || Ok([7; 32])).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let again = KeyFile::open(&path, || panic!("it is there")).unwrap();
        assert_eq!((first.key, again.key), ([7; 32], [7; 32]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn ended_ids_are_kept_and_bounded() {
        let dir = place();
        let path = dir.path().join("key");
        let id = |n: u8| [n; RANDOM_BYTES];
        let one = KeyFile::open(&path, || Ok([1; 32])).unwrap();
        let other = KeyFile::open(&path, || Ok([2; 32])).unwrap();
        one.keep([id(1), id(2)].iter());
        other.keep([id(2), id(3)].iter());
        let read = KeyFile::open(&path, || Ok([3; 32])).unwrap();
        assert_eq!(read.ended, [id(1), id(2), id(3)]);
        read.keep((0..=u8::MAX).map(id).collect::<Vec<_>>().iter());
        let read = KeyFile::open(&path, || Ok([3; 32])).unwrap();
        assert_eq!(read.ended.len(), DELETED_IDS_MAX);
        assert_eq!(read.ended.last(), Some(&id(255)));
        assert_eq!(read.key, [1; 32]);
    }

    #[test]
    fn other_files_are_refused_and_left_alone() {
        let dir = place();
        for bytes in [&b""[..], b"short", &[0; 33], &[0; FILE_BYTES_MAX + RANDOM_BYTES]] {
            let path = dir.path().join("other");
            fs::write(&path, bytes).unwrap();
            let error = KeyFile::open(&path, || Ok([1; 32])).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert!(KeyFile::open(dir.path(), || Ok([1; 32])).is_err(), "a directory");
    }

    #[test]
    fn a_disk_that_takes_nothing_is_no_reason_not_to_start() {
        // /dev/full takes no byte, but can't be renamed to either: a place that does not exist fails the same way.
        let made = KeyFile::open(Path::new("/proc/self/no-such/key"), || Ok([9; 32])).unwrap();
        assert_eq!(made.key, [9; 32]);
        made.keep([[1; RANDOM_BYTES]].iter());
    }
}
