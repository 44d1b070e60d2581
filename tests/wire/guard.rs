//! WIRE 7-10: every Host, Origin and credential against every method and path, and against each other: who is refused, by which status, and in
//! which order (Host, Origin, preflight, path, token), before a body is looked at.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::thread;

use smol_mcp::Config;

use crate::answer::Answer;
use crate::line::Line;
use crate::support::server::Running;

const TOKEN: &str = "a-token.of_32+characters/for~us==";
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A value that a request brings, and the status that it is refused by (0: none).
type Brought = (&'static [&'static str], u16);

// RFC 9112, 3.2; MCP, "Security Warning" of the transports.
const HOSTS: &[Brought] = &[
    (&["localhost"], 0),
    (&["LOCALHOST:8000"], 0),
    (&["127.0.0.1"], 0),
    (&["[::1]:1"], 0),
    (&["device.lan"], 0),
    (&["DEVICE.lan.:80"], 0),
    (&["other.lan:8080"], 0),
    (&["other.lan"], 403),
    (&["other.lan:80"], 403),
    (&["evil.example"], 403),
    (&["device.lan.evil.example"], 403),
    (&["xdevice.lan"], 403),
    (&["0.0.0.0"], 403),
    (&["192.168.1.5"], 403),
    (&[""], 400),
    (&["localhost:x"], 400),
    (&["u@localhost"], 400),
    (&["localhost/"], 400),
];

// RFC 6454, 6 and 7; MCP 2025-11-25, transports: 403.
const ORIGINS: &[Brought] = &[
    (&[], 0),
    (&["http://localhost"], 0),
    (&["http://localhost:5173"], 0),
    (&["https://LOCALHOST"], 0),
    (&["http://127.0.0.1:6274"], 0),
    (&["http://[::1]:3000"], 0),
    (&["https://app.example"], 0),
    (&["https://app.example:443"], 0),
    (&["HTTPS://APP.example"], 0),
    (&["https://app.example", "http://localhost"], 0),
    (&["null"], 403),
    (&["NULL"], 403),
    (&[""], 403),
    (&["*"], 403),
    (&["https://evil.example"], 403),
    (&["http://app.example"], 403),
    (&["https://app.example:8443"], 403),
    (&["https://app.example."], 403),
    (&["https://app.example.evil.example"], 403),
    (&["https://evil-app.example"], 403),
    (&["https://sub.app.example"], 403),
    (&["https://app.example@evil.example"], 403),
    (&["http://localhost:5173@evil.example"], 403),
    (&["http://localhost.evil.example"], 403),
    (&["http://localhostx"], 403),
    (&["https://app.example/"], 403),
    (&["https://app.example/x"], 403),
    (&["https://app.example?x"], 403),
    (&["https://app.example:"], 403),
    (&["https://app.example:0443"], 403),
    (&["https://app.example:99999"], 403),
    (&["https://app.example https://app.example"], 403),
    (&["https://app.example, https://evil.example"], 403),
    (&["https://app.example", "https://evil.example"], 403),
    (&["https://evil.example", "https://app.example"], 403),
    (&["http://localhost", "null"], 403),
    (&["file://"], 403),
    (&["file:///"], 403),
    (&["chrome-extension://abcdefghijklmnop"], 403),
    (&["ftp://localhost"], 403),
    (&["//localhost"], 403),
    (&["localhost"], 403),
    (&["http:localhost"], 403),
    (&["http://"], 403),
    (&["http://u:p@localhost"], 403),
    (&["https://app.ex%61mple"], 403),
    (&["http://0x7f.1"], 403),
    (&["http://2130706433"], 403),
];

