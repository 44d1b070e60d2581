//! What a result can hold, through every size of buffer.

use core::cell::RefCell;
use core::future::Future as _;
use core::pin::pin;
use core::task::{Context as Polling, Poll, Waker};

use serde_json::{Value, json};

use super::tests_schema::rendered;
use super::*;
use crate::http::{Framing, ResponseHead, Status};
use crate::outlet::{Out, Outlet};
use crate::rpc::{Envelope, KeptRequests, Request};
use crate::{Revision, args, output, tools};

output! {
    struct Reading {
        /// In degrees.
        degrees: f32,
        /// Where.
        #[len(0..=4)]
        place: String,
        sky: Sky,
        remark: Option<heapless::String<8>>,
        history: Vec<Past>,
        #[len(1..=2)]
        limited: heapless::Vec<u64, 3>,
    }

    struct Past {
        hours: u8,
        degrees: Option<f64>,
    }

    enum Sky {
        Clear,
        #[name("half/half")]
        Half,
    }
}

args! {
    struct Where {
        /// Which region.
        #[header("Region")]
        region: String,
        #[range(0..=9)]
        #[header("X-Level")]
        level: Option<u8>,
        sky: Option<Sky>,
    }
}

/// Read by hand, and by a schema of its own.
#[derive(serde::Deserialize)]
struct ByHand {
    a: Option<u8>,
}

const FREE: &str = r##"
    {
        "type": "object",
        "$defs": { "a": { "type": "integer" } },
        "properties": { "a": { "$ref": "#/$defs/a" }, "text": { "const": "  two  spaces " } }
    }
"##;

struct Station;

tools! {
    impl Station {
        /// Read.
        #[read_only]
        #[icon("data:image/png;base64,AA==", "image/png", "1x1", "any")]
        #[icon("https://localhost/i.svg")]
        #[meta(r#"{ "com.example/x": [1,
            2] }"#)]
        async fn read(&self, call: &mut Call<'_>, args: Where) -> Result<Reading, ToolError> {
            if args.level == Some(9) {
                Err("no sensor")?;
            }
            call.write("before").await;
            let remark = args.level.map(|_| "\"ü\n\"".try_into().unwrap_or_default());
            let history = vec![Past { hours: 1, degrees: None }, Past { hours: 2, degrees: Some(-0.5) }];
            let degrees = if args.level == Some(8) { f32::NAN } else { 21.5 };
            let sky = args.sky.unwrap_or(Sky::Half);
            let limited = heapless::Vec::from_array([u64::MAX]);
            Ok(Reading { degrees, place: args.region, sky, remark, history, limited })
        }

        /// Typed by hand.
        #[additive]
        #[input_schema(FREE)]
        async fn typed(&self, call: &mut Call<'_>, args: ByHand) -> ToolResult {
            call.reply(format_args!("{:?}", args.a)).await
        }

        /// Raw.
        #[additive]
        #[input_schema(r#"{"type":"object"}"#)]
        async fn raw(&self, call: &mut Call<'_>) -> ToolResult {
            let arguments = call.arguments_json();
            call.text(arguments).await
        }

        /// All kinds.
        #[read_only]
        async fn kinds(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("te").await;
            call.image("image/png", b"\x00\xff\x10\x83").await;
            call.audio("audio/wav", Data::Base64("UklGRg==")).await;
            call.print(format_args!("{}", "xt")).await;
            call.resource_link(ResourceLink::new("file:///a\"b", "a")).await;
            let link = ResourceLink::new("file:///c", "c").title("C").description("see").mime("text/plain").size(7);
            call.resource_link(link).await;
            call.embedded_text("test://t", "text/plain", "line\n\"two\"").await;
            call.embedded_blob("test://b", "image/gif", &vec![1, 2, 3, 4, 5]).await;
            let mut audio = call.begin_audio("audio/mpeg").await;
            for byte in 0..=100 {
                audio.write(&[byte]).await;
            }
            audio.write(&[]).await;
            audio.write(&[101; 1000]).await;
            call.begin_embedded_text("test://p", "text/x").await;
            call.write("a").await;
            call.write("b").await;
            call.end_block().await;
            call.image("image/png", &[] as &[u8]).await;
            call.begin_image("image/open").await.write(b"left open").await;
            call.done().await
        }

        /// Fails behind a part of a picture.
        #[read_only]
        async fn fails(&self, call: &mut Call<'_>) -> ToolResult {
            let mut image = call.begin_image("image/png").await;
            image.write(&[7; 5]).await;
            Err("lost")?
        }
    }
}

