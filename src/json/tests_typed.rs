//! Types from JSON and to JSON.

use core::cell::Cell;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Serialize, Serializer};

use super::tests_paths::{Nobody, scan};
use super::{Progress, TypedError, Writer, check, from_raw, write, write_on};

/// Scans and reads, as a call's arguments are.
fn read<T: DeserializeOwned>(doc: &str) -> Result<T, TypedError> {
    let mut bytes = doc.as_bytes().to_vec();
    scan(&mut bytes, &mut Nobody).expect(doc);
    from_raw(&bytes, &mut vec![0; doc.len()])
}

fn written<T: Serialize + ?Sized>(value: &T) -> Result<String, TypedError> {
    check(value)?;
    let text = pieces(|w| write(value, w).unwrap());
    assert!(super::validate(text.as_bytes()).is_ok(), "{text}");
    // The same, as a string holds it.
    let quoted = format!("\"{}\"", pieces(|w| _ = write_on(value, w, true, &Cell::new(Progress::START))));
    assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    Ok(text)
}

/// What `render` writes, whole; and that it is the same when it is written in pieces of any size.
fn pieces(render: impl Fn(&mut Writer<'_>)) -> String {
    let piece = |from: usize, size: usize| {
        let mut out = vec![0; size];
        let mut w = Writer::resume(&mut out, from);
        render(&mut w);
        let (written, complete) = (w.written(), w.is_complete());
        out.truncate(written);
        (out, complete)
    };
    let (whole, complete) = piece(0, 512);
    assert!(complete);
    for size in 1..=whole.len() {
        let mut joined = Vec::new();
        while joined.len() < whole.len() {
            let (part, complete) = piece(joined.len(), size);
            joined.extend(part);
            assert_eq!(complete, joined.len() == whole.len());
        }
        assert_eq!(joined, whole);
    }
    String::from_utf8(whole).unwrap()
}

type Short = heapless::String<16>;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Args {
    text: Short,
    #[serde(default)]
    level: Option<u8>,
    #[serde(default)]
    list: heapless::Vec<i16, 3>,
    #[serde(default)]
    ratio: f32,
    #[serde(default)]
    on: bool,
}

fn text(text: &str) -> Args {
    Args { text: Short::try_from(text).unwrap(), ..Args::default() }
}

#[test]
fn text_comes_decoded() {
    assert_eq!(read(r#"{"text":"\ud83d\ude00"}"#), Ok(text("😀")));
    assert_eq!(read(r#"{"text":"a\"b\\c\nd\u0000\/"}"#), Ok(text("a\"b\\c\nd\0/")));
    assert_eq!(read(r#"{"t\u0065xt":"\u00e9é"}"#), Ok(text("éé")));
    assert_eq!(read(r#"{"text":"0123456789abcdef"}"#), Ok(text("0123456789abcdef")));
    assert_eq!(read::<Args>(r#"{"text":"0123456789abcdefg"}"#), Err(TypedError::Mismatch));
    assert_eq!(
        read(
            r#" {"text" : "\u0078" , "unknown":["\u00e9\ud83d\ude00\n",{"a":[{}]},tRue]} "#
                .replace("tRue", "true")
                .as_str()
        ),
        Ok(text("x"))
    );
}

#[test]
fn values_are_held_to_their_types() {
    let full =
        Args { level: Some(7), list: heapless::Vec::from_slice(&[1, -2]).unwrap(), ratio: 0.5, on: true, ..text("x") };
    assert_eq!(read(r#"{"text":"x","level":7,"list":[1,-2],"ratio":0.5,"on":true}"#), Ok(full));
    assert_eq!(read(r#"{"text":"x","level":null}"#), Ok(text("x")));
    let wrong = [
        "{}",
        "[]",
        "null",
        r#"{"text":1}"#,
        r#"{"text":null}"#,
        r#"{"text":["x"]}"#,
        r#"{"text":"x","text":"y"}"#,
        r#"{"text":"x","level":256}"#,
        r#"{"text":"x","level":-1}"#,
        r#"{"text":"x","level":1.5}"#,
        r#"{"text":"x","level":"1"}"#,
        r#"{"text":"x","level":1e1}"#,
        r#"{"text":"x","list":[1,2,3,4]}"#,
        r#"{"text":"x","list":{}}"#,
        r#"{"text":"x","list":[32768]}"#,
        r#"{"text":"x","on":1}"#,
        r#"{"text":"x","on":"true"}"#,
        r#"{"text":"x","on":null}"#,
        r#"{"text":"x","ratio":null}"#,
        r#"{"text":"x","ratio":1e99}"#,
        r#"{"text":"x","ratio":"1"}"#,
        r#"{"text":"x","ratio":[]}"#,
    ];
    for doc in wrong {
        assert_eq!(read::<Args>(doc), Err(TypedError::Mismatch), "{doc}");
    }
}

#[test]
fn the_whole_input_is_read_and_nothing_else() {
    let mut scratch = [0; 8];
    assert_eq!(from_raw::<u8>(b" 7 ", &mut scratch), Ok(7));
    assert_eq!(from_raw::<u8>(b"7 8", &mut scratch), Err(TypedError::Mismatch));
    assert_eq!(from_raw::<u8>(b"", &mut scratch), Err(TypedError::Mismatch));
    assert_eq!(from_raw::<[u8; 2]>(b"[1,2,3]", &mut scratch), Err(TypedError::Mismatch));
    assert_eq!(from_raw::<[u8; 2]>(b"[1]", &mut scratch), Err(TypedError::Mismatch));
    assert_eq!(from_raw::<f64>(b"null", &mut scratch), Err(TypedError::Mismatch));
    assert_eq!(from_raw::<f64>(b"1e400", &mut scratch), Err(TypedError::Mismatch));
    assert_eq!(from_raw::<f64>(b"-1.5e2", &mut scratch), Ok(-150.0));
    assert_eq!(from_raw::<Option<f64>>(b"null", &mut scratch), Ok(None));
    assert_eq!(from_raw::<i64>(b"-9223372036854775808", &mut scratch), Ok(i64::MIN));
    assert_eq!(from_raw::<u64>(b"18446744073709551615", &mut scratch), Ok(u64::MAX));
}

#[test]
fn the_scratch_holds_strings_with_escapes_only() {
    assert_eq!(from_raw::<Short>(b"\"long enough\"", &mut []).as_deref(), Ok("long enough"));
    assert_eq!(from_raw::<Short>(b"\"ab\\n\"", &mut [0; 3]).as_deref(), Ok("ab\n"));
    assert_eq!(from_raw::<Short>(b"\"ab\\n\"", &mut [0; 2]), Err(TypedError::ScratchFull));
    assert_eq!(from_raw::<Args>(b"{\"text\":\"x\",\"other\":\"ab\\n\"}", &mut [0; 2]), Err(TypedError::ScratchFull));
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    None,
    Circle(u8),
    Square { side: u8, at: (i8, i8) },
}

#[derive(Debug, PartialEq, Deserialize)]
enum Tuple {
    Pair(u8, u8),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Args);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[test]
fn enums_and_wrappers_there_and_back() {
    fn both<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(value: &T, json: &str) {
        assert_eq!(written(value).as_deref(), Ok(json));
        assert_eq!(read::<T>(json).as_ref(), Ok(value), "{json}");
    }
    both(&Colour::Green, r#""green""#);
    both(&Shape::None, r#""None""#);
    both(&Shape::Circle(3), r#"{"Circle":3}"#);
    both(&Shape::Square { side: 2, at: (-1, 1) }, r#"{"Square":{"side":2,"at":[-1,1]}}"#);
    both(&Wrapped(text("é\"\n")), r#"{"text":"é\"\n","level":null,"list":[],"ratio":0.0,"on":false}"#);
    both(&Unit, "null");
    both(&(1_u8, -1_i64, true), "[1,-1,true]");
    both(&Some(Colour::Red), r#""red""#);
    both(&[[1_u64, 2], [3, u64::MAX]], "[[1,2],[3,18446744073709551615]]");
    both(&f64::MIN_POSITIVE, "2.2250738585072014e-308");
    assert_eq!(read(r#"{"Pair":[1,2]}"#), Ok(Tuple::Pair(1, 2)));
    assert_eq!(read::<Colour>(r#""blue""#), Err(TypedError::Mismatch));
    assert_eq!(read::<Shape>(r#"{"Circle":3,"None":null}"#), Err(TypedError::Mismatch));
    assert_eq!(written(&[f64::NAN]), Err(TypedError::Mismatch));
    assert_eq!(written(&(1, f32::INFINITY)), Err(TypedError::Mismatch));
    assert_eq!(written("\u{1f}\u{7f}/\\").as_deref(), Ok("\"\\u001f\u{7f}/\\\\\""));
    assert_eq!(written::<[u8]>(&[]).as_deref(), Ok("[]"));
}

#[test]
fn maps_have_keys_of_text() {
    type Named<K> = BTreeMap<K, u8>;
    let map: Named<String> = [("a\"".to_owned(), 1), ("é".to_owned(), 2)].into();
    assert_eq!(written(&map).as_deref(), Ok(r#"{"a\"":1,"é":2}"#));
    assert_eq!(read(r#"{"a\"":1,"\u00e9":2}"#), Ok(map));
    let colours: Named<Colour> = [(Colour::Red, 1), (Colour::Green, 2)].into();
    assert_eq!(written(&colours).as_deref(), Ok(r#"{"red":1,"green":2}"#));
    assert_eq!(read(r#"{"red":1,"green":2}"#), Ok(colours));
    assert_eq!(read::<Named<Short>>(r#"{"x":1}"#), Ok([(Short::try_from("x").unwrap(), 1)].into()));
    assert_eq!(read::<Named<char>>(r#"{"x":1}"#), Ok([('x', 1)].into()));
    assert_eq!(read::<BTreeMap<String, BTreeMap<String, u8>>>(r#"{"x":{"y":1}}"#).map(|map| map.len()), Ok(1));
    // What panics in serde-json-core, or makes no JSON of it.
    assert_eq!(read::<Named<u8>>(r#"{"1":1}"#), Err(TypedError::Mismatch));
    assert_eq!(read::<Named<bool>>(r#"{"true":1}"#), Err(TypedError::Mismatch));
    assert_eq!(read::<Named<()>>(r#"{"":1}"#), Err(TypedError::Mismatch));
    assert_eq!(read::<Named<Option<String>>>(r#"{"a":1}"#), Err(TypedError::Mismatch));
    assert_eq!(read::<Named<Vec<u8>>>(r#"{"a":1}"#), Err(TypedError::Mismatch));
    assert_eq!(read::<Named<(u8, u8)>>(r#"{"a":1}"#), Err(TypedError::Mismatch));
    assert_eq!(written(&Named::from([(1_u8, 1)])), Err(TypedError::Unsupported));
    assert_eq!(written(&Named::from([(true, 1)])), Err(TypedError::Unsupported));
    assert_eq!(written(&Named::from([((), 1)])), Err(TypedError::Unsupported));
    assert_eq!(written(&Named::from([(vec![1_u8], 1)])), Err(TypedError::Unsupported));
    assert_eq!(written(&Named::from([(None::<u8>, 1)])), Err(TypedError::Unsupported));
}

#[test]
fn shapes_that_have_no_form_are_errors() {
    #[derive(Serialize)]
    enum Odd {
        Pair(u8, u8),
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
    }
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("not today"))
        }
    }
    assert_eq!(written(&'x'), Err(TypedError::Unsupported));
    assert_eq!(written(&1_u128), Err(TypedError::Unsupported));
    assert_eq!(written(&1_i128), Err(TypedError::Unsupported));
    assert_eq!(written(&Odd::Pair(1, 2)), Err(TypedError::Unsupported));
    assert_eq!(written(&Refuses), Err(TypedError::Mismatch));
    // However deep they are.
    assert_eq!(written(&[(1, Some('x'))]), Err(TypedError::Unsupported));
    assert_eq!(written(&BTreeMap::from([("a", Odd::Pair(1, 2))])), Err(TypedError::Unsupported));
    assert_eq!(written(&BTreeMap::from([('a', 1)])), Err(TypedError::Unsupported));
    assert_eq!(written(&(1, [Refuses])), Err(TypedError::Mismatch));
    assert_eq!(read::<u128>("1"), Err(TypedError::Mismatch));
    assert_eq!(read::<i128>("1"), Err(TypedError::Mismatch));
    assert_eq!(read::<Untagged>("1"), Err(TypedError::Unsupported));
}

#[test]
fn json_is_embedded_when_it_is_json() {
    struct Json(&'static str);
    impl Serialize for Json {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0.as_bytes())
        }
    }
    struct Map;
    impl Serialize for Map {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("a", &Json(r#"{"b":[1]}"#))?;
            map.serialize_entry(&format_args!("{}\"", 1), &format_args!("{:?}", "c"))?;
            map.end()
        }
    }
    assert_eq!(written(&Map).as_deref(), Ok(r#"{"a":{"b":[1]},"1\"":"\"c\""}"#));
    assert_eq!(written(&[Json("1"), Json(" {\r\n  \"a\":\t\"\\n\"\n} ")]).as_deref(), Ok("[1,{\"a\":\t\"\\n\"}]"));
    assert_eq!(written(&Json("{")), Err(TypedError::Mismatch));
    assert_eq!(written(&Json("1,2")), Err(TypedError::Mismatch));
    assert_eq!(written(&BTreeMap::from([("a", Json(""))])), Err(TypedError::Mismatch));
}