// RFC 6750, 2 and 3.1; RFC 9110, 11.4.
const CREDENTIALS: &[Brought] = &[
    (&["Bearer a-token.of_32+characters/for~us=="], 0),
    (&["bearer a-token.of_32+characters/for~us=="], 0),
    (&["BEARER    a-token.of_32+characters/for~us== "], 0),
    (&[], 401),
    (&[""], 401),
    (&["Basic YTpi"], 401),
    (&["Bearerx a-token.of_32+characters/for~us=="], 401),
    (&["a-token.of_32+characters/for~us=="], 401),
    (&["Bearer wrong"], 401),
    (&["Bearer a-token.of_32+characters/for~us="], 401),
    (&["Bearer a-token.of_32+characters/for~us"], 401),
    (&["Bearer A-token.of_32+characters/for~us=="], 401),
    (&["Bearer xa-token.of_32+characters/for~us=="], 401),
    (&["Bearer"], 400),
    (&["Bearer "], 400),
    (&["Bearer a b"], 400),
    (&["Bearer \ta-token.of_32+characters/for~us=="], 400),
    (&["Bearer a-token.of_32+characters/for~us==,"], 400),
    (&["Bearer \"a-token.of_32+characters/for~us==\""], 400),
    (&["Bearer a=b"], 400),
    (&["Bearer \u{e9}"], 400),
    (&["Bearer a-token.of_32+characters/for~us==", "Bearer a-token.of_32+characters/for~us=="], 400),
    (&["Bearer a-token.of_32+characters/for~us==", "Bearer wrong"], 400),
    (&["Basic YTpi", "Bearer a-token.of_32+characters/for~us=="], 400),
];

/// What is asked for, and the status where nothing is in the way; whether a token is asked for.
const ROUTES: &[(&str, &str, u16, bool)] = &[
    ("POST", "/mcp", 200, true),
    ("POST", "/mcp/", 200, true),
    ("POST", "/messages", 404, true),
    ("GET", "/mcp", 405, true),
    ("GET", "/messages", 405, true),
    ("DELETE", "/mcp", 405, true),
    ("DELETE", "/sse", 405, true),
    ("PUT", "/mcp", 405, true),
    ("PATCH", "/messages", 405, true),
    ("TRACE", "/mcp", 405, true),
    ("HEAD", "/mcp", 405, true),
    ("HEAD", "/sse", 405, true),
    ("ODD", "/sse/", 405, true),
    ("OPTIONS", "/mcp", 204, false),
    ("OPTIONS", "/sse", 204, false),
    ("OPTIONS", "/messages", 204, false),
    ("OPTIONS", "/healthz", 204, false),
    ("OPTIONS", "/nothing", 204, false),
    ("OPTIONS", "*", 204, false),
    ("GET", "/healthz", 200, false),
    ("HEAD", "/healthz", 200, false),
    ("POST", "/healthz", 405, false),
    ("GET", "/nothing", 404, false),
    ("POST", "/nothing", 404, false),
    ("GET", "/.well-known/oauth-protected-resource", 404, false),
    ("GET", "/.well-known/oauth-authorization-server/mcp", 404, false),
    ("DELETE", "/", 404, false),
];

#[test]
fn hosts_and_origins_on_every_method_and_path() {
    let running = Running::start(config());
    each(running.address, |line, route| {
        for host in HOSTS {
            check(line, *route, host, &ORIGINS[0], &CREDENTIALS[0], false);
        }
        for origin in ORIGINS {
            check(line, *route, &HOSTS[0], origin, &CREDENTIALS[0], false);
        }
    });
}

#[test]
fn credentials_on_every_method_and_path() {
    let running = Running::start(config().token(TOKEN));
    each(running.address, |line, route| {
        for credentials in CREDENTIALS {
            check(line, *route, &HOSTS[0], &ORIGINS[0], credentials, true);
            check(line, *route, &HOSTS[0], &ORIGINS[6], credentials, true);
        }
    });
}

#[test]
fn all_against_each_other() {
    let running = Running::start(config().token(TOKEN));
    each(running.address, |line, route| {
        // Each kind of host, origin and credentials once: the first that is wrong decides.
        for host in [&HOSTS[0], &HOSTS[4], &HOSTS[7], &HOSTS[9], &HOSTS[15]] {
            for origin in [&ORIGINS[0], &ORIGINS[2], &ORIGINS[6], &ORIGINS[9], &ORIGINS[10], &ORIGINS[14], &ORIGINS[33]]
            {
                for credentials in
                    [&CREDENTIALS[0], &CREDENTIALS[3], &CREDENTIALS[8], &CREDENTIALS[13], &CREDENTIALS[21]]
                {
                    check(line, *route, host, origin, credentials, true);
                }
            }
        }
    });
}

