//! What `tools!` makes of methods: the table, and the dispatch.

use std::cell::Cell;

use serde_json::json;
use smol::future::{block_on, yield_now};

use super::tests_schema::rendered;
use super::*;
use crate::{args, tools};

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

/// What the tool says, or its error as it is told.
fn run(tool: usize, arguments: &str) -> Result<String, String> {
    let mut scratch = [0; 32];
    let mut call = Call::new(arguments.as_bytes(), &mut scratch);
    let board = Board { calls: Cell::new(0) };
    let result = block_on(board.call_tool(tool, &mut call));
    match result {
        Ok(_) => Ok(call.said),
        Err(error) => Err(error.told(call.arguments()).to_string()),
    }
}

#[test]
fn the_table() {
    let list = rendered(|w| {
        w.str("[");
        for (at, tool) in Board::TOOLS.iter().enumerate() {
            w.str(if at == 0 { "" } else { "," });
            tool.write(w);
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
    assert_eq!(run(0, &format!(r#"{{"on":true,"label":"{long}"}}"#)), Ok(format!("true None Some(\"{long}\")")));
    let error = run(0, &format!(r#"{{"on":true,"label":"\n{long}"}}"#)).unwrap_err();
    assert!(error.contains("too long for this server"), "{error}");
}

#[test]
fn methods_stay_methods() {
    let board = Board { calls: Cell::new(0) };
    let mut scratch = [];
    let mut call = Call::new(b"{}", &mut scratch);
    let _: Done = block_on(board.set_led(&mut call, SetLed { on: true, brightness: None, label: None })).unwrap();
    assert_eq!((board.calls.get(), &*call.said), (11, "true None None"));
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
    let mut scratch = [];
    let mut call = Call::new(b"{}", &mut scratch);
    let method = size_of_val(&board.set_led(&mut call, SetLed { on: true, brightness: None, label: None }));
    let dispatch = size_of_val(&board.call_tool(0, &mut call));
    assert!(size_of::<SetLed>() > 64 && dispatch <= method + 64, "{method} and {dispatch} bytes");
}
