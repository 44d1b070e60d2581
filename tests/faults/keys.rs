//! The disk fails where the key of the sessions is written: the server starts and ends all the same, says so, and never destroys a key.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::child::{Child, example};
use crate::support::client::Session;
use crate::support::{until, wire};

fn with_key(path: &Path) -> Command {
    example("minimal", &["--key-file", path.to_str().unwrap()])
}

// The same command, behind what a shell does first.
fn after(shell: &str, command: &Command) -> Command {
    let mut inner = Command::new("sh");
    inner.arg("-c").arg(format!("{shell} && exec \"$0\" \"$@\"")).arg(command.get_program()).args(command.get_args());
    inner
}

fn list(child: &Child, session: &Session) -> u16 {
    child.connect().ask(&session.post(&wire::request(1, "tools/list", &json!({})))).status
}

// Two sessions, of which one is ended: that is to be kept.
fn sessions(child: &Child) -> (Session, Session) {
    let (stays, goes) = (child.session("2025-11-25"), child.session("2025-11-25"));
    assert_eq!(child.connect().ask(&goes.delete()).status, 200);
    (stays, goes)
}

#[test]
fn a_folder_that_is_not_there_or_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("no/such/folder/key"), "/proc/key".into(), "/sys/key".into(), "/dev/full/key".into()] {
        if path.starts_with("/dev") {
            // No folder at all: that can be no place for a key.
            let failed = with_key(&path).stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8(failed.stderr).unwrap();
            assert_eq!(failed.status.code(), Some(1), "{said}");
            assert!(said.contains("the key file: /dev/full/key: ") && said.matches('\n').count() == 1, "{said}");
            continue;
        }
        let mut child = Child::spawn(with_key(&path));
        let (stays, goes) = sessions(&child);
        assert_eq!((list(&child, &stays), list(&child, &goes)), (200, 404));
        let said = child.said();
        let shown = path.to_str().unwrap();
        assert!(said.contains(shown) && said.contains("the sessions of this server end with it"), "{said}");
        child.must_end(&[Signal::TERM]);
        assert!(child.said()[said.len()..].contains("the sessions that were ended can't be kept"), "{}", child.said());
    }
}

#[test]
fn a_folder_that_vanishes_and_one_that_comes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("folder/key");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let mut child = Child::spawn(with_key(&path));
    sessions(&child);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    child.must_serve();
    child.must_end(&[Signal::TERM]);
    assert!(child.said().contains("can't be kept in"), "{}", child.said());
    // It was not there at the start, and is at the end: the key is kept after all.
    let mut child = Child::spawn(with_key(&path));
    let (stays, goes) = sessions(&child);
    fs::create_dir(path.parent().unwrap()).unwrap();
    child.must_end(&[Signal::TERM]);
    let child = Child::spawn(with_key(&path));
    assert_eq!((list(&child, &stays), list(&child, &goes)), (200, 404));
}

#[test]
fn a_full_disk_leaves_the_old_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    // No file can grow: none is made, and it starts.
    let full = |command: &Command| after("trap '' XFSZ && ulimit -f 0", command);
    let mut child = Child::spawn(full(&with_key(&path)));
    let (stays, _) = sessions(&child);
    assert_eq!(list(&child, &stays), 200);
    child.must_end(&[Signal::TERM]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
    // The disk was not full when the key was made, and is at the end.
    let mut child = Child::spawn(with_key(&path));
    let (stays, _) = sessions(&child);
    child.must_end(&[Signal::TERM]);
    let before = fs::read(&path).unwrap();
    let mut child = Child::spawn(full(&with_key(&path)));
    assert_eq!(list(&child, &stays), 200, "its key is read");
    sessions(&child);
    child.must_end(&[Signal::TERM]);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_disk_that_is_full_or_read_only_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let folder = dir.path().to_str().unwrap();
    let mounts = [
        (
            format!("mount -t tmpfs -o size=4k none {folder} && dd if=/dev/zero of={folder}/all bs=4k count=1"),
            "No space",
        ),
        (format!("mount -t tmpfs -o ro none {folder}"), "Read-only"),
    ];
    for (mount, words) in mounts {
        // In a name space of its own, so that it ends with its process. Not everybody may do that.
        let command = after(&format!("{mount} 2>/dev/null"), &with_key(&path));
        let mut inside = Command::new("unshare");
        inside.arg("-m").arg(command.get_program()).args(command.get_args());
        let may = Command::new("unshare").args(["-m", "sh", "-c", &mount]).stdin(Stdio::null()).output();
        if !may.is_ok_and(|output| output.status.success()) {
            println!("left out, as nothing can be mounted here: {words}");
            continue;
        }
        let mut child = Child::spawn(inside);
        let (stays, goes) = sessions(&child);
        assert_eq!((list(&child, &stays), list(&child, &goes)), (200, 404));
        assert!(child.said().contains(words), "{}", child.said());
        child.must_end(&[Signal::TERM]);
        assert!(child.said().contains("the sessions that were ended can't be kept"), "{}", child.said());
    }
}

#[test]
fn what_is_no_key_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let large = vec![0; 100_000];
    for content in [&b""[..], &[7; 31], &[7; 33], &[7; 37], b"[server]\nlisten = 127.0.0.1:8000\n", &large] {
        fs::write(&path, content).unwrap();
        let failed = with_key(&path).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(failed.stderr).unwrap();
        assert_eq!((failed.status.code(), failed.stdout.len()), (Some(1), 0), "{said}");
        assert!(said.contains(path.to_str().unwrap()) && said.contains("remove it"), "{said}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn whenever_it_is_killed_there_is_a_whole_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let mut first = Child::spawn(with_key(&path));
    let (stays, _) = sessions(&first);
    first.must_end(&[Signal::TERM]);
    let key = fs::read(&path).unwrap()[..32].to_vec();
    for round in 0..20 {
        let mut child = Child::spawn(with_key(&path));
        assert_eq!(list(&child, &stays), 200, "{round}");
        sessions(&child);
        child.signal(Signal::TERM);
        thread::sleep(Duration::from_micros(round * 300));
        // It may have ended already.
        if child.runs() {
            child.signal(Signal::KILL);
        }
        until("it is gone", || (!child.runs()).then_some(()));
        let kept = fs::read(&path).unwrap();
        assert!(
            kept.len() >= 32 && (kept.len() - 32).is_multiple_of(12) && kept[..32] == key[..],
            "{round}: {} bytes",
            kept.len()
        );
    }
}