/// A table by hand that breaks its promise.
struct Broken;

impl Tools for Broken {
    const TOOLS: &'static [Tool] = &[Tool { output: Some(&Reading::OUTPUT), ..Station::TOOLS[3] }];

    async fn call_tool(&self, _: usize, call: &mut Call<'_>) -> ToolResult {
        call.text("no structure").await
    }
}

/// An application that has tools only.
fn app<A: Tools>(tools: A) -> App<A> {
    App::new(tools)
}

/// The result of a call, taken in pieces of at most `most` bytes out of a buffer of so many.
fn called(
    app: &impl Application,
    tool: usize,
    arguments: &str,
    revision: Revision,
    (bytes, most): (usize, usize),
) -> Value {
    let doc = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"arguments":{arguments}}}}}"#);
    let mut doc = doc.into_bytes();
    let mut envelope = Envelope::default();
    envelope.scan(&mut doc, &mut KeptRequests::new()).unwrap();
    let request = Request { doc: &doc, envelope: &envelope, revision };
    let mut buf = vec![0; bytes];
    let mut outlet = Outlet::new(&mut buf, ResponseHead::new(Status::OK, Framing::None), false);
    outlet.set_http10();
    let outlet = RefCell::new(outlet);
    let identity = Identity { name: "t".into(), version: "1".into(), public: true.into(), ..Identity::default() };
    let context = &Context::NONE;
    let out = Out::new(&outlet);
    let mut sent = Vec::new();
    {
        let mut answer = pin!(crate::mcp::tools::call(app, out, &request, tool, &identity, context));
        let mut polled = Poll::Pending;
        while !outlet.borrow().is_done() {
            if polled.is_pending() {
                polled = answer.as_mut().poll(&mut Polling::from_waker(Waker::noop()));
                if polled.is_ready() {
                    outlet.borrow_mut().finish();
                }
            }
            let mut outlet = outlet.borrow_mut();
            let pending = outlet.pending();
            let taken = pending.len().min(most);
            sent.extend_from_slice(&pending[..taken]);
            outlet.sent(taken);
        }
    }
    let sent = String::from_utf8(sent).unwrap();
    let body = sent.split_once("\r\n\r\n").unwrap().1;
    let mut answer: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    answer["result"].take()
}

const SIZES: [(usize, usize); 7] = [
    (Outlet::BYTES_MIN, usize::MAX),
    (Outlet::BYTES_MIN - 2048 + 6, 1),
    (Outlet::BYTES_MIN - 2048 + 7, 3),
    (Outlet::BYTES_MIN - 2048 + 8, usize::MAX),
    (Outlet::BYTES_MIN - 2048 + 9, usize::MAX),
    (Outlet::BYTES_MIN - 2048 + 64, 5),
    (16 * 1024, usize::MAX),
];

/// The same for each size of buffer and of write.
fn result(app: &impl Application, tool: usize, arguments: &str, revision: Revision) -> Value {
    let whole = called(app, tool, arguments, revision, SIZES[6]);
    for size in SIZES {
        assert_eq!(called(app, tool, arguments, revision, size), whole, "{size:?}");
    }
    whole
}

