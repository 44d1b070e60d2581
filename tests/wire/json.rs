//! WIRE 12, 13: every text of `cases/json.txt`, as a whole body and in places that nobody reads, in either era.

use smol_mcp::Config;

use crate::line::Line;
use crate::support::server::Running;
use crate::support::wire;
use crate::texts::{Text, texts};

const TEXTS: &str = include_str!("cases/json.txt");
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

/// Where a text is put (`$`), in requests of 2026-07-28 that are answered all the same.
const PLACES: &[(&str, &str)] = &[
    ("server/discover", r#"{"x":$,"jsonrpc":"2.0","id":7,"method":"server/discover","params":{META}}}"#),
    ("server/discover", r#"{"jsonrpc":"2.0","id":7,"method":"server/discover","params":{META}},"x":[0,$,{"y":$}]}"#),
    ("server/discover", r#"{"jsonrpc":"2.0","id":7,"method":"server/discover","params":{"x": $ ,META}}}"#),
    ("server/discover", r#"{"jsonrpc":"2.0","id":7,"method":"server/discover","params":{META,"x":$}}}"#),
    (
        "tools/call",
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"},"x":[$],META}}}"#,
    ),
    (
        "tools/call",
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a","x":$},META}}}"#,
    ),
];

/// The same in a session of an older revision.
const OLDER: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":$}}"#,
    r#"{"jsonrpc":"2.0","id":7,"method":"nope","x":$}"#,
    r#"{"x":{"y":$},"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"},"_meta":{"x":$}}}"#,
];

#[test]
fn texts_in_messages_of_2026_07_28() {
    let running = Running::start(Config::default());
    let mut line = Line::new(running.address);
    for (method, place) in PLACES {
        let place = place.replace("META", META);
        hold(&mut line, &place, |body| {
            let headers: &[_] = match *method {
                "tools/call" => &[("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method), ("Mcp-Name", "echo")],
                _ => &[("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method)],
            };
            post("/mcp", headers, body)
        });
    }
}

#[test]
fn texts_in_messages_of_older_revisions() {
    let running = Running::start(Config::default());
    for revision in ["2025-03-26", "2025-11-25"] {
        let session = running.connect().initialize(revision, "texts");
        let mut line = Line::new(running.address);
        for place in OLDER {
            let headers = [("Mcp-Session-Id", session.id.as_str()), ("MCP-Protocol-Version", revision)];
            hold(&mut line, place, |body| post("/mcp", &headers, body));
        }
    }
}

#[test]
fn texts_in_messages_of_2024_11_05() {
    let running = Running::start(Config::default());
    let mut stream = running.connect();
    let path = stream.open_http_sse();
    let mut line = Line::new(running.address);
    // Notifications: what is taken is not answered on the stream.
    let place = r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{"x":$}}"#;
    hold(&mut line, place, |body| post(&path, &[], body));
}

/// A text that is the whole body is no message, whatever it is.
#[test]
fn texts_alone() {
    let running = Running::start(Config::default());
    let mut line = Line::new(running.address);
    let texts = texts(TEXTS);
    let requests: Vec<_> = texts.iter().map(|text| post("/mcp", &[], &text.bytes)).collect();
    for (text, answer) in texts.iter().zip(line.ask_all(&requests).unwrap()) {
        let (code, id) = (answer.json()["error"]["code"].clone(), answer.json()["id"].clone());
        let expected = if text.is_json { -32600 } else { -32700 };
        assert!(answer.status == 400 && code == expected && id.is_null(), "{}; {answer:?}", told(text));
    }
}

// Each text in this place: what is no JSON is refused as that, with no id; and what is, is answered.
fn hold(line: &mut Line, place: &str, request: impl Fn(&[u8]) -> Vec<u8>) {
    let texts = texts(TEXTS);
    assert!(texts.len() > 300, "{}", texts.len());
    let filled = |text: &Text| place.split('$').map(str::as_bytes).collect::<Vec<_>>().join(&text.bytes[..]);
    let requests: Vec<_> = texts.iter().map(|text| request(&filled(text))).collect();
    let answers = line.ask_all(&requests).unwrap();
    for (text, answer) in texts.iter().zip(&answers) {
        let right = if text.is_json {
            answer.status == 202 || answer.status == 200 && answer.json()["id"] == 7
        } else {
            let json = answer.json();
            answer.status == 400 && json["error"]["code"] == -32700 && json["id"].is_null()
        };
        assert!(right, "{} in {place}; {answer:?}", told(text));
    }
}

fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let head = wire::post_to(path, headers, &"\0".repeat(body.len()));
    [head.trim_end_matches('\0').as_bytes(), body].concat()
}

fn told(text: &Text) -> String {
    format!("json.txt:{} ({}): {}", text.line, text.section, text.bytes[..text.bytes.len().min(99)].escape_ascii())
}
