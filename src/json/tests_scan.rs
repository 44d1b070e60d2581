//! What the scanner reports, and what it leaves of a document.

use super::tests_paths::{Visit, scan};
use super::{Kind, Span};

/// Writes down each report as `path=value:kind`.
#[derive(Default)]
struct Log(Vec<String>);

impl Visit for Log {
    fn member(&mut self, doc: &[u8], path: &[Span], value: Span, kind: Kind) {
        let text = |span: Span| String::from_utf8(span.of(doc).to_vec()).unwrap();
        let path: Vec<String> = path.iter().map(|key| text(*key)).collect();
        self.0.push(format!("{}={}:{kind:?}", path.join("."), text(value)));
    }
}

fn reports(doc: &str) -> Vec<String> {
    let mut log = Log::default();
    scan(&mut doc.as_bytes().to_vec(), &mut log).expect(doc);
    log.0
}

fn normalised(doc: &str) -> String {
    let mut bytes = doc.as_bytes().to_vec();
    scan(&mut bytes, &mut Log::default()).expect(doc);
    assert_eq!(bytes.len(), doc.len());
    String::from_utf8(bytes).unwrap()
}

#[test]
fn members_are_reported_after_their_values() {
    let cases: &[(&str, &[&str])] = &[
        ("{}", &[]),
        ("[]", &[]),
        ("1", &[]),
        ("\"a\"", &[]),
        ("{\"a\":1}", &["a=1:Number"]),
        (" { \"a\" : 1 , \"b\" : \"x\" } ", &["a=1:Number", "b=\"x\":String"]),
        ("{\"a\":null,\"b\":true,\"c\":false}", &["a=null:Null", "b=true:Bool", "c=false:Bool"]),
        ("{\"a\":{}}", &["a={}:Object"]),
        ("{\"a\":{ }}", &["a={ }:Object"]),
        ("{\"a\":[]}", &["a=[]:Array"]),
        ("{\"a\":{\"b\":1}}", &["a.b=1:Number", "a={\"b\":1}:Object"]),
        (
            "{\"a\":{\"b\":{\"c\":{\"d\":1}}},\"e\":2}",
            &[
                "a.b.c={\"d\":1}:Object",
                "a.b={\"c\":{\"d\":1}}:Object",
                "a={\"b\":{\"c\":{\"d\":1}}}:Object",
                "e=2:Number",
            ],
        ),
        ("{\"a\":[{\"b\":1}],\"c\":2}", &["a=[{\"b\":1}]:Array", "c=2:Number"]),
        (
            "{\"a\":{\"b\":[{\"c\":{\"d\":1}},[]],\"e\":{}}}",
            &["a.b=[{\"c\":{\"d\":1}},[]]:Array", "a.e={}:Object", "a={\"b\":[{\"c\":{\"d\":1}},[]],\"e\":{}}:Object"],
        ),
        ("[{\"a\":1},{\"b\":{\"c\":2}}]", &[]),
        ("{\"a\":1,\"a\":2}", &["a=1:Number", "a=2:Number"]),
        ("{\"\":{\"\":{\"\":0}}}", &["..=0:Number", ".={\"\":0}:Object", "={\"\":{\"\":0}}:Object"]),
        ("{\"\\u0061\\/\" :\"\\u00e9\" }", &["a/=\"é\":String"]),
        ("{\"x\":\"\\u0061\\n\\u0061\"}", &["x=\"a\\na\":String"]),
        ("{\"p\":{\"\\u0061\":[\"\\u0061\"]}}", &["p.a=[\"a\"     ]:Array", "p={\"a\"     :[\"a\"     ]}:Object"]),
    ];
    for (doc, expected) in cases {
        assert_eq!(reports(doc), *expected, "{doc}");
    }
}

#[test]
fn an_envelope_gives_what_the_server_needs() {
    let doc = r#"{"jsonrpc":"2.0","id":"\u0061","method":"tools\u002fcall","params":{"name":"x","_meta":{"progressToken":7}}}"#;
    assert_eq!(
        reports(doc)[..5],
        [
            r#"jsonrpc="2.0":String"#,
            r#"id="\u0061":String"#,
            r#"method="tools/call":String"#,
            r#"params.name="x":String"#,
            "params._meta.progressToken=7:Number",
        ]
    );
}

