//! What is kept of a request never changes what the next message is taken for: who has read others finds what finds who has read none.

use super::{Envelope, KeptRequests};
use crate::json::{Kind, ScanError};
use crate::limits::{JSON_DEPTH_MAX, KEPT_REQUEST_BYTES_MAX, KEPT_REQUEST_OF, KEPT_REQUESTS};

/// The values of `_meta` as clients write them.
const METAS: &[&str] = &[
    VERSION_FIRST,
    concat!(
        r#"{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}}},"#,
        r#""io.modelcontextprotocol/clientInfo":{"name":"b","title":"\u00e4\/","version":"1"},"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
    ),
    concat!(
        "{ \"io.modelcontextprotocol/protocolVersion\" : \"2026-07-28\",\n\t\"io.modelcontextprotocol/clientCapabilities\" : { },\r\n",
        " \"io.modelcontextprotocol/logLevel\":\"de\\u0062ug\" , \"io.modelcontextprotocol/client\\u0049nfo\": null }",
    ),
    r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
    r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
    r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":1}"#,
    r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"00-1-2-01"}"#,
    r#"{"io.modelcontextprotocol/logLevel":{"id":"\u0061","_meta":{"io.modelcontextprotocol/logLevel":[[[["\\"]]]]}}}"#,
    "{}",
    "{ }",
    "null",
    r#""{}""#,
];

/// The first of them.
const VERSION_FIRST: &str = concat!(
    r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"modern","version":"1.2"},"#,
    r#""io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info"}"#,
);

/// Messages around an id (`@`), arguments (`$`) and a `_meta` (`#`).
const MESSAGES: &[&str] = &[
    CALL,
    r#"{"method":"tools/call","params":{"name":"ec\u0068o","arguments":$,"_meta":#},"jsonrpc":"2.0","id":@}"#,
    r#"{"id":@,"jsonrpc":"2.0","method":"tools/call","params":{"_meta":#,"arguments":$,"name":"echo"}}"#,
    r#"{"jsonrpc":"2.0","id":@,"method":"resources/read","params":{"_meta":{"progressToken":@},"uri":"x:y","name":"a","arguments":$}}"#,
    "{ \"params\" : { \"_met\\u0061\" : # } , \"id\" : @, \"method\" : \"x\" } ",
    r#"{"params":{"_meta":#},"id":@,"params":{"_meta":#}}"#,
    r#"{"id":1,"params":{"_meta":#,"_meta":#}}"#,
    r#"{"id":@,"id":1,"params":{"arguments":$,"arguments":$}}"#,
    r#"{"id":{"_meta":#},"params":{"arguments":{"_meta":#},"x":{"_meta":#}},"_meta":#,"result":{"_meta":#}}"#,
    r#"[{"id":@,"params":{"_meta":#,"arguments":$}}]"#,
    r#"{"id":@,"method":"tools/list","params":{}}"#,
    r#"{"id":@,"method":"ping"}"#,
    r#"{"method":"notifications/cancelled","params":{"requestId":@}}"#,
    r#"{"params":#,"id":@}"#,
    "#",
];

/// The first of them.
const CALL: &str = r#"{"jsonrpc":"2.0","id":@,"method":"tools/call","params":{"name":"echo","arguments":$,"_meta":#}}"#;

const IDS: &[&str] = &[
    "1",
    "-0",
    "12345678901234567890",
    "1.5e3",
    r#""a""#,
    r#""""#,
    r#""\u0061""#,
    r#""\u00e4\/""#,
    "null",
    "01",
    "1x",
];

const ARGUMENTS: &[&str] = &[
    r#"{"text":"hello"}"#,
    "{}",
    "{ }",
    r#"{"text":"\u0061\/\u00e9","id":"\u0061","_meta":{"id":[1,{"id":"\u0062"}]}}"#,
    r#"{"a":1}}"#,
    r#"{"a":1},"_meta":{}"#,
    r#"{"a":"\ud800"}"#,
    r#"{"a" 1}"#,
    "[]",
    "null",
    "\"{}\"",
];

/// All that a scan tells: the kind or the error, the document as it then is, and what was found, for which nobody asks where it is no JSON.
type Told = (Result<Kind, ScanError>, Vec<u8>, Option<Envelope>);

fn told(doc: &[u8], kept: &mut KeptRequests) -> Told {
    let (mut envelope, mut doc) = (Envelope::default(), doc.to_vec());
    let kind = envelope.scan(&mut doc, kept);
    (kind, doc, kind.is_ok().then_some(envelope))
}

/// Whether it had to be scanned.
fn check(doc: &[u8], kept: &mut KeptRequests) -> bool {
    let is_known = kept.recall(&mut doc.to_vec(), &mut Envelope::default()).is_some();
    assert_eq!(told(doc, kept), told(doc, &mut KeptRequests::new()), "{}", doc.escape_ascii());
    !is_known
}

