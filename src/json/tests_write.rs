//! The writer: what it renders, and that no cut shows.

use core::fmt::Write as _;

use super::{Kind, Writer, escape_into, validate};

fn sample(out: &mut Writer<'_>) {
    out.raw(b"{").string("name").str(":").string("a\"b\\c/d\n\u{0}\u{1f}\u{7f}é😀").raw(b",\"n\":[");
    out.uint(0).raw(b",").uint(u64::MAX).raw(b",").int(i64::MIN).raw(b",").int(-1).raw(b",").int(7).raw(b",");
    out.float(1.5).raw(b",").float(f64::NAN).raw(b",").bool(true).raw(b",").bool(false).raw(b"],\"part\":\"");
    out.escaped("x\ty")
        .escaped("")
        .escaped("\r")
        .str("\",\"f\":\"")
        .escaped_fmt(format_args!("{}-{:?}", 1, "q"))
        .str("\"");
    write!(out, ",\"w\":{}", 12).unwrap();
    out.raw(b"}");
}

const RENDERED: &str = concat!(
    r#"{"name":"a\"b\\c/d\n\u0000\u001f"#,
    "\u{7f}é😀",
    r#"","n":[0,18446744073709551615,-9223372036854775808,-1,7,1.5,null,true,false],"part":"x\ty\r","f":"1-\"q\"","w":12}"#,
);

#[test]
fn a_rendering() {
    let mut buf = [0; 512];
    let mut writer = Writer::new(&mut buf);
    sample(&mut writer);
    assert!(writer.is_complete());
    let (written, total) = (writer.written(), writer.total());
    assert_eq!(str::from_utf8(&buf[..written]).unwrap(), RENDERED);
    assert_eq!(total, written);
    assert_eq!(validate(&buf[..written]), Ok(Kind::Object));
}

#[test]
fn every_buffer_at_every_place() {
    let whole = RENDERED.as_bytes();
    for size in 0..=whole.len() + 2 {
        for skip in 0..=whole.len() + 2 {
            let mut buf = vec![0xee; size];
            let mut writer = Writer::resume(&mut buf, skip);
            sample(&mut writer);
            let expected = &whole[skip.min(whole.len())..whole.len().min(skip + size)];
            assert_eq!(writer.written(), expected.len());
            assert_eq!(writer.total(), whole.len());
            assert_eq!(writer.is_complete(), skip + size >= whole.len(), "{size} {skip}");
            assert_eq!(&buf[..expected.len()], expected);
            assert!(buf[expected.len()..].iter().all(|byte| *byte == 0xee));
        }
    }
}

#[test]
fn every_buffer_reassembles_the_whole() {
    for size in 1..=RENDERED.len() {
        let mut whole = Vec::new();
        let mut buf = vec![0; size];
        loop {
            let mut writer = Writer::resume(&mut buf, whole.len());
            sample(&mut writer);
            let (written, complete) = (writer.written(), writer.is_complete());
            whole.extend_from_slice(&buf[..written]);
            if complete {
                break;
            }
        }
        assert_eq!(whole, RENDERED.as_bytes());
    }
}

#[test]
fn strings_read_back_as_they_were() {
    let all: String = (0..0x300).filter_map(char::from_u32).chain("€\u{2028}\u{2029}\u{ffff}😀".chars()).collect();
    let mut buf = [0; 4096];
    let mut writer = Writer::new(&mut buf);
    writer.string(&all);
    let written = writer.written();
    assert_eq!(serde_json::from_slice::<String>(&buf[..written]).unwrap(), all);
    // No control character gets through: a line of an event stream stays one.
    assert!(buf[..written].iter().all(|byte| *byte >= 0x20));
    let mut again = [0; 4096];
    let mut writer = Writer::new(&mut again);
    writer.str("\"").escaped_fmt(format_args!("{all}")).str("\"");
    assert_eq!(writer.written(), written);
    assert_eq!(again, buf);
}