#[test]
fn every_kind_of_content_in_its_order() {
    let result = result(&app(Station), 3, "{}", Revision::V2025_11_25);
    let pieces: Vec<u8> = (0..=100).chain([101; 1000]).collect();
    let mut encoded = vec![0; 2000];
    let (_, length) = crate::json::base64_into(&pieces, &mut encoded);
    let encoded = str::from_utf8(&encoded[..length]).unwrap();
    let resource = |member: &str, uri: &str, mime: &str, data: &str| json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime, member: data}});
    let expected = json!({
        "content": [
            {"type": "text", "text": "te"},
            {"type": "image", "mimeType": "image/png", "data": "AP8Qgw=="},
            {"type": "audio", "mimeType": "audio/wav", "data": "UklGRg=="},
            {"type": "text", "text": "xt"},
            {"type": "resource_link", "uri": "file:///a\"b", "name": "a"},
            {
                "type": "resource_link", "uri": "file:///c", "name": "c", "title": "C", "description": "see",
                "mimeType": "text/plain", "size": 7,
            },
            resource("text", "test://t", "text/plain", "line\n\"two\""),
            resource("blob", "test://b", "image/gif", "AQIDBAU="),
            {"type": "audio", "mimeType": "audio/mpeg", "data": encoded},
            resource("text", "test://p", "text/x", "ab"),
            {"type": "image", "mimeType": "image/png", "data": ""},
            {"type": "image", "mimeType": "image/open", "data": "bGVmdCBvcGVu"},
        ],
        "isError": false,
    });
    assert_eq!(result, expected);
}