/// The message `of` with these values.
fn filled(of: &str, id: &str, arguments: &str, meta: &str) -> Vec<u8> {
    of.replace('@', id).replace('$', arguments).replace('#', meta).into_bytes()
}

fn reader_of(doc: &[u8]) -> KeptRequests {
    let mut kept = KeptRequests::new();
    let _ = told(doc, &mut kept);
    kept
}

fn knows(kept: &mut KeptRequests, doc: &[u8]) -> bool {
    kept.recall(&mut doc.to_vec(), &mut Envelope::default()).is_some()
}

#[test]
fn each_message_behind_each_other() {
    let all: Vec<_> = MESSAGES
        .iter()
        .flat_map(|of| {
            let metas = METAS.iter().map(|meta| filled(of, "7", ARGUMENTS[0], meta));
            let ids = IDS.iter().map(|id| filled(of, id, ARGUMENTS[1], METAS[0]));
            let arguments = ARGUMENTS.iter().map(|arguments| filled(of, "\"b\"", arguments, METAS[1]));
            metas.chain(ids).chain(arguments).collect::<Vec<_>>()
        })
        .collect();
    let (mut known, mut new) = (0, 0);
    let mut kept = KeptRequests::new();
    for before in &all {
        for doc in &all {
            let _ = told(before, &mut kept);
            if check(doc, &mut kept) { new += 1 } else { known += 1 }
        }
    }
    assert!(known > 1_000 && new > 1_000, "{known} known, {new} new");
}

#[test]
fn mutated_messages_behind_whole_ones() {
    let bytes = b"\0 \"\\,:{}[]/0aI\x7f\x80\xc3";
    let mut told_apart = 0;
    for meta in &METAS[..3] {
        for of in &MESSAGES[..5] {
            let doc = filled(of, "17", ARGUMENTS[3], meta);
            let kept = &mut reader_of(&doc);
            for at in 0..doc.len() {
                let (before, after) = doc.split_at(at);
                let mut behind = |mutated: &[u8]| {
                    // What came before is kept still, or another that differs as little.
                    told_apart += usize::from(check(mutated, kept));
                    check(&doc, kept);
                };
                behind(before);
                behind(&[before, &after[1..]].concat());
                behind(&[before, &after[..1], after].concat());
                for byte in bytes {
                    behind(&[before, &[*byte], &after[1..]].concat());
                    behind(&[before, &[*byte], after].concat());
                }
            }
        }
    }
    assert!(told_apart > 1_000, "{told_apart}");
}