#[test]
fn needless_escapes_become_characters_and_the_gap_spaces() {
    let cases: &[(&str, &str)] = &[
        (r#""abc""#, r#""abc""#),
        (r#""\u0061""#, r#""a"     "#),
        (r#""\/""#, r#""/" "#),
        (r#""a\/b\/c""#, r#""a/b/c"  "#),
        (r#""\u00e9""#, r#""é"    "#),
        (r#""\u20AC""#, r#""€"   "#),
        (r#""\ud83d\ude00""#, r#""😀"        "#),
        (r#""x\uD83D\uDE00y\uD83D\uDE00z""#, r#""x😀y😀z"                "#),
        // What needs an escape keeps one.
        (r#""\"\\\b\f\n\r\t""#, r#""\"\\\b\f\n\r\t""#),
        (r#""\u0022""#, r#""\""    "#),
        (r#""\u005c""#, r#""\\"    "#),
        (r#""\u005C\u0022""#, r#""\\\""        "#),
        (r#""\u0000\u001f\u000a""#, r#""\u0000\u001f\u000a""#),
        (r#""\u0061\u0000\u0061\n\u0061""#, r#""a\u0000a\na"               "#),
        (r#""\u007f""#, "\"\u{7f}\"     "),
        // An escaped backslash begins nothing.
        (r#""\\u0061""#, r#""\\u0061""#),
        (r#""\\\u0061""#, r#""\\a"     "#),
        (r#""\u005cu0061""#, r#""\\u0061"    "#),
        (r#""\u005c\u0075""#, r#""\\u"         "#),
        // Around and between.
        (r#"["\u0061","b",1]"#, r#"["a"     ,"b",1]"#),
        (r#"{"\u0061":"\u0062"}"#, r#"{"a"     :"b"     }"#),
        (r#"{"a":{"\/":["\/"]}}"#, r#"{"a":{"/" :["/" ]}}"#),
        (
            r#""12345678901234567890\u0061 12345678901234567890""#,
            r#""12345678901234567890a 12345678901234567890"     "#,
        ),
        (r#""\u0061é漢字\u0061é漢字""#, r#""aé漢字aé漢字"          "#),
    ];
    for (doc, expected) in cases {
        assert_eq!(normalised(doc), *expected, "{doc}");
        assert_eq!(normalised(expected), *expected, "twice: {doc}");
    }
}

#[test]
fn the_id_is_left_as_it_came() {
    let same = [
        r#"{"id":"\u0061\ud83d\ude00\/"}"#,
        r#"{"id":1.0e0}"#,
        r#"{"id" : "\u0061" }"#,
        r#"{"id":["\u0061",{"\u0061":"\u0061"}]}"#,
        r#"{"id":{"x":{"\u0061":"\/"},"y":"\/"}}"#,
        r#"{"a":1,"id":"\/","b":2}"#,
        r#"{"id":"\/","id":"\u0061"}"#,
        r#"[{"id":"\u0061"},{"a":1,"id":["\/"]}]"#,
    ];
    for doc in same {
        assert_eq!(normalised(doc), doc);
    }
    let cases: &[(&str, &str)] = &[
        // Only the value, and only in the envelope.
        (r#"{"id":"\/","a":"\/"}"#, r#"{"id":"\/","a":"/" }"#),
        (r#"{"id":{"a":"\/"},"\/":"\/"}"#, r#"{"id":{"a":"\/"},"/" :"/" }"#),
        (r#"{"i\u0064":"\/"}"#, r#"{"id"     :"\/"}"#),
        (r#"{"\u0069\u0064":"\/","x":"\/"}"#, r#"{"id"          :"\/","x":"/" }"#),
        (r#"{"a":{"id":"\/"}}"#, r#"{"a":{"id":"/" }}"#),
        (r#"{"ID":"\/","idx":"\/","i":"\/","":"\/"}"#, r#"{"ID":"/" ,"idx":"/" ,"i":"/" ,"":"/" }"#),
        (r#"["id","\/"]"#, r#"["id","/" ]"#),
        (r#"[{"id":"\/","a":"\/"},{"b":"\/"},"\/"]"#, r#"[{"id":"\/","a":"/" },{"b":"/" },"/" ]"#),
        (r#"[[{"id":"\/"}],{"a":{"id":"\/"}}]"#, r#"[[{"id":"/" }],{"a":{"id":"/" }}]"#),
        (r#"[{"id":"\/"},[{"a":"\/"}]]"#, r#"[{"id":"\/"},[{"a":"/" }]]"#),
        (r#"[{"id":"\/"},"\/",["\/"],{"\/":"\/"}]"#, r#"[{"id":"\/"},"/" ,["/" ],{"/" :"/" }]"#),
    ];
    for (doc, expected) in cases {
        assert_eq!(normalised(doc), *expected, "{doc}");
    }
}

#[test]
fn spans_out_of_range_are_empty() {
    assert_eq!(Span::new(1, 3).of(b"abcd"), b"bc");
    assert_eq!(Span::new(1, 5).of(b"abcd"), b"");
    assert_eq!(Span::new(3, 1).of(b"abcd"), b"");
    assert_eq!(Span::new(usize::MAX, usize::MAX), Span { start: u32::MAX, end: u32::MAX });
}
