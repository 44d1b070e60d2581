//! Tokens that are read again while the server runs, over real sockets: who is cut off, and who notices nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use smol_mcp::{Config, Token};

use crate::support::client::{Client, Session};
use crate::support::server::Running;
use crate::support::{until, wire};

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A request with this token.
fn with(token: &str, request: &str) -> String {
    request.replacen("\r\n", &format!("\r\nAuthorization: Bearer {token}\r\n"), 1)
}

fn status(server: &Running, token: &str) -> u16 {
    server.connect().ask(&with(token, &wire::echo("who is there?"))).status
}

fn initialize(server: &Running, token: &str) -> Session {
    let request = wire::post_to("/mcp", &[], &wire::initialize("2025-11-25", token));
    let answer = server.connect().ask(&with(token, &request));
    Session::new(answer.header("mcp-session-id").expect("a session"), "2025-11-25")
}

fn open(server: &Running, token: &str, request: &str) -> Client {
    let mut client = server.connect();
    assert_eq!(client.open(&with(token, request)).status, 200);
    client
}

#[test]
fn who_is_taken_away_is_cut_off_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    write(&path, "kitchen one\ncellar two\n", 0o600);
    let server = Running::start(Config::new().token("three").token_file(&path));
    let (kitchen, cellar) = (initialize(&server, "one"), initialize(&server, "two"));
    let mut goes = [
        open(&server, "two", &cellar.get()),
        open(&server, "two", &wire::listen("cellar", "l")),
        open(&server, "two", &wire::get_http_sse()),
    ];
    let mut stays = [open(&server, "one", &kitchen.get()), open(&server, "three", &wire::listen("other", "l"))];
    let mut called = server.connect();
    called.send(&with("two", &wire::modern_call("w", "wait", &json!({}))));
    let mut kept = server.connect();
    kept.send(&with("one", &wire::modern_call("w", "wait", &json!({}))));
    drop(server.seen.until("both calls run", |state| state.running == 2));

    // The kitchen gets another token, and the cellar none.
    write(&path, "kitchen four\n", 0o600);
    server.handle.reload();
    goes.iter_mut().for_each(Client::ends);
    assert_eq!(called.answer().status, 401);
    drop(server.seen.until("one call is dropped", |state| state.running == 1 && state.dropped == 1));
    assert_eq!(["one", "two", "three", "four"].map(|token| status(&server, token)), [401, 401, 200, 200]);
    server.handle.tools_changed();
    for client in &mut stays {
        until("the change", || {
            let message = client.message();
            (message["method"] == "notifications/tools/list_changed").then_some(())
        });
    }
    let list = kitchen.post(&wire::request(1, "tools/list", &json!({})));
    assert_eq!(server.connect().ask(&with("four", &list)).status, 200, "the session is the name's");
    server.let_go(1);
    assert_eq!(kept.answer().status, 200, "its call goes on");
    let gone = cellar.post(&wire::request(1, "ping", &json!({})));
    assert_eq!(server.connect().ask(&with("two", &gone)).status, 401);
}

#[test]
fn whose_body_comes_after_its_token_ended_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    write(&path, "kitchen one\ncellar two\n", 0o600);
    let server = Running::start(Config::new().token_file(&path));
    let requests =
        [wire::listen("cellar", "l"), wire::modern_call("e", "echo", &json!({"text": "x"})), wire::echo("x")];
    let mut halves = requests.map(|request| {
        let request = with("two", &request);
        let at = request.len() - 5;
        let mut client = server.connect();
        client.send(&request[..at]);
        (client, request[at..].to_owned())
    });
    let mut kept = server.connect();
    let request = with("one", &wire::echo("still here"));
    kept.send(&request[..request.len() - 5]);
    // Their heads were read, and let in.
    until("the heads are read", || {
        let stats = smol_mcp::block_on(server.handle.stats()).unwrap();
        (stats.buffers.now >= 4).then_some(())
    });
    write(&path, "kitchen one\n", 0o600);
    server.handle.reload();
    assert_eq!(status(&server, "two"), 401, "it was read");
    for (client, rest) in &mut halves {
        client.send(rest);
        assert_eq!(client.answer().status, 401);
    }
    kept.send(&request[request.len() - 5..]);
    assert_eq!(kept.answer().status, 200);
}

#[test]
fn a_broken_file_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    write(&path, "kitchen one\n", 0o640);
    let server = Running::start(Config::new().token_file(&path));
    let session = initialize(&server, "one");
    let mut stream = open(&server, "one", &session.get());
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // of "secret"
    let long = "# and so on\n".repeat(9000);
    let broken: [(&str, u32); 5] = [
        ("kitchen one\ncellar two three\n", 0o600),
        ("kitchen one\ncellar one\n", 0o600),
        ("cellar two\n", 0o604),
        (&format!("cellar sha256:{hash}\n"), 0o602),
        (&long, 0o600),
    ];
    for (text, mode) in broken {
        write(&path, text, mode);
        server.handle.reload();
        assert_eq!((status(&server, "one"), status(&server, "two")), (200, 401), "{text:.40} {mode:o}");
    }
    fs::remove_file(&path).unwrap();
    server.handle.reload();
    assert_eq!(status(&server, "one"), 200);
    server.handle.tools_changed();
    assert_eq!(stream.message()["method"], "notifications/tools/list_changed", "nobody was cut off");
    // Hashes may be read by everybody.
    write(&path, &format!("cellar sha256:{hash}\n"), 0o644);
    server.handle.reload();
    assert_eq!((status(&server, "one"), status(&server, "secret")), (401, 200));
    stream.ends();
    // And a file without tokens lets nobody in.
    write(&path, "# nobody\n", 0o600);
    server.handle.reload();
    assert_eq!((status(&server, "one"), status(&server, "secret")), (401, 401));
}

#[test]
fn a_wrong_file_keeps_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    let error = |path: &Path| {
        let (server, ..) = crate::support::server::server();
        let config = Config::new().listen(([127, 0, 0, 1], 0).into()).token_file(path);
        server.bind(config).err().expect("an error").to_string().replace(&path.display().to_string(), "FILE")
    };
    assert!(error(&path).starts_with("the token file FILE: "));
    assert_eq!(error(dir.path()), "the token file FILE: it is no file");
    write(&path, "# me\nkitchen s3cret scope=lights\n", 0o600);
    let found = error(&path);
    assert!(found.starts_with("the token file FILE: line 2: ") && !found.contains("s3cret"), "{found}");
    write(&path, "kitchen s3cret\n", 0o644);
    assert!(error(&path).contains("chmod 600"));
    write(&path, "\n", 0o600);
    assert_eq!(error(&path), "the token file FILE: it holds no token, so that nobody could come in");
}

#[test]
fn tokens_of_the_program() {
    let server = Running::start(Config::new());
    let mut open = server.connect();
    assert_eq!(open.open(&wire::listen("anybody", "l")).status, 200);
    open.message();
    server.handle.reload_tokens([Token::new("one").name("kitchen")]).unwrap();
    // Who came in before anybody was asked is asked now.
    open.ends();
    assert_eq!((server.try_echo().status, status(&server, "one"), status(&server, "two")), (401, 200, 401));
    let wrong = server.handle.reload_tokens([Token::new("t w o")]).unwrap_err();
    assert!(wrong.to_string().starts_with("token number 1: ") && !wrong.to_string().contains("t w o"), "{wrong}");
    assert_eq!(status(&server, "one"), 200);
    server.handle.reload_tokens([]).unwrap();
    assert_eq!((server.try_echo().status, status(&server, "one")), (401, 401));
}