#[test]
fn older_clients_get_what_they_know() {
    let result = result(&app(Station), 3, "{}", Revision::V2024_11_05);
    let kinds: Vec<&str> =
        result["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
    let known = [
        "text", "image", "resource", "text", "text", "text", "resource", "resource", "resource", "resource", "image",
        "image",
    ];
    assert_eq!(kinds, known);
    assert_eq!(result["content"][4]["text"], "a: file:///a\"b");
    assert_eq!(result["content"][5]["text"], "C: file:///c");
    let audio = json!({"uri": "content://audio", "mimeType": "audio/wav", "blob": "UklGRg=="});
    assert_eq!(result["content"][2]["resource"], audio);
}

#[test]
fn a_typed_result_is_text_and_structure() {
    let structured = |result: &Value| {
        let text: Value = serde_json::from_str(result["content"][1]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, result["structuredContent"]);
        assert_eq!((&result["content"][0]["text"], &result["isError"]), (&json!("before"), &json!(false)));
        text
    };
    let plain = result(&app(Station), 0, r#"{"region":"a place of more than four letters, ü"}"#, Revision::V2025_06_18);
    let history = json!([{"hours": 1}, {"hours": 2, "degrees": -0.5}]);
    let place = "a place of more than four letters, ü";
    assert_eq!(
        structured(&plain),
        json!({"degrees": 21.5, "place": place, "sky": "half/half", "history": history, "limited": [u64::MAX]})
    );
    let full = result(&app(Station), 0, r#"{"region":"x","level":1,"sky":"clear"}"#, Revision::V2026_07_28);
    assert_eq!(
        structured(&full),
        json!({
            "degrees": 21.5, "place": "x", "sky": "clear", "remark": "\"ü\n\"", "history": history, "limited": [u64::MAX]
        })
    );
    assert_eq!(full["resultType"], "complete");
    assert!(full["_meta"].is_object());
}

#[test]
fn what_can_not_be_told_is_an_error() {
    let error = |app: &dyn Fn() -> Value| {
        let result = app();
        assert_eq!(result["isError"], true);
        assert_eq!(result.get("structuredContent"), None);
        assert_eq!(result["content"].as_array().unwrap().len(), 1, "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let station = |tool, arguments| called(&app(Station), tool, arguments, Revision::V2025_11_25, SIZES[0]);
    assert_eq!(error(&|| station(0, r#"{"region":"x","level":9}"#)), "no sensor");
    let nan = error(&|| station(0, r#"{"region":"x","level":8}"#));
    assert!(nan.contains("infinite or none"), "{nan}");
    assert_eq!(error(&|| station(0, "{}")), "missing argument `region`: Which region.");
    assert_eq!(error(&|| station(4, "{}")), "lost");
    let broken = error(&|| called(&app(Broken), 0, "{}", Revision::V2025_11_25, SIZES[0]));
    assert!(broken.contains("output schema"), "{broken}");
    // What was sent already stays, whole.
    let late = called(&app(Station), 4, "{}", Revision::V2025_11_25, SIZES[1]);
    let content =
        json!([{"type": "image", "mimeType": "image/png", "data": "BwcHBwc="}, {"type": "text", "text": "lost"}]);
    assert_eq!((&late["content"], &late["isError"]), (&content, &json!(true)));
}

#[test]
fn arguments_by_hand() {
    let text = |tool, arguments| {
        let result = called(&app(Station), tool, arguments, Revision::V2025_11_25, SIZES[0]);
        (result["content"][0]["text"].as_str().unwrap().to_owned(), result["isError"] == true)
    };
    assert_eq!(text(1, r#"{"a":7,"other":[1]}"#), ("Some(7)".into(), false));
    assert_eq!(text(1, "{}"), ("None".into(), false));
    assert_eq!(text(1, r#"{"a":"x"}"#), ("the arguments do not fit the tool's type".into(), true));
    assert_eq!(text(1, "[]"), ("arguments: expected an object, got []".into(), true));
    // The scanner left blanks where it shortened an escape.
    assert_eq!(text(2, r#"{"any": ["\u00e9"]}"#), (r#"{"any": ["é"    ]}"#.into(), false));
    assert_eq!(text(2, "7"), ("arguments: expected an object, got 7".into(), true));
}

#[test]
fn the_table() {
    let tool = |at: usize| rendered(|w| Station::TOOLS[at].write(w));
    let (read, typed) = (tool(0), tool(1));
    let none = json!({"type": "integer", "minimum": 0, "maximum": 255});
    assert_eq!(
        read["outputSchema"],
        json!({
            "type": "object",
            "properties": {
                "degrees": {"type": "number", "description": "In degrees."},
                "place": {"type": "string", "description": "Where."},
                "sky": {"type": "string", "enum": ["clear", "half/half"]},
                "remark": {"type": "string", "maxLength": 8},
                "history": {
                    "type": "array",
                    "items": {
                        "type": "object", "properties": {"hours": none, "degrees": {"type": "number"}}, "required": ["hours"],
                        "additionalProperties": false,
                    },
                },
                "limited": {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": 3},
            },
            "required": ["degrees", "place", "sky", "history", "limited"],
            "additionalProperties": false,
        })
    );
    let properties = &read["inputSchema"]["properties"];
    assert_eq!(properties["region"]["x-mcp-header"], "Region");
    assert_eq!(properties["level"], json!({"type": "integer", "minimum": 0, "maximum": 9, "x-mcp-header": "X-Level"}));
    assert_eq!(properties["sky"].get("x-mcp-header"), None);
    assert_eq!(
        read["icons"],
        json!([
            {"src": "data:image/png;base64,AA==", "mimeType": "image/png", "sizes": ["1x1", "any"]},
            {"src": "https://localhost/i.svg"},
        ])
    );
    assert_eq!(read["_meta"], json!({"com.example/x": [1, 2]}));
    assert_eq!(typed["inputSchema"], serde_json::from_str::<Value>(FREE).unwrap());
    assert!(["outputSchema", "icons", "_meta"].iter().all(|member| typed.get(member).is_none()));
    // An event has no line breaks.
    let mut buffer = [0; 4096];
    let mut w = crate::json::Writer::new(&mut buffer);
    for tool in Station::TOOLS {
        tool.write(&mut w);
    }
    assert!(w.is_complete() && !buffer.contains(&b'\n'));
}