/// A token in the query is no credential, and betrays itself: 400, whatever else is there (RFC 6750, 2.3; OAuth 2.1: MUST NOT).
#[test]
fn no_token_in_the_query() {
    let running = Running::start(config().token(TOKEN));
    let mut line = Line::new(running.address);
    for (method, path) in
        [("GET", "/mcp"), ("POST", "/mcp"), ("DELETE", "/mcp"), ("GET", "/sse"), ("POST", "/messages")]
    {
        for query in ["?access_token=a-token.of_32+characters/for~us==", "?x=y&access_token="] {
            for bearer in ["", "Authorization: Bearer a-token.of_32+characters/for~us==\r\n"] {
                let request = format!("{method} {path}{query} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n");
                let answer = line.ask(request.as_bytes(), false).unwrap();
                assert_eq!(answer.status, 400, "{request}: {answer:?}");
                assert!(!format!("{answer:?}").contains("characters"), "the token is told: {answer:?}");
            }
        }
    }
}

fn config() -> Config {
    Config::default().allow_host("device.lan").allow_host("other.lan:8080").allow_origin("https://app.example")
}

// Every route, some at once.
fn each(address: SocketAddr, hold: impl Fn(&mut Line, &(&'static str, &'static str, u16, bool)) + Sync) {
    thread::scope(|scope| {
        for routes in ROUTES.chunks(ROUTES.len().div_ceil(4)) {
            let hold = &hold;
            scope.spawn(move || {
                let mut line = Line::new(address);
                for route in routes {
                    hold(&mut line, route);
                }
            });
        }
    });
}

fn check(
    line: &mut Line,
    (method, path, served, asks): (&str, &str, u16, bool),
    host: &Brought,
    origin: &Brought,
    credentials: &Brought,
    has_token: bool,
) {
    let request = request(method, path, host.0, origin.0, credentials.0);
    let token = if has_token && asks { credentials.1 } else { 0 };
    let expected = [host.1, origin.1, token, served].into_iter().find(|status| *status != 0).unwrap();
    let answer = line.ask(request.as_bytes(), method == "HEAD").unwrap_or_else(|why| panic!("{why}: {request}"));
    assert_eq!(answer.status, expected, "{request}\n{answer:?}");
    granted(&answer, host, origin, method == "OPTIONS").unwrap_or_else(|why| panic!("{why}: {request}\n{answer:?}"));
    if expected == 401 || expected == 400 && token == 400 && host.1 == 0 {
        let challenge = answer.field("WWW-Authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer"), "{answer:?}");
        assert!(!format!("{answer:?}").contains("a-token"), "the token is told: {answer:?}");
    }
}

// What a page of that origin may read: exactly its own origin where it is allowed, and nothing else anywhere.
fn granted(answer: &Answer, host: &Brought, origin: &Brought, is_preflight: bool) -> Result<(), String> {
    let (allowed, vary) = (answer.field("Access-Control-Allow-Origin"), answer.field("Vary"));
    let may_read = host.1 == 0 && origin.1 == 0 && origin.0.len() == 1;
    if allowed != origin.0.first().copied().filter(|_| may_read) {
        return Err(format!("granted: {allowed:?}"));
    }
    if !origin.0.is_empty() && vary != Some("Origin") {
        return Err("no Vary".into());
    }
    if answer.field("Access-Control-Allow-Credentials").is_some() {
        return Err("credentials".into());
    }
    let methods = answer.field("Access-Control-Allow-Methods");
    if methods.is_some() != (is_preflight && may_read) {
        return Err(format!("methods: {methods:?}"));
    }
    Ok(())
}

fn request(method: &str, path: &str, hosts: &[&str], origins: &[&str], credentials: &[&str]) -> String {
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    for (name, values) in [("Host", hosts), ("Origin", origins), ("Authorization", credentials)] {
        for value in values {
            let _ = write!(request, "{name}: {value}\r\n");
        }
    }
    if method == "OPTIONS" {
        request += "Access-Control-Request-Method: POST\r\n";
    }
    if method == "POST" {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{{META}}}}}"#);
        let length = body.len();
        let _ = write!(request, "Content-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n");
        let _ = write!(request, "Mcp-Method: server/discover\r\nContent-Length: {length}\r\n\r\n{body}");
    } else {
        request += "\r\n";
    }
    request
}