#[test]
fn floats_are_short_and_read_back() {
    let cases: &[(f64, &str)] = &[
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e16, "1e16"),
        (1e-7, "1e-7"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
        (f64::INFINITY, "null"),
        (f64::NEG_INFINITY, "null"),
        (f64::NAN, "null"),
    ];
    for (value, text) in cases {
        let mut buf = [0; 64];
        let mut writer = Writer::new(&mut buf);
        writer.float(*value);
        let written = writer.written();
        assert_eq!(str::from_utf8(&buf[..written]).unwrap(), *text);
    }
    let mut bits: u64 = 1;
    for _ in 0..20_000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = f64::from_bits(bits);
        let mut buf = [0; 64];
        let mut writer = Writer::new(&mut buf);
        writer.float(value);
        let written = writer.written();
        let text = str::from_utf8(&buf[..written]).unwrap();
        if value.is_finite() {
            assert_eq!(validate(text.as_bytes()), Ok(Kind::Number), "{text}");
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{text}");
        }
    }
}

#[test]
fn integers() {
    for value in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX / 10, u64::MAX - 1, u64::MAX] {
        let mut buf = [0; 20];
        let mut writer = Writer::new(&mut buf);
        writer.uint(value);
        assert!(writer.is_complete());
        let written = writer.written();
        assert_eq!(str::from_utf8(&buf[..written]).unwrap(), value.to_string());
    }
    for value in [0, 1, -1, i64::MIN, i64::MIN + 1, i64::MAX, -10] {
        let mut buf = [0; 20];
        let mut writer = Writer::new(&mut buf);
        writer.int(value);
        assert!(writer.is_complete());
        let written = writer.written();
        assert_eq!(str::from_utf8(&buf[..written]).unwrap(), value.to_string());
    }
}

#[test]
fn escaping_piece_by_piece() {
    let text = "plain, long enough for several words, \"quoted\" \\ back\u{8}\t\n\u{c}\r\u{1}\u{1f}\0 é€😀\u{7f} \"\"\"\"\\\\ end";
    let mut expected = [0; 512];
    let mut writer = Writer::new(&mut expected);
    writer.escaped(text);
    let length = writer.written();
    for size in 6..=length + 8 {
        let mut out = vec![0; size];
        let mut whole = Vec::new();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (consumed, written) = escape_into(rest, &mut out);
            assert!(consumed > 0, "{size}");
            assert!(written <= size);
            let piece = &out[..written];
            // No escape is split: after pairs of backslashes none begins one that does not end here.
            let quoted = [b"\"", piece, b"\""].concat();
            let clean: Vec<u8> = quoted.iter().map(|byte| if byte.is_ascii() { *byte } else { b'x' }).collect();
            assert_eq!(validate(&clean), Ok(Kind::String), "{}", quoted.escape_ascii());
            whole.extend_from_slice(piece);
            rest = &rest[consumed..];
        }
        assert_eq!(whole, &expected[..length], "{size}");
    }
    for size in 0..6 {
        // Too small for the longest escape: as far as it goes, and no further.
        let mut out = vec![0xee; size];
        assert_eq!(escape_into(b"\x01abc", &mut out), (0, 0));
        assert_eq!(escape_into(b"ab\x01", &mut out), (size.min(2), size.min(2)));
        assert_eq!(escape_into(b"\n\n\n", &mut out), (size / 2, size / 2 * 2));
        assert_eq!(escape_into(b"", &mut out), (0, 0));
    }
}

#[test]
fn a_failing_display_ends_its_string() {
    struct Fails;
    impl core::fmt::Display for Fails {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("half")?;
            Err(core::fmt::Error)
        }
    }
    let mut buf = [0; 32];
    let mut writer = Writer::new(&mut buf);
    writer.str("\"").escaped_fmt(format_args!("{Fails}")).str("\"");
    let written = writer.written();
    assert_eq!(&buf[..written], b"\"half\"");
}
