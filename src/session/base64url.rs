//! Base64 for URLs (RFC 4648, section 5), without padding.

/// The character for six bits.
pub(super) const fn character(sextet: u8) -> u8 {
    match sextet {
        0..=25 => b'A' + sextet,
        26..=51 => b'a' + (sextet - 26),
        52..=61 => b'0' + (sextet - 52),
        62 => b'-',
        _ => b'_',
    }
}

/// The six bits of a character.
pub(super) const fn sextet(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

/// Encodes bytes that come in pieces of any size, for a `sink` of characters.
pub(crate) struct Encoder<S> {
    sink: S,
    bits: u32,
    /// How many bytes wait in `bits`: fewer than three.
    waiting: u32,
}

impl<S: FnMut(&[u8])> Encoder<S> {
    /// Nothing was encoded yet.
    pub(crate) const fn new(sink: S) -> Self {
        Self { sink, bits: 0, waiting: 0 }
    }

    /// Encodes a piece.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.bits = self.bits << 8 | u32::from(*byte);
            self.waiting += 1;
            if self.waiting == 3 {
                self.put(4);
            }
        }
    }

    /// Encodes what is left.
    pub(crate) fn end(mut self) {
        if self.waiting > 0 {
            let characters = self.waiting + 1;
            self.bits <<= 8 * (3 - self.waiting);
            self.put(characters);
        }
    }

    fn put(&mut self, characters: u32) {
        let group = [18, 12, 6, 0].map(|shift| character((self.bits >> shift & 0x3f) as u8));
        let length = if characters < 4 { characters as usize } else { 4 };
        (self.sink)(group.get(..length).unwrap_or_default());
        (self.bits, self.waiting) = (0, 0);
    }
}

/// Decodes a text where it lies; gives the number of bytes. `None`, and the text is spoiled, when it is not exactly what an encoder writes: bits
/// that are left over must be zero, so that no two texts are the same bytes.
pub(crate) fn decode_in_place(text: &mut [u8]) -> Option<usize> {
    let mut length = 0;
    let mut bits = 0_u32;
    let mut count = 0_u32;
    for at in 0..text.len() {
        bits = bits << 6 | u32::from(sextet(*text.get(at)?)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            *text.get_mut(length)? = (bits >> count & 0xff) as u8;
            length += 1;
            bits &= (1 << count) - 1;
        }
    }
    // Six bits alone are no byte.
    (count < 6 && bits == 0).then_some(length)
}
