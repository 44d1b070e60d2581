//! Base64 for URLs, there and back.

use super::base64url::{Encoder, decode_in_place};

fn encoded(pieces: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut encoder = Encoder::new(|characters: &[u8]| text.extend_from_slice(characters));
    for piece in pieces {
        encoder.write(piece);
    }
    encoder.end();
    text
}

#[test]
fn it_is_that_of_the_rfc() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(encoded(&[bytes.as_bytes()]), text.as_bytes());
    }
    assert_eq!(encoded(&[&[0xfb, 0xff, 0xfe]]), b"-__-");
}

#[test]
fn what_was_encoded_is_decoded_in_pieces_of_any_size() {
    let bytes: Vec<u8> = (0..=255).cycle().take(700).collect();
    for cut in [0, 1, 2, 3, 4, 5, 699, 700] {
        let mut text = encoded(&[&bytes[..cut], &[], &bytes[cut..]]);
        let length = decode_in_place(&mut text).unwrap();
        assert_eq!(&text[..length], bytes, "cut at {cut}");
    }
}

#[test]
fn no_two_texts_are_the_same_bytes() {
    for text in ["A", "Zh", "Zm9", "Zm9vYh", "Zg==", "Zm9v\n", "Zm9v ", "+/+/", "Zm.v", "\u{e9}"] {
        assert_eq!(decode_in_place(&mut text.as_bytes().to_vec()), None, "{text}");
    }
    assert_eq!(decode_in_place(&mut []), Some(0));
}
