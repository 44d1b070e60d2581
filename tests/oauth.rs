//! Access tokens while the server runs: files of keys that change, break and come back, and settings that can't be.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ed25519_compact::{KeyPair, Seed};
use hmac_sha256::HMAC;
use smol_mcp::limits::{CLOCK_SET_MIN_UNIX_S, JWKS_FILE_BYTES_MAX, JWKS_LOOK_MS};
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Call, Config, Issuer, OAuth, Server, ToolResult, tools};

struct App;

tools! {
    impl App {
        /// Tells who calls.
        #[read_only]
        async fn who(&self, call: &mut Call<'_>) -> ToolResult {
            let who = call.principal().name().unwrap_or("nobody").to_owned();
            call.text(&who).await
        }
    }
}

const RESOURCE: &str = "https://board.example/mcp";
const ISSUER: &str = "https://login.example";

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect::<Vec<_>>();
    let digit = |sextet: &[u8]| (0..6).fold(0, |sum, bit| sum << 1 | sextet.get(bit).copied().unwrap_or(0));
    bits.chunks(6).map(|sextet| DIGITS[usize::from(digit(sextet))] as char).collect()
}

fn pair(number: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([number; 32]))
}

/// A token that the key of this number signed, and that names it.
fn token(number: u8) -> String {
    let exp = CLOCK_SET_MIN_UNIX_S + 3600;
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"{RESOURCE}","exp":{exp},"sub":"ann"}}"#);
    let head = format!(r#"{{"alg":"EdDSA","kid":"k{number}"}}"#);
    let signed = format!("{}.{}", base64url(head.as_bytes()), base64url(claims.as_bytes()));
    let signature = pair(number).sk.sign(&signed, None);
    format!("{signed}.{}", base64url(signature.as_ref()))
}

fn key(number: u8) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k{number}","x":"{}"}}"#, base64url(pair(number).pk.as_ref()))
}

fn set(numbers: &[u8]) -> String {
    let keys: Vec<String> = numbers.iter().map(|number| key(*number)).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// A file as it is put in place: whole, in the place of another.
fn write(path: &Path, text: &str, mode: u32) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(new, path).unwrap();
}

struct House {
    server: TestServer,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl House {
    fn new(numbers: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jwks.json");
        write(&path, &set(numbers), 0o644);
        let oauth = OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).jwks_file(&path));
        let config = Config::new().oauth(oauth).token("static");
        let mut server = TestServer::new(Server::new("board", "1", App), config).unwrap();
        server.set_unix_time(CLOCK_SET_MIN_UNIX_S);
        Self { server, path, _dir: dir }
    }

    fn ask(&mut self, token: &str, body: &str, accept: &str) -> (TestConnection, String) {
        let client = self.server.connect();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\nAuthorization: Bearer {token}\r\n\
             MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {}\r\n{}Content-Length: {}\r\n\r\n{body}",
            if body.contains("tools/call") { "tools/call" } else { "subscriptions/listen" },
            if body.contains("tools/call") { "Mcp-Name: who\r\n" } else { "" },
            body.len(),
        );
        self.server.send(&client, request.as_bytes());
        let answer = self.receive(&client);
        (client, answer)
    }

    fn receive(&mut self, client: &TestConnection) -> String {
        String::from_utf8(self.server.receive(client)).unwrap()
    }

    fn status(&mut self, token: &str) -> u16 {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"who","arguments":{{}},{META}}}}}"#
        );
        let (_, answer) = self.ask(token, &body, "application/json");
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn statuses(&mut self, numbers: [u8; 3]) -> [u16; 3] {
        numbers.map(|number| self.status(&token(number)))
    }

    fn listen(&mut self, token: &str) -> TestConnection {
        let listen = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"#;
        let (client, answer) = self.ask(token, &format!("{listen}{META}}}}}"), "text/event-stream");
        assert!(answer.contains("acknowledged"), "{answer}");
        client
    }
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

