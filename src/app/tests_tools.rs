//! What `tools!` makes of methods: the table, and the dispatch.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::Poll;

use serde_json::json;

use super::tests_schema::rendered;
use super::*;
use crate::http::{Framing, ResponseHead, Status};
use crate::outlet::{Out, Outlet};
use crate::rpc::{Envelope, KeptRequests, Request};
use crate::{args, block_on, tools};

/// Pending once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if core::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

args! {
    struct SetLed {
        /// Whether the LED is lit.
        on: bool,
        brightness: Option<u8>,
        label: Option<heapless::String<64>>,
    }

    struct Nothing {}
}

struct Board {
    calls: Cell<u32>,
}

tools! {
    impl Board {
        /// Turn the LED on or off.
        ///
        /// It's "the" LED.
        #[idempotent]
        async fn set_led(&self, call: &mut Call<'_>, args: SetLed) -> ToolResult {
            self.calls.set(self.calls.get() + 1);
            let calls = &self.calls;
            yield_now().await;
            calls.set(calls.get() + 10);
            let text = format!("{} {:?} {:?}", args.on, args.brightness, args.label);
            call.text(&text).await
        }

        #[read_only]
        /// Read the temperature.
        #[title("Temperature")]
        #[allow(clippy::unused_async)]
        pub(crate) async fn temperature(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("21 °C").await
        }

        /// Forget everything.
        #[name("factory.reset-now")]
        #[destructive]
        #[idempotent]
        #[open_world]
        async fn reset(&self, _: &mut Call<'_>, _args: Nothing,) -> ToolResult {
            yield_now().await;
            Err("not today")?
        }

        /// Count.
        #[additive]
        async fn r#move(&self, call: &mut Call<'_>) -> Result<Done, ToolError> {
            call.text("1").await
        }

        /// Drop.
        #[destructive]
        async fn drop_all(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("0").await
        }

        /// Add once.
        #[additive]
        #[idempotent]
        async fn add_once(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("2").await
        }
    }
}

struct Idle;

tools! {
    impl Idle {}
}

/// Makes a call with these arguments, and gives what is written of its answer.
fn called<T>(arguments: &str, look: impl FnOnce(&mut Call<'_>) -> T) -> (T, serde_json::Value) {
    called_in(Outlet::BYTES_MIN, arguments, look)
}

/// The same, with a transmit buffer of so many bytes.
fn called_in<T>(bytes: usize, arguments: &str, look: impl FnOnce(&mut Call<'_>) -> T) -> (T, serde_json::Value) {
    let doc = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"arguments":{arguments}}}}}"#);
    let mut doc = doc.into_bytes();
    let mut envelope = Envelope::default();
    envelope.scan(&mut doc, &mut KeptRequests::new()).unwrap();
    let request = Request { doc: &doc, envelope: &envelope, revision: crate::Revision::V2025_11_25 };
    let mut buf = vec![0; bytes];
    let outlet = RefCell::new(Outlet::new(&mut buf, ResponseHead::new(Status::OK, Framing::None), false));
    let mut call = Call::new(Out::new(&outlet), &request, &Context::NONE);
    let looked = look(&mut call);
    let mut outlet = outlet.borrow_mut();
    outlet.finish();
    let answer = String::from_utf8(outlet.pending().to_vec()).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (looked, serde_json::from_str(&body).unwrap_or_default())
}

/// What the tool says, or its error as it is told.
fn run(tool: usize, arguments: &str) -> Result<String, String> {
    let board = Board { calls: Cell::new(0) };
    let ((), answer) = called(arguments, |call| {
        block_on(async {
            let result = board.call_tool(tool, call).await;
            call.close(Ok(result), None).await;
        });
    });
    let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    if answer["result"]["isError"] == true { Err(text) } else { Ok(text) }
}

#[test]
fn what_is_not_offered_is_not_listed() {
    let (count, all) = (Board::TOOLS.len(), Listed::of(Board::TOOLS, |_| true));
    for offered in 0..1_usize << count {
        let is_offered = |at| offered >> at & 1 == 1;
        let listed = Listed::of(Board::TOOLS, is_offered);
        for at in 0..=count {
            assert_eq!(listed.entry(at), all.entry(at).filter(|_| is_offered(at)), "{at} of {offered:b}");
        }
        assert_eq!(listed.is_empty(), offered == 0);
    }
    let bytes: usize = (0..count).map(|at| all.entry(at).unwrap().len()).sum();
    assert_eq!(Listed::bytes_max(Board::TOOLS), bytes + count * size_of::<usize>());
}

