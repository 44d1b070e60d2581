//! What is kept of a `_meta` never changes what the next message is taken for: who has read others finds what finds who has read none.

use super::{Envelope, KeptMeta};
use crate::json::{Kind, ScanError};
use crate::limits::KEPT_META_BYTES_MAX;

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

/// Messages around a `_meta`, for which `#` stands.
const MESSAGES: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"},"_meta":#}}"#,
    r#"{"id":"1","jsonrpc":"2.0","method":"tools/call","params":{"_meta":#,"arguments":{"text":"hello"},"name":"echo"}}"#,
    "{ \"params\" : { \"_met\\u0061\" : # } , \"id\" : \"\\u0061\", \"method\" : \"x\" } ",
    r#"{"params":{"_meta":#},"id":"\u0061","params":{"_meta":#}}"#,
    r#"{"params":{"_meta":#,"_meta":#}}"#,
    r#"{"params":{"_meta":#,"_meta":{"io.modelcontextprotocol/logLevel":1}}}"#,
    r#"{"id":{"_meta":#},"params":{"arguments":{"_meta":#},"x":{"_meta":#}},"_meta":#,"result":{"_meta":#}}"#,
    r#"[{"params":{"_meta":#}}]"#,
    r#"{"params":{"_meta":#},"id":"x\u"}"#,
    r#"{"params":#}"#,
    "#",
];

/// All that a scan tells: the kind or the error, the document as it then is, and what was found, for which nobody asks where it is no JSON.
type Told = (Result<Kind, ScanError>, Vec<u8>, Option<Envelope>);

fn told(doc: &[u8], kept: &mut KeptMeta) -> Told {
    let (mut envelope, mut doc) = (Envelope::default(), doc.to_vec());
    let kind = envelope.scan(&mut doc, kept);
    (kind, doc, kind.is_ok().then_some(envelope))
}

fn check(doc: &[u8], kept: &mut KeptMeta) {
    assert_eq!(told(doc, kept), told(doc, &mut KeptMeta::new()), "{}", doc.escape_ascii());
}

/// The message `of` with these `_meta`.
fn filled(of: &str, metas: &[&str]) -> Vec<u8> {
    let mut parts = of.split('#');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (part, meta) in parts.zip(metas.iter().cycle()) {
        text = text + meta + part;
    }
    text.into_bytes()
}

/// Who has read a message with this `_meta`.
fn reader_of(meta: &str) -> KeptMeta {
    let mut kept = KeptMeta::new();
    let _ = told(&filled(MESSAGES[0], &[meta]), &mut kept);
    kept
}

/// Whether it would not scan this `_meta` again.
fn knows(kept: &KeptMeta, meta: &str) -> bool {
    kept.recall(meta.as_bytes(), 0, &mut Envelope::default()).is_some()
}

#[test]
fn each_message_behind_each_other() {
    let mut kept = KeptMeta::new();
    for before in METAS {
        for message in MESSAGES {
            for first in METAS {
                for second in METAS {
                    let _ = told(&filled(MESSAGES[0], &[before]), &mut kept);
                    let doc = filled(message, &[first, second]);
                    check(&doc, &mut kept);
                    check(&doc, &mut kept);
                }
            }
        }
    }
}

#[test]
fn mutated_messages_behind_whole_ones() {
    let bytes = b"\0 \"\\,:{}[]/0aI\x7f\x80\xc3";
    let mut told_apart = 0;
    for meta in &METAS[..3] {
        for message in &MESSAGES[1..5] {
            let doc = filled(message, &[meta]);
            let mut kept = reader_of(meta);
            for at in 0..doc.len() {
                let (before, after) = doc.split_at(at);
                let mut behind = |mutated: &[u8]| {
                    // What came before is kept still, or another that differs as little.
                    check(mutated, &mut kept);
                    told_apart += usize::from(!knows(&kept, meta));
                    check(&doc, &mut kept);
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
fn the_same_is_known_wherever_it_stands() {
    let kept = &mut reader_of(VERSION_FIRST);
    for message in &MESSAGES[..3] {
        let doc = filled(message, &[VERSION_FIRST]);
        let start = message.find('#').unwrap();
        let mut envelope = Envelope::default();
        assert_eq!(kept.recall(&doc, start, &mut envelope), Some(start + VERSION_FIRST.len()));
        assert_eq!(Envelope::text(envelope.meta_version, &doc), Some(&b"2026-07-28"[..]));
        assert_eq!(envelope.meta_capabilities.unwrap().span.of(&doc), b"{}");
        assert_eq!(envelope.meta_client_info.unwrap().kind, Kind::Object);
        assert_eq!(Envelope::text(envelope.meta_log_level, &doc), Some(&b"info"[..]));
        assert!(!envelope.duplicate && envelope.meta.is_none());
        // And a second time it is one too many.
        kept.recall(&doc, start, &mut envelope);
        assert!(envelope.duplicate);
        check(&doc, kept);
    }
}

#[test]
fn only_what_everybody_says_is_kept() {
    for meta in &METAS[..4] {
        let kept = reader_of(meta);
        // Normalised, as it then lies in the next document that is written without escapes.
        let mut doc = meta.as_bytes().to_vec();
        crate::json::scan(&mut doc, &mut crate::json::Nobody).unwrap();
        assert!(knows(&kept, std::str::from_utf8(&doc).unwrap()), "{meta}");
    }
    let known = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
    for other in [
        r#""progressToken":"sesame""#,
        r#""progress\u0054oken":"sesame""#,
        r#""traceparent":"sesame""#,
        r#""io.modelcontextprotocol/sesame":1"#,
        r#""protocolVersion":"sesame""#,
    ] {
        for members in [format!("{{{known},{other}}}"), format!("{{{other},{known}}}"), format!("{{{other}}}")] {
            let mut kept = KeptMeta::new();
            // Neither alone nor behind another, nor where it comes twice, nor in what is no message.
            for message in [MESSAGES[0], MESSAGES[3], MESSAGES[4], MESSAGES[8]] {
                let _ = told(&filled(message, &[&members]), &mut kept);
                let _ = told(&filled(message, &[VERSION_FIRST, &members]), &mut kept);
            }
            assert!(!has_sesame(&kept), "{members}");
        }
    }
    assert!(has_sesame(&reader_of(r#"{"io.modelcontextprotocol/protocolVersion":"sesame"}"#)));
    // What older revisions say there does not take its place.
    for older in ["{}", r#"{"io.modelcontextprotocol/logLevel":"debug"}"#] {
        let mut kept = reader_of(VERSION_FIRST);
        let _ = told(&filled(MESSAGES[0], &[older]), &mut kept);
        assert!(knows(&kept, VERSION_FIRST), "{older}");
    }
}

fn has_sesame(kept: &KeptMeta) -> bool {
    let bytes = "sesame".bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    format!("{kept:?}").contains(&bytes)
}

#[test]
fn what_is_too_long_is_not_kept() {
    let meta = |length: usize| {
        let begin = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":""#;
        format!(r#"{begin}{}"}}"#, "x".repeat(length - begin.len() - 2))
    };
    for (length, is_kept) in [(KEPT_META_BYTES_MAX, true), (KEPT_META_BYTES_MAX + 1, false), (5_000, false)] {
        let meta = meta(length);
        let mut kept = reader_of(VERSION_FIRST);
        for _ in 0..2 {
            check(&filled(MESSAGES[1], &[&meta]), &mut kept);
            assert_eq!((knows(&kept, &meta), knows(&kept, VERSION_FIRST)), (is_kept, !is_kept), "{length}");
        }
    }
}
