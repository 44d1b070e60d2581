//! Base64 for the inside of a JSON string.

/// Encodes as much of `bytes` as fits into `out` (RFC 4648, section 4): gives how many bytes were consumed, and how many of `out` were written.
/// Groups of three are never split; what is left over at the end of `bytes` is padded, so all but the last piece of something longer must have
/// a multiple of three bytes. With room for 4 bytes there is always progress.
pub(crate) fn base64_into(bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    let (mut consumed, mut written) = (0, 0);
    for (group, place) in bytes.chunks(3).zip(out.chunks_exact_mut(4)) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (at, character) in place.iter_mut().enumerate() {
            let sextet = bits >> (18 - 6 * at) & 0x3f;
            *character = if at <= group.len() { digit(sextet) } else { b'=' };
        }
        consumed += group.len();
        written += place.len();
    }
    (consumed, written)
}

const fn digit(sextet: u32) -> u8 {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    DIGITS[(sextet & 0x3f) as usize] // of 64
}

#[cfg(test)]
mod tests {
    use super::base64_into;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = [0; 8];
            let (consumed, written) = base64_into(bytes.as_bytes(), &mut out);
            assert_eq!((consumed, &out[..written]), (bytes.len(), expected.as_bytes()), "{bytes}");
        }
        let mut out = [0; 4];
        base64_into(&[0xfb, 0xff, 0xfe], &mut out);
        assert_eq!(&out, b"+//+");
    }

    #[test]
    fn it_goes_on_where_the_buffer_ended() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut whole = [0; 344];
        assert_eq!(base64_into(&bytes, &mut whole), (256, 344));
        for room in 4..20 {
            let (mut rest, mut pieces) = (&bytes[..], Vec::<u8>::new());
            while !rest.is_empty() {
                let mut out = vec![0; room];
                let (consumed, written) = base64_into(rest, &mut out);
                assert!(consumed > 0);
                pieces.extend(&out[..written]);
                rest = &rest[consumed..];
            }
            assert_eq!(pieces, whole);
        }
    }
}
