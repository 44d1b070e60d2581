//! What `args!` tells about its types: the rendered JSON Schema.

use serde_json::{Value, json};

use super::*;
use crate::json::Writer;

/// The JSON that `write` renders; that it is the same when it is rendered in parts.
pub(super) fn rendered(write: impl Fn(&mut Writer<'_>)) -> Value {
    let mut buffer = [0; 8192];
    let mut w = Writer::new(&mut buffer);
    write(&mut w);
    assert!(w.is_complete());
    let written = w.written();
    let whole = &buffer[..written];
    let mut parts = Vec::new();
    while parts.len() < whole.len() {
        let mut part = [0; 7];
        let mut w = Writer::resume(&mut part, parts.len());
        write(&mut w);
        let written = w.written();
        parts.extend_from_slice(&part[..written]);
    }
    assert_eq!(parts, whole);
    serde_json::from_slice(whole).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(whole)))
}

fn schema<T: Arg<'static>>() -> Value {
    rendered(|w| T::SCHEMA.write(w))
}

#[test]
fn scalars() {
    assert_eq!(schema::<bool>(), json!({"type": "boolean"}));
    assert_eq!(schema::<u8>(), json!({"type": "integer", "minimum": 0, "maximum": 255}));
    assert_eq!(schema::<i8>(), json!({"type": "integer", "minimum": -128, "maximum": 127}));
    assert_eq!(schema::<u16>(), json!({"type": "integer", "minimum": 0, "maximum": 65535}));
    assert_eq!(schema::<i16>(), json!({"type": "integer", "minimum": -32768, "maximum": 32767}));
    assert_eq!(schema::<u32>(), json!({"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32}));
    assert_eq!(schema::<i32>(), json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}));
    assert_eq!(schema::<u64>(), json!({"type": "integer", "minimum": 0}));
    assert_eq!(schema::<i64>(), json!({"type": "integer"}));
    assert_eq!(schema::<f32>(), json!({"type": "number"}));
    assert_eq!(schema::<f64>(), json!({"type": "number"}));
    assert_eq!(schema::<Option<bool>>(), json!({"type": "boolean"}));
    const { assert!(bool::REQUIRED && !<Option<bool>>::REQUIRED) };
}

#[test]
fn texts_and_arrays() {
    assert_eq!(schema::<heapless::String<20>>(), json!({"type": "string", "maxLength": 20}));
    assert_eq!(schema::<String>(), json!({"type": "string", "maxLength": 1024}));
    assert_eq!(schema::<Vec<bool>>(), json!({"type": "array", "items": {"type": "boolean"}, "maxItems": 64}));
    assert_eq!(
        schema::<heapless::Vec<heapless::String<8>, 4>>(),
        json!({"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 4})
    );
}

const SERVO_MAX: u8 = 180;
const NAME_LEN_MAX: usize = 20;

crate::args! {
    /// Not told.
    #[expect(dead_code, reason = "only its schema is used")]
    struct Everything {
        /// Says "hello\" and \n.
        ///
        #[doc = "   Indented\twith a tab; ümlaut."]
        quoted: bool,
        #[doc = "By attribute."]
        #[range(0..=SERVO_MAX)]
        servo: u8,
        #[range(-1..=1)]
        signed: Option<i64>,
        #[range(0.1..=99.5)]
        float: f32,
        #[range(f64::MIN..=0.5)]
        pub(crate) open: f64,
        #[len(1..=NAME_LEN_MAX)]
        name: heapless::String<NAME_LEN_MAX>,
        #[len(2..=3)]
        list: Option<Vec<Inner>>,
        r#type: Mode,
        /// How fast.
        mode: Option<Mode>,
        plain: Plain,
    }

    struct Inner {}

    #[derive(Default)]
    enum Mode {
        /// "Slow" fade.
        #[default]
        Slow,
        VeryFast,
        /// In one step.
        #[name("1/s")]
        Once,
    }

    #[expect(clippy::upper_case_acronyms, reason = "to see what becomes of it")]
    enum Plain { A, B1, LED }
}

#[test]
fn a_struct() {
    assert_eq!(schema::<Inner>(), json!({"type": "object", "additionalProperties": false}));
    let modes = "`slow`: \"Slow\" fade.\n`1/s`: In one step.";
    assert_eq!(
        schema::<Everything>(),
        json!({
            "type": "object",
            "properties": {
                "quoted": {"type": "boolean", "description": "Says \"hello\\\" and \\n.\n\n  Indented\twith a tab; ümlaut."},
                "servo": {"type": "integer", "description": "By attribute.", "minimum": 0, "maximum": 180},
                "signed": {"type": "integer", "minimum": -1, "maximum": 1},
                "float": {"type": "number", "minimum": 0.1, "maximum": 99.5},
                "open": {"type": "number", "maximum": 0.5},
                "name": {"type": "string", "minLength": 1, "maxLength": 20},
                "list": {
                    "type": "array", "items": {"type": "object", "additionalProperties": false}, "minItems": 2, "maxItems": 3
                },
                "type": {"type": "string", "description": modes, "enum": ["slow", "very_fast", "1/s"]},
                "mode": {"type": "string", "description": format!("How fast.\n{modes}"), "enum": ["slow", "very_fast", "1/s"]},
                "plain": {"type": "string", "enum": ["a", "b1", "l_e_d"]},
            },
            "required": ["quoted", "servo", "float", "open", "name", "type", "plain"],
            "additionalProperties": false,
        })
    );
}

#[test]
fn the_order_is_that_of_the_declaration() {
    let mut buffer = [0; 4096];
    let mut w = Writer::new(&mut buffer);
    Everything::SCHEMA.write(&mut w);
    let text = std::str::from_utf8(&buffer).unwrap();
    let at = |name: &str| text.find(&format!("\"{name}\":")).unwrap();
    assert!(at("quoted") < at("servo") && at("servo") < at("signed") && at("mode") < at("plain"));
}

#[test]
fn verbatim() {
    const BY_HAND: Schema = Schema::Verbatim(r#"{"type":"object","properties":{"any":{}}}"#);
    assert_eq!(rendered(|w| BY_HAND.write(w)), json!({"type": "object", "properties": {"any": {}}}));
    assert!(BY_HAND.is_object());
}

#[test]
fn depth() {
    assert_eq!(bool::SCHEMA.depth(), 0);
    assert_eq!(Inner::SCHEMA.depth(), 1);
    assert_eq!(Everything::SCHEMA.depth(), 3);
    assert_eq!(Vec::<Option<Vec<u8>>>::SCHEMA.depth(), 2);
}

/// The names that are told are those that serde reads.
#[test]
fn variants_are_read_by_their_names() {
    let read = |name: &str| serde_json::from_value::<Plain>(json!(name));
    assert_eq!((read("a").unwrap(), read("b1").unwrap(), read("l_e_d").unwrap()), (Plain::A, Plain::B1, Plain::LED));
    let read = |name: &str| serde_json::from_value::<Mode>(json!(name)).unwrap();
    assert_eq!((read("slow"), read("very_fast"), read("1/s")), (Mode::default(), Mode::VeryFast, Mode::Once));
}
