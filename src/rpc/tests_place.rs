//! What an envelope finds is what a reader finds that knows no name in advance, and compares whole paths.

use super::{Envelope, KeptRequests, Member};
use crate::json::tests_paths::{Visit, scan};
use crate::json::{Kind, Span};

type Get = fn(&Envelope) -> Option<Member>;

/// The paths that are asked about, and where an envelope has each.
const PATHS: &[(&str, Get)] = &[
    ("jsonrpc", |it| it.jsonrpc),
    ("id", |it| it.id),
    ("method", |it| it.method),
    ("params", |it| it.params),
    ("result", |it| it.result),
    ("error", |it| it.error),
    ("params\nname", |it| it.name),
    ("params\nuri", |it| it.uri),
    ("params\narguments", |it| it.arguments),
    ("params\ntaskId", |it| it.task_id),
    ("params\ncursor", |it| it.cursor),
    ("params\nrequestState", |it| it.request_state),
    ("params\ninputResponses", |it| it.input_responses),
    ("params\nlevel", |it| it.level),
    ("params\nrequestId", |it| it.request_id),
    ("params\nnotifications", |it| it.notifications),
    ("params\nprotocolVersion", |it| it.protocol_version),
    ("params\nclientInfo", |it| it.client_info),
    ("params\n_meta", |it| it.meta),
    ("params\n_meta\nprogressToken", |it| it.progress_token),
    ("params\n_meta\nio.modelcontextprotocol/protocolVersion", |it| it.meta_version),
    ("params\n_meta\nio.modelcontextprotocol/clientCapabilities", |it| it.meta_capabilities),
    ("params\n_meta\nio.modelcontextprotocol/clientInfo", |it| it.meta_client_info),
    ("params\n_meta\nio.modelcontextprotocol/logLevel", |it| it.meta_log_level),
];

#[derive(Default)]
struct Slow {
    found: Vec<(usize, Span, Kind)>,
    duplicate: bool,
}

impl Visit for Slow {
    fn member(&mut self, doc: &[u8], path: &[Span], span: Span, kind: Kind) {
        let path: Vec<&[u8]> = path.iter().map(|key| key.of(doc)).collect();
        let path = path.join(&b"\n"[..]);
        let Some(at) = PATHS.iter().position(|(known, _)| known.as_bytes() == path) else { return };
        self.duplicate |= self.found.iter().any(|(other, ..)| *other == at);
        self.found.retain(|(other, ..)| *other != at);
        self.found.push((at, span, kind));
    }
}

fn check(doc: &[u8]) {
    let (mut envelope, mut slow) = (Envelope::default(), Slow::default());
    let (mut by_envelope, mut by_paths) = (doc.to_vec(), doc.to_vec());
    let told = doc.escape_ascii();
    let kind = envelope.scan(&mut by_envelope, &mut KeptRequests::new());
    assert_eq!(kind, scan(&mut by_paths, &mut slow), "{told}");
    assert_eq!(by_envelope, by_paths, "{told}");
    assert_eq!(envelope.duplicate, slow.duplicate, "{told}");
    let mut found: Vec<_> = PATHS.iter().enumerate().filter_map(|(at, (_, get))| Some((at, get(&envelope)?))).collect();
    for (at, span, kind) in slow.found {
        let place =
            found.iter().position(|(other, _)| *other == at).unwrap_or_else(|| panic!("{}: {told}", PATHS[at].0));
        let (_, member) = found.remove(place);
        assert_eq!((member.span, member.kind), (span, kind), "{}: {told}", PATHS[at].0);
    }
    assert!(found.is_empty(), "{found:?}: {told}");
}

const MESSAGES: &[&str] = &[
    concat!(
        r#"{"jsonrpc":"2.0","id":"1","method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"},"_meta":{"#,
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientInfo":{"name":"modern","version":"1.2"},"#,
        r#""io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info","progressToken":7}}}"#,
    ),
    r#"{"method": "resources/read", "params": {"uri": "a://b", "_meta": {"progressToken": "\u0061"}}, "jsonrpc": "2.0", "id": 1}"#,
    concat!(
        r#"{"jsonrpc":"2.0","i\u0064":"\u0061\/","method":"x","\u0070arams":{"n\u0061me":"x","#,
        r#""_met\u0061":{"progress\u0054oken":1,"io.modelcontextprotocol\/logLevel":2}}}"#,
    ),
    r#"{"jsonrpc":"2.0","id":1,"result":{"name":1,"_meta":{"progressToken":2}},"error":{"id":2}}"#,
    r#"{"id":{"id":"\u0061","params":{"name":"\/"}},"params":[{"name":1}],"_meta":{"progressToken":1}}"#,
    r#"{"params":{"params":{"name":1},"id":1,"jsonrpc":"","method":"","result":1,"error":2},"name":1,"uri":2,"arguments":3}"#,
    r#"{"params":{"taskId":1,"cursor":2,"requestState":3,"inputResponses":4,"level":5,"requestId":6,"notifications":7,"protocolVersion":8,"clientInfo":9}}"#,
    r#"{"params":{"_meta":{"protocolVersion":1,"clientInfo":2,"logLevel":3,"io.modelcontextprotocol/progressToken":4,"io.modelcontextprotocol/":5}}}"#,
];

#[test]
fn an_envelope_finds_what_paths_find() {
    for message in MESSAGES {
        check(message.as_bytes());
    }
}

#[test]
fn of_mutated_messages_too() {
    let bytes = b"\0\n \"\\,:{}[]/0aeimnprstuIdP_u\x7f\x80\xc3";
    for message in MESSAGES {
        let message = message.as_bytes();
        for at in 0..message.len() {
            let (before, after) = message.split_at(at);
            check(before);
            check(&[before, &after[1..]].concat());
            check(&[before, &after[..1], after].concat());
            for byte in bytes {
                check(&[before, &[*byte], &after[1..]].concat());
                check(&[before, &[*byte], after].concat());
            }
        }
    }
}

#[test]
fn of_members_in_any_place_and_twice() {
    // Each pair of names in each of the objects, one of them written with an escape.
    let names: Vec<&str> = PATHS.iter().map(|(path, _)| path.rsplit('\n').next().unwrap_or(path)).collect();
    for first in &names {
        for second in &names {
            let members = format!(r#""{first}":{{"name":1}},"{second}" :"x","x{first}":1,"{second}x":2"#);
            let escaped = format!(r#""\u{:04x}{}":"x","{second}":[]"#, first.as_bytes()[0], &first[1..]);
            for members in [&members, &escaped] {
                check(format!("{{{members}}}").as_bytes());
                check(format!(r#"{{"params":{{{members}}}}}"#).as_bytes());
                check(format!(r#"{{"params":{{"_meta":{{{members}}}}}}}"#).as_bytes());
                check(format!(r#"{{"params":{{"_meta":{{"x":{{{members}}}}}}}}}"#).as_bytes());
                check(format!(r#"{{"result":{{"_meta":{{{members}}}}}}}"#).as_bytes());
            }
        }
    }
}
