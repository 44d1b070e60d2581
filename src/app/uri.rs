//! URI templates (RFC 6570, level 1), read backwards: from a URI to the values of the variables.

use core::fmt::{self, Write as _};

/// What ends the value of any variable: the marks between the parts of a URI (RFC 3986, section 3).
const fn ends_segment(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#')
}

/// Whether this is a template: it has variables.
pub(super) const fn is_template(uri: &str) -> bool {
    let mut at = 0;
    while at < uri.len() {
        if uri.as_bytes()[at] == b'{' {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether a template can be read backwards without doubt, and has a scheme: its braces stand in pairs around names, and behind each variable
/// stands its end, or a character that its value can't have unencoded (RFC 3986, "reserved").
pub const fn is_legal(template: &str) -> bool {
    let bytes = template.as_bytes();
    let (mut at, mut has_scheme) = (0, false);
    while at < bytes.len() {
        has_scheme |= bytes[at] == b':' && at > 0;
        if bytes[at] <= b' ' || bytes[at] >= 0x7f || matches!(bytes[at], b'}' | b'"' | b'\\') {
            return false;
        }
        if bytes[at] == b'{' {
            let start = at + 1;
            at = start;
            while at < bytes.len() && (bytes[at] == b'_' || bytes[at].is_ascii_alphanumeric()) {
                at += 1;
            }
            if at == start || at == bytes.len() || bytes[at] != b'}' || !has_scheme {
                return false;
            }
            let next = if at + 1 < bytes.len() { bytes[at + 1] } else { b'/' };
            if !matches!(next, b'/' | b'?' | b'#' | b'!' | b'$' | b'&' | b'\''..=b',' | b':'..=b';' | b'=' | b'@') {
                return false;
            }
        }
        at += 1;
    }
    has_scheme
}

/// How many variables a template has.
pub(super) const fn count(template: &str) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < template.len() {
        count += (template.as_bytes()[at] == b'{') as usize;
        at += 1;
    }
    count
}

/// Whether a template has this variable.
pub(super) const fn has(template: &str, name: &str) -> bool {
    let (template, name) = (template.as_bytes(), name.as_bytes());
    let mut start = 0;
    while start < template.len() {
        if template[start] == b'{' {
            let mut at = 0;
            while at < name.len() && start + 1 + at < template.len() && template[start + 1 + at] == name[at] {
                at += 1;
            }
            if at == name.len() && start + 1 + at < template.len() && template[start + 1 + at] == b'}' {
                return true;
            }
        }
        start += 1;
    }
    false
}

/// Whether a URI is one of the template's: of a plain URI, whether it is the same.
pub(crate) fn matches(template: &str, uri: &str) -> bool {
    let mut variables = Variables { template, uri, broken: false };
    variables.by_ref().all(|(_, value)| !value.0.is_empty() && value.is_valid())
        && !variables.broken
        && variables.template == variables.uri
}

/// The variables of a template, with their values in a URI that [`matches`].
pub(crate) fn variables<'u>(template: &'static str, uri: &'u str) -> Variables<'static, 'u> {
    Variables { template, uri, broken: false }
}

/// Names and values; what is left of both when it ends.
pub(crate) struct Variables<'t, 'u> {
    template: &'t str,
    uri: &'u str,
    broken: bool,
}

impl<'t, 'u> Iterator for Variables<'t, 'u> {
    type Item = (&'t str, Decoded<'u>);

    fn next(&mut self) -> Option<Self::Item> {
        let (literal, rest) = self.template.split_once('{')?;
        let (name, behind) = rest.split_once('}')?;
        let Some(uri) = self.uri.strip_prefix(literal) else {
            self.broken = true;
            return None;
        };
        let delimiter = behind.bytes().next();
        let end = uri.bytes().position(|byte| ends_segment(byte) || Some(byte) == delimiter).unwrap_or(uri.len());
        let (value, uri) = uri.split_at(end);
        (self.template, self.uri) = (behind, uri);
        Some((name, Decoded(value)))
    }
}

/// A value of a URI, displayed without its percent encoding (RFC 3986, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decoded<'u>(&'u str);

impl Decoded<'_> {
    /// Every `%` begins an encoded byte, and the bytes are UTF-8.
    fn is_valid(self) -> bool {
        struct Nowhere;
        impl fmt::Write for Nowhere {
            fn write_str(&mut self, _: &str) -> fmt::Result {
                Ok(())
            }
        }
        write!(Nowhere, "{self}").is_ok()
    }
}

impl fmt::Display for Decoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.bytes();
        let mut character = heapless::Vec::<u8, 4>::new();
        while let Some(byte) = bytes.next() {
            let byte = if byte == b'%' { escaped(&mut bytes).ok_or(fmt::Error)? } else { byte };
            // More than four bytes are no character.
            character.push(byte).map_err(|_| fmt::Error)?;
            if let Ok(text) = str::from_utf8(&character) {
                f.write_str(text)?;
                character.clear();
            }
        }
        if character.is_empty() { Ok(()) } else { Err(fmt::Error) }
    }
}

fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(bytes.next()?).to_digit(16);
    u8::try_from(digit()? << 4 | digit()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(template: &'static str, uri: &str) -> Option<Vec<String>> {
        let shown = |(name, value): (&str, Decoded<'_>)| format!("{name}={value}");
        matches(template, uri).then(|| variables(template, uri).map(shown).collect())
    }

    #[test]
    fn variables_are_segments() {
        let one = "a://b/{x}/d";
        assert_eq!(values(one, "a://b/1/d"), Some(vec!["x=1".to_owned()]));
        assert_eq!(values(one, "a://b/%C3%A9%2f%20/d"), Some(vec!["x=é/ ".to_owned()]));
        for wrong in
            ["a://b//d", "a://b/1", "a://b/1/", "a://b/1/2/d", "a://b/1/d/", "a://b/%/d", "a://b/%4/d", "", "a"]
        {
            assert_eq!(values(one, wrong), None, "{wrong}");
        }
        for wrong in ["a://b/%ff/d", "a://b/%C3/d", "a://b/%C3%C3/d", "a://b/%zz/d", "a://b/%é/d", "x://b/1/d"] {
            assert_eq!(values(one, wrong), None, "{wrong}");
        }
        let two = "a://{x}?q={y}&r={z}";
        let expected = ["x=1:2".to_owned(), "y=a b".to_owned(), "z=&".to_owned()];
        assert_eq!(values(two, "a://1:2?q=a%20b&r=%26").as_deref(), Some(&expected[..]));
        assert_eq!(values("a://b", "a://b"), Some(vec![]));
        assert_eq!(values("a://b", "a://bc"), None);
    }

    #[test]
    fn what_is_legal_is_said_when_it_is_compiled() {
        for legal in ["a:b", "a://{x}", "a://{x}/{y_1}", "a://{x}?y={y}&z", "a:{x}:{y}"] {
            assert!(is_legal(legal), "{legal}");
        }
        for wrong in
            ["", "a", ":a", "a b:c", "a://{x", "a://x}", "a://{}", "a://{+x}", "a://{x}{y}", "a://{x}b", "{x}:a", "a:é"]
        {
            assert!(!is_legal(wrong), "{wrong}");
        }
        assert!(has("a://{x}/{yy}", "yy") && has("a://{x}", "x") && !has("a://{x}/{yy}", "y") && !has("a://{x}", "xx"));
        assert_eq!((count("a://{x}/{y}"), count("a:b")), (2, 0));
    }
}