#[test]
fn the_next_request_is_known() {
    for of in &MESSAGES[..5] {
        let kept = &mut reader_of(&filled(of, "9", ARGUMENTS[0], r#"{"progressToken":9}"#));
        for (id, arguments) in ["1", "10", "-1.5", "99999999999999999999999"].into_iter().zip(ARGUMENTS) {
            let doc = filled(of, id, arguments, &format!(r#"{{"progressToken":{id}}}"#));
            // As it then lies in the next document, which is written without escapes.
            let doc = told(&doc, &mut KeptRequests::new()).1;
            let doc = String::from_utf8(doc).unwrap().replace("\"echo\" ", "\"another\" ");
            assert!(!check(doc.as_bytes(), kept), "{doc}");
        }
    }
    let kept = &mut reader_of(&filled(CALL, "\"first\"", ARGUMENTS[0], METAS[0]));
    assert!(!check(&filled(CALL, "\"2\"", ARGUMENTS[3], METAS[0]), kept));
    // A number is not taken for a text, nor what needs decoding for what does not.
    assert!(check(&filled(CALL, "2", ARGUMENTS[3], METAS[0]), kept));
    assert!(check(&filled(CALL, "\"\\u0061\"", ARGUMENTS[3], METAS[0]), kept));
}

#[test]
fn each_of_a_few_clients_has_a_place() {
    let of = |client: usize, id: &str| {
        let meta = format!(r#"{{"io.modelcontextprotocol/clientInfo":"{client}"}}"#);
        filled(CALL, id, ARGUMENTS[0], &meta)
    };
    let kept = &mut KeptRequests::new();
    let new = |clients: usize, kept: &mut KeptRequests| {
        (0..50 * clients).filter(|turn| check(&of(turn % clients, "7"), kept)).count()
    };
    assert_eq!(new(KEPT_REQUESTS, kept), KEPT_REQUESTS, "each is scanned once");
    assert_eq!(new(KEPT_REQUESTS, kept), 0);
    // Of more, some have one.
    let many = new(2 * KEPT_REQUESTS, kept);
    assert!(many < 50 * 2 * KEPT_REQUESTS * 3 / 4, "{many}");
    // Who stays alone has one in the end.
    assert!(new(1, kept) <= usize::from(KEPT_REQUEST_OF));
    let alone = (0..50).filter(|_| check(&of(99, "8"), kept)).count();
    assert!(alone <= usize::from(KEPT_REQUEST_OF), "{alone}");
}

#[test]
fn arguments_nest_as_deep_as_in_any_message() {
    let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let kept = &mut reader_of(&filled(CALL, "1", ARGUMENTS[0], METAS[0]));
    let mut right = 0;
    for levels in 1..JSON_DEPTH_MAX + 2 {
        let doc = filled(CALL, "1", &nested(levels), METAS[0]);
        assert!(!check(&doc, kept), "what is wrong with its arguments is told, too");
        right += usize::from(told(&doc, kept).0.is_ok());
    }
    assert_eq!(right, JSON_DEPTH_MAX - 2);
}

#[test]
fn only_what_everybody_says_is_kept() {
    let known = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
    for other in [
        r#""progressToken":"sesame""#,
        r#""progress\u0054oken":"sesame""#,
        r#""traceparent":"sesame""#,
        r#""io.modelcontextprotocol/sesame":1"#,
        r#""protocolVersion":"sesame""#,
    ] {
        for meta in [format!("{{{known},{other}}}"), format!("{{{other},{known}}}"), format!("{{{other}}}")] {
            // Neither alone nor behind another, nor where it comes twice, nor in what is no message.
            let mut kept = KeptRequests::new();
            for of in MESSAGES {
                let _ = told(&filled(of, "1", ARGUMENTS[0], &meta), &mut kept);
                let _ = told(&filled(of, "1", &meta, METAS[0]), &mut kept);
                let _ = told(&filled(of, "1", &meta, &meta), &mut kept);
                assert!(!has_sesame(&kept), "{of} with {meta}");
            }
        }
    }
    for message in [
        r#"{"id":"sesame","params":{}}"#,
        r#"{"id":["sesame"],"params":{}}"#,
        r#"{"id":1,"params":["sesame"]}"#,
        r#"{"id":1,"params":"sesame"}"#,
        r#"{"id":1,"params":{"_meta":["sesame"]}}"#,
        r#"{"id":1,"params":{"_meta":{"progressToken":["sesame"]}}}"#,
        r#"{"id":1,"params":{"arguments":["sesame"]}}"#,
        r#"{"id":1,"params":{"name":"sesame"}}"#,
        r#"{"id":1,"params":{"name":["sesame"]}}"#,
        r#"{"id":1,"params":{"uri":"sesame"}}"#,
        r#"{"id":1,"params":{"requestState":"sesame"}}"#,
        r#"{"id":1,"params":{"inputResponses":{"a":"sesame"}}}"#,
        r#"{"id":1,"params":{"task":"sesame"}}"#,
        r#"{"id":1,"params":{},"sesame":1}"#,
        r#"{"id":1,"params":{},"result":"sesame"}"#,
        r#"{"id":1,"method":["sesame"],"params":{}}"#,
    ] {
        assert!(!has_sesame(&reader_of(message.as_bytes())), "{message}");
    }
    let said = format!(r#"{{"id":1,"params":{{"_meta":{{{known},"io.modelcontextprotocol/clientInfo":"sesame"}}}}}}"#);
    assert!(has_sesame(&reader_of(said.as_bytes())));
    // What has no parameters, or no id, does not take its place.
    for seldom in
        [r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, r#"{"jsonrpc":"2.0","method":"notifications/x","params":{}}"#]
    {
        let kept = &mut reader_of(&filled(CALL, "1", ARGUMENTS[0], METAS[0]));
        let _ = told(seldom.as_bytes(), kept);
        assert!(knows(kept, &filled(CALL, "2", ARGUMENTS[1], METAS[0])), "{seldom}");
    }
}

fn has_sesame(kept: &KeptRequests) -> bool {
    let bytes = "sesame".bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    format!("{kept:?}").contains(&bytes)
}

#[test]
fn what_is_too_long_is_not_kept() {
    let call = |length: usize, text: &str| {
        let begin = r#"{"id":1,"params":{"arguments":,"_meta":{"io.modelcontextprotocol/clientInfo":"""#;
        let info = "x".repeat(length - begin.len() - 2);
        format!(
            r#"{{"id":1,"params":{{"arguments":{{"text":"{text}"}},"_meta":{{"io.modelcontextprotocol/clientInfo":"{info}"}}}}}}"#
        )
    };
    for (length, is_kept) in [(KEPT_REQUEST_BYTES_MAX, true), (KEPT_REQUEST_BYTES_MAX + 1, false), (5_000, false)] {
        // However long its arguments are.
        let doc = call(length, &"y".repeat(10_000));
        let kept = &mut reader_of(CALL.as_bytes());
        assert!(check(doc.as_bytes(), kept));
        assert_eq!(!check(call(length, "z").as_bytes(), kept), is_kept, "{length}");
    }
}
