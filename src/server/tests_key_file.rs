//! The key file: made, kept, shared, refused.

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

#[test]
fn a_file_with_another_key_by_now_is_left_alone() {
    let dir = place();
    let path = dir.path().join("key");
    let file = KeyFile::open(&path, || Ok([1; 32])).unwrap();
    for new in [vec![2; 32], b"half a k".to_vec(), Vec::new()] {
        fs::write(&path, &new).unwrap();
        file.keep([[1; RANDOM_BYTES]].iter());
        assert_eq!(fs::read(&path).unwrap(), new);
    }
    // One that is gone is made again.
    fs::remove_file(&path).unwrap();
    file.keep([[1; RANDOM_BYTES]].iter());
    let read = KeyFile::open(&path, || panic!("it is there")).unwrap();
    assert_eq!((read.key, &read.ended[..]), ([1; 32], &[[1; RANDOM_BYTES]][..]));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_did_not_change_is_not_written() {
    let dir = place();
    let path = dir.path().join("key");
    KeyFile::open(&path, || Ok([1; 32])).unwrap().keep([[1; RANDOM_BYTES]].iter());
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
    let before = inode();
    KeyFile::open(&path, || panic!("it is there")).unwrap().keep([[1; RANDOM_BYTES]].iter());
    assert_eq!(inode(), before);
}

#[test]
fn servers_that_begin_at_once_share_a_key() {
    for _ in 0..20 {
        let dir = place();
        let path = dir.path().join("key");
        let begin = std::sync::Barrier::new(4);
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let servers: Vec<_> = (0..4)
                .map(|n| {
                    let (path, begin) = (&path, &begin);
                    scope.spawn(move || {
                        begin.wait();
                        KeyFile::open(path, || Ok([n; 32])).unwrap().key
                    })
                })
                .collect();
            servers.into_iter().map(|server| server.join().unwrap()).collect()
        });
        let kept = fs::read(&path).unwrap();
        assert!(keys.iter().all(|key| key[..] == kept[..]), "{keys:?} {kept:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

#[test]
fn what_a_link_leads_to_is_written() {
    let dir = place();
    let (path, link) = (dir.path().join("key"), dir.path().join("link"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    // It leads to nothing yet, and nobody made it.
    assert_eq!(KeyFile::open(&link, || Ok([1; 32])).unwrap().key, [1; 32]);
    assert!(!path.exists() && link.is_symlink());
    fs::write(&path, [2; 32]).unwrap();
    let file = KeyFile::open(&link, || panic!("it is there")).unwrap();
    file.keep([[1; RANDOM_BYTES]].iter());
    assert!(link.is_symlink());
    assert_eq!(fs::read(&path).unwrap().len(), 32 + RANDOM_BYTES);
}

#[test]
fn pipes_and_devices_are_refused_and_not_waited_for() {
    let dir = place();
    let pipe = dir.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    for path in [&pipe, Path::new("/dev/full"), Path::new("/dev/zero"), Path::new("/dev/null"), dir.path()] {
        let error = KeyFile::open(path, || Ok([1; 32])).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    }
}
