//! The classes of bytes that the grammar of HTTP tells apart.

/// A byte of a token (RFC 9110, 5.6.2).
pub(super) const TOKEN: u8 = 1;
/// A byte of a target: visible ASCII but `#`, whose fragment is never sent (RFC 9112, 3.2).
pub(super) const TARGET: u8 = 2;
/// A byte of a header value: visible, space, tab, or beyond ASCII (RFC 9110, 5.5). All but the control characters.
pub(super) const VALUE: u8 = 4;

/// Whether a byte is of a class.
pub(super) const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// The classes of every byte.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        let token = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        let target = byte.is_ascii_graphic() && byte != b'#';
        let value = byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() || byte >= 0x80;
        table[byte as usize] = (token as u8 * TOKEN) | (target as u8 * TARGET) | (value as u8 * VALUE);
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}
