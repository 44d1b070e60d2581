//! A server that starts again with the key of its sessions: its clients go on and notice nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use smol_mcp::Config;

use crate::support::client::Session;
use crate::support::server::Running;
use crate::support::wire;

fn list(server: &Running, session: &Session) -> u16 {
    server.connect().ask(&session.post(&wire::request(1, "tools/list", &json!({})))).status
}

fn again(server: &Running, key: &Path) -> Running {
    server.handle.shutdown();
    server.wait();
    Running::start(Config::new().key_file(key))
}

#[test]
fn sessions_outlive_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let first = Running::start(Config::new().key_file(&key));
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let (stays, goes) = (first.admit("stays"), first.admit("goes"));
    assert_eq!((list(&first, &stays), list(&first, &goes)), (200, 200));
    assert_eq!(first.connect().ask(&goes.delete()).status, 200);
    let second = again(&first, &key);
    assert_eq!(list(&second, &stays), 200, "its id is as good as before");
    assert_eq!(list(&second, &goes), 404, "what its client ended stays ended");
    // Also where the server did not end as it should: the key is on the disk from its first start.
    let third = Running::start(Config::new().key_file(&key));
    assert_eq!(list(&third, &stays), 200);
    // Another key knows neither.
    let stranger = again(&second, &dir.path().join("other"));
    assert_eq!((list(&stranger, &stays), list(&stranger, &goes)), (404, 404));
}

#[test]
fn what_is_no_key_file_is_refused_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, "not a key").unwrap();
    let (server, ..) = crate::support::server::server();
    let config = Config::new().listen(([127, 0, 0, 1], 0).into()).key_file(&key);
    let error = server.bind(config).err().unwrap().to_string();
    assert!(error.starts_with("the key file: ") && error.contains("remove it"), "{error}");
    assert_eq!(fs::read(&key).unwrap(), b"not a key");
}