#[test]
fn the_table() {
    let listed = Listed::of(Board::TOOLS, |_| true);
    let list = rendered(|w| {
        w.str("[");
        for at in 0..Board::TOOLS.len() {
            w.str(if at == 0 { "" } else { "," }).raw(listed.entry(at).unwrap());
        }
        w.str("]");
    });
    let none = json!({"type": "object", "additionalProperties": false});
    let hints = |read_only: bool, destructive: bool, idempotent: bool, open_world: bool| {
        json!({
            "readOnlyHint": read_only, "destructiveHint": destructive, "idempotentHint": idempotent, "openWorldHint": open_world
        })
    };
    let mut titled = hints(true, false, true, false);
    titled["title"] = json!("Temperature");
    assert_eq!(
        list,
        json!([
            {
                "name": "set_led",
                "description": "Turn the LED on or off.\n\nIt's \"the\" LED.",
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "on": {"type": "boolean", "description": "Whether the LED is lit."},
                        "brightness": {"type": "integer", "minimum": 0, "maximum": 255},
                        "label": {"type": "string", "maxLength": 64},
                    },
                    "required": ["on"],
                    "additionalProperties": false,
                },
                "annotations": hints(false, false, true, false),
            },
            {
                "name": "temperature", "title": "Temperature", "description": "Read the temperature.", "inputSchema": none,
                "annotations": titled,
            },
            {
                "name": "factory.reset-now", "description": "Forget everything.", "inputSchema": none,
                "annotations": hints(false, true, true, true),
            },
            {"name": "move", "description": "Count.", "inputSchema": none, "annotations": hints(false, false, false, false)},
            {"name": "drop_all", "description": "Drop.", "inputSchema": none, "annotations": hints(false, true, false, false)},
            {"name": "add_once", "description": "Add once.", "inputSchema": none, "annotations": hints(false, false, true, false)},
        ])
    );
    assert!(Idle::TOOLS.is_empty());
}

#[test]
fn the_dispatch() {
    assert_eq!(run(0, r#"{"on":true}"#), Ok("true None None".into()));
    assert_eq!(
        run(0, r#"{"label":"a\n\"b\"","on":false,"brightness":9}"#),
        Ok("false Some(9) Some(\"a\\n\\\"b\\\"\")".into())
    );
    assert_eq!(run(1, "{}"), Ok("21 °C".into()));
    assert_eq!(run(2, "{}"), Err("not today".into()));
    assert_eq!(run(3, "{ }"), Ok("1".into()));
    assert_eq!(run(5, "{}"), Ok("2".into()));
    assert_eq!(run(6, "{}"), Err("no such tool".into()));
    assert_eq!(run(usize::MAX, "{}"), Err("no such tool".into()));
}

#[test]
fn a_wrong_argument_never_reaches_the_tool() {
    assert_eq!(run(0, "{}"), Err("missing argument `on`: Whether the LED is lit.".into()));
    assert_eq!(
        run(0, r#"{"on":true,"brightness":300}"#),
        Err("argument `brightness`: expected an integer from 0 to 255, got 300".into())
    );
    assert_eq!(run(1, r#"{"unit":"K"}"#), Err("unknown argument `unit`: expected none".into()));
    assert_eq!(run(2, r#"{"x":"K"}"#), Err("unknown argument `x`: expected none".into()));
    assert_eq!(run(0, "[]"), Err("arguments: expected an object, got []".into()));
}

#[test]
fn a_text_that_does_not_fit_the_scratch_buffer_is_an_error() {
    let long = "x".repeat(40);
    let scratch_of_32 = Outlet::BYTES_MIN - 2048 + 32;
    let parsed = |label: &str| {
        let arguments = format!(r#"{{"on":true,"label":"{label}{long}"}}"#);
        called_in(scratch_of_32, &arguments, |call| private::parse::<SetLed>(call).map(|led| led.label)).0
    };
    assert_eq!(parsed("").unwrap().as_deref(), Some(&*long));
    let error = parsed("\\n").unwrap_err().to_string();
    assert!(error.contains("too long for this server"), "{error}");
}

#[test]
fn methods_stay_methods() {
    let board = Board { calls: Cell::new(0) };
    let led = SetLed { on: true, brightness: None, label: None };
    let (result, _) = called("{}", |call| block_on(board.set_led(call, led)));
    let _: Done = result.unwrap();
    assert_eq!(board.calls.get(), 11);
}

#[test]
fn names_of_tools() {
    use super::mark::is_tool_name;
    for good in ["a", "A.b-c_9", &"x".repeat(64)] {
        assert!(is_tool_name(good), "{good}");
    }
    for bad in ["", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
        assert!(!is_tool_name(bad), "{bad}");
    }
}

#[test]
fn effects_must_be_said_once() {
    use super::mark::{Mark, annotations};
    let says = |marks: &[Mark]| annotations(marks).is_some();
    assert!(!says(&[]));
    assert!(!says(&[Mark::Doc("x"), Mark::OpenWorld, Mark::Title("t")]));
    for one in [Mark::ReadOnly, Mark::Additive, Mark::Destructive, Mark::Idempotent] {
        assert!(says(&[one]), "{one:?}");
    }
    assert!(says(&[Mark::Destructive, Mark::Idempotent]) && says(&[Mark::Idempotent, Mark::Additive]));
    assert!(!says(&[Mark::ReadOnly, Mark::Destructive]) && !says(&[Mark::ReadOnly, Mark::Idempotent]));
    assert!(!says(&[Mark::Additive, Mark::Destructive]));
}
/// The future of a call has the method's future in it, and little else: no second copy of the arguments.
#[test]
fn the_dispatch_costs_little() {
    let board = Board { calls: Cell::new(0) };
    let led = || SetLed { on: true, brightness: None, label: None };
    let (method, _) = called("{}", |call| size_of_val(&board.set_led(call, led())));
    let (dispatch, _) = called("{}", |call| size_of_val(&board.call_tool(0, call)));
    assert!(size_of::<SetLed>() > 64 && dispatch <= method + 64, "{method} and {dispatch} bytes");
}