#[test]
fn keys_are_read_again_when_their_file_changes() {
    let mut house = House::new(&[1]);
    assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401]);
    let (stays, ear) = (house.listen("static"), house.listen(&token(1)));
    // Another one comes: nobody is cut off. It is seen within a moment, and not asked for at each request.
    write(&house.path, &set(&[1, 2]), 0o644);
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [200, 200, 401]);
    assert!(!ear.is_closed());
    // The first goes, and who came by it.
    write(&house.path, &set(&[2, 3]), 0o644);
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [401, 200, 200]);
    assert!(ear.is_closed() && !stays.is_closed());
    assert!(house.receive(&ear).contains(r#""resultType":"complete""#), "it is told");
}

#[test]
fn a_broken_file_changes_nothing() {
    let mut house = House::new(&[1]);
    let ear = house.listen(&token(1));
    let secret = format!(r#"{{"keys":[{},{{"kty":"oct","k":"{}"}}]}}"#, key(2), base64url(&[7; 32]));
    let many = format!(r#"{{"keys":[{}]}}"#, vec![key(2); 17].join(","));
    let long = format!("{}{}", set(&[2]), " ".repeat(JWKS_FILE_BYTES_MAX));
    let broken = [
        ("", 0o644),
        (&set(&[2])[..100], 0o644),
        (r#"{"keys":[]}"#, 0o644),
        (r#"{"keys":[{"kty":"X"}]}"#, 0o644),
        (&set(&[2]), 0o646),
        (&secret, 0o644),
        (&many, 0o644),
        (&long, 0o644),
    ];
    for (text, mode) in broken {
        write(&house.path, text, mode);
        house.server.advance(JWKS_LOOK_MS);
        assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401], "{text:.60} {mode:o}");
        house.server.handle().reload();
        assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401], "{text:.60} {mode:o}");
    }
    fs::remove_file(&house.path).unwrap();
    fs::create_dir(&house.path).unwrap();
    house.server.advance(2 * JWKS_LOOK_MS);
    fs::remove_dir(&house.path).unwrap();
    house.server.advance(2 * JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401]);
    assert!(!ear.is_closed());
    write(&house.path, &secret, 0o600);
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [401, 200, 401]);
    assert!(ear.is_closed());
}

#[test]
fn rights_that_are_mended_are_seen() {
    let mut house = House::new(&[1]);
    write(&house.path, &set(&[2]), 0o646);
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401]);
    // Longer than a file system's clock takes for a step.
    std::thread::sleep(std::time::Duration::from_millis(30));
    fs::set_permissions(&house.path, fs::Permissions::from_mode(0o644)).unwrap();
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [401, 200, 401]);
}

#[test]
fn what_could_not_be_opened_is_tried_again() {
    let mut house = House::new(&[1]);
    let (link, target) = (house.path.with_extension("link"), house.path.with_extension("target"));
    fs::write(&target, set(&[2])).unwrap();
    // A link to itself: looking at it fails, and so does opening it.
    std::os::unix::fs::symlink(&house.path, &link).unwrap();
    fs::rename(&link, &house.path).unwrap();
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401]);
    fs::rename(&target, &house.path).unwrap();
    house.server.advance(JWKS_LOOK_MS);
    assert_eq!(house.statuses([1, 2, 3]), [401, 200, 401]);
}

#[test]
fn they_are_read_again_when_that_is_asked_for() {
    let mut house = House::new(&[1]);
    write(&house.path, &set(&[3]), 0o644);
    assert_eq!(house.statuses([1, 2, 3]), [200, 401, 401]);
    house.server.handle().reload();
    assert_eq!(house.statuses([1, 2, 3]), [401, 401, 200]);
    // After a time in which nothing was to be done: the first request sees what has changed.
    write(&house.path, &set(&[2]), 0o644);
    house.server.advance(60_000);
    assert_eq!(house.statuses([1, 2, 3]), [401, 200, 401]);
}

#[test]
fn a_secret_is_no_key_for_others() {
    let mut house = House::new(&[1]);
    // Signed with the public key as if that were a secret.
    let good = token(1);
    let claims = good.split('.').nth(1).unwrap();
    let signed = format!("{}.{claims}", base64url(br#"{"alg":"HS256","kid":"k1"}"#));
    let tag = HMAC::mac(signed.as_bytes(), pair(1).pk.as_ref());
    assert_eq!(house.status(&format!("{signed}.{}", base64url(&tag))), 401);
    assert_eq!(house.status(&good), 200);
}

#[test]
fn settings_that_can_not_be_are_told_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jwks.json");
    let start = |oauth: OAuth| TestServer::new(Server::new("board", "1", App), Config::new().oauth(oauth)).map(drop);
    let error = |oauth: OAuth| start(oauth).unwrap_err().to_string();
    let issuer = || Issuer::new(ISSUER).ed25519(*pair(1).pk);
    let table = [
        (OAuth::new(RESOURCE), "1 to 4 authorization servers"),
        (OAuth::new("board.example/mcp").issuer(issuer()), "resource \"board.example/mcp\""),
        (OAuth::new("ftp://board.example/mcp").issuer(issuer()), "http or https"),
        (OAuth::new("https://board.example/mcp?x").issuer(issuer()), "no query"),
        (OAuth::new(RESOURCE).issuer(Issuer::new("login").ed25519(*pair(1).pk)), "issuer \"login\""),
        (OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER)), "it has no key"),
        (OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).jwks_file(&path)), "the key set"),
        (OAuth::new(RESOURCE).issuer(issuer()).scopes(["offline_access"]), "offline_access"),
    ];
    for (oauth, why) in table {
        let error = error(oauth);
        assert!(error.contains(why), "{error}");
    }
    write(&path, "{", 0o644);
    let broken = error(OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).jwks_file(&path)));
    assert!(broken.starts_with(&format!("the key set {}: it is no JSON", path.display())), "{broken}");
    write(&path, &set(&[1]), 0o644);
    start(OAuth::new(RESOURCE).issuer(Issuer::new(ISSUER).jwks_file(&path))).unwrap();
}
