//! A value that is written in pieces, of any size: the same as at once, and for about the same work.

use core::cell::Cell;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{Progress, Writer, check, write, write_on};

#[derive(Serialize)]
struct Deep {
    name: String,
    next: Option<Box<Deep>>,
    after: [u8; 2],
}

#[derive(Serialize)]
enum Shape {
    Unit,
    New(Vec<&'static str>),
    Struct { a: f64, text: String },
}

#[derive(Serialize)]
struct All {
    numbers: Vec<i32>,
    texts: Vec<String>,
    map: BTreeMap<&'static str, Vec<Option<bool>>>,
    shapes: Vec<Shape>,
    deep: Deep,
    tuple: (u8, &'static str, ()),
    shown: Shown,
    last: String,
}

/// Formats itself as a text.
struct Shown;

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} \"{}\"", "shown", 7))
    }
}

fn deep(levels: usize) -> Deep {
    let next = (levels > 0).then(|| Box::new(deep(levels - 1)));
    Deep { name: format!("level \"{levels}\""), next, after: [1, 2] }
}

/// Of each kind of value one; its long texts are that many times as long as they might be.
fn all(times: usize) -> All {
    All {
        numbers: (-30..30).collect(),
        texts: (0..5).map(|n| "long \"text\" \\ \n\u{e4}\u{1F600} ".repeat(n * times)).collect(),
        map: BTreeMap::from([
            ("first", vec![None, Some(true)]),
            ("other \"one\"", vec![]),
            ("third", vec![Some(false); 9]),
        ]),
        shapes: vec![
            Shape::Unit,
            Shape::New(vec!["a", "b\n"]),
            Shape::Struct { a: 0.5, text: "x\"".repeat(12 * times) },
            Shape::Unit,
        ],
        deep: deep(12),
        tuple: (7, "seven", ()),
        shown: Shown,
        last: "z".repeat(80 * times),
    }
}

fn whole(value: &impl Serialize, quoted: bool) -> Vec<u8> {
    let mut buf = vec![0; 1 << 20];
    let mut w = Writer::new(&mut buf);
    if quoted {
        write_on(value, &mut w, true, &Cell::new(Progress::START)).unwrap();
    } else {
        write(value, &mut w).unwrap();
    }
    assert!(w.is_complete());
    let written = w.written();
    buf.truncate(written);
    buf
}

fn in_pieces(value: &impl Serialize, quoted: bool, mut room: impl FnMut() -> usize) -> Vec<u8> {
    let (mut text, progress) = (Vec::new(), Cell::new(Progress::START));
    loop {
        let mut buf = vec![0; room()];
        let mut w = Writer::resume(&mut buf, text.len());
        let _ = write_on(value, &mut w, quoted, &progress);
        let (written, complete) = (w.written(), w.is_complete());
        text.extend(&buf[..written]);
        if complete {
            return text;
        }
    }
}

#[test]
fn pieces_of_every_size_make_the_whole() {
    // Each piece looks at all that was before it: what goes out in the smallest is shorter.
    let (small, large): (Vec<usize>, _) = ((1..12).collect(), vec![100, 1000, 1023, 1024, 1025, 4096, 20_000]);
    for (value, sizes) in [(all(6), small), (all(60), large)] {
        check(&value).unwrap();
        for quoted in [false, true] {
            let whole = whole(&value, quoted);
            for &size in &sizes {
                assert!(in_pieces(&value, quoted, || size) == whole, "pieces of {size}, quoted: {quoted}");
            }
        }
    }
}

#[test]
fn pieces_of_any_sizes_make_the_whole() {
    let value = all(60);
    let whole = [whole(&value, false), whole(&value, true)];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..60 {
        let quoted = round % 2 == 1;
        let pieces = in_pieces(&value, quoted, || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            1 + (seed >> 33) as usize % 3000
        });
        assert!(pieces == whole[usize::from(quoted)], "round {round}");
    }
}

#[test]
fn the_quoted_text_is_the_text_in_quotes() {
    let value = all(60);
    let quoted = [b"\"", &whole(&value, true)[..], b"\""].concat();
    let inside: String = serde_json::from_slice(&quoted).unwrap();
    assert_eq!(inside.as_bytes(), whole(&value, false));
}

/// A value that counts how often it is looked at.
struct Counted<'c>(&'c Cell<u64>);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.set(self.0.get() + 1);
        serializer.serialize_u64(1_234_567)
    }
}

#[test]
fn what_was_sent_is_not_looked_at_again() {
    let looks = Cell::new(0);
    let rows: Vec<Vec<Counted<'_>>> = (0..500).map(|_| (0..20).map(|_| Counted(&looks)).collect()).collect();
    let text = in_pieces(&rows, false, || 500);
    assert_eq!(text.len(), 500 * (20 * 8 + 1) + 500 + 1);
    // One more for each piece, at the place where it goes on.
    let pieces = text.len() as u64 / 500 + 1;
    assert!(looks.get() <= 500 * 20 + 2 * pieces, "{} looks", looks.get());
}
