//! Who wants to know every member near the root, by its path: what the tests of the scanner look with.

use super::{Kind, ScanError, Span};
use crate::limits::JSON_PATH_KEYS_MAX;

/// Who visits by paths.
pub(crate) trait Visit {
    /// Called once for each member of an object at depth 1 to [`JSON_PATH_KEYS_MAX`] of a chain of objects from the root, after its value was
    /// scanned. `path` has the keys' inner text, outermost first.
    fn member(&mut self, doc: &[u8], path: &[Span], value: Span, kind: Kind);
}

/// Nobody wants to know, and all is looked at.
pub(crate) struct Nobody;

impl Visit for Nobody {
    fn member(&mut self, _doc: &[u8], _path: &[Span], _value: Span, _kind: Kind) {}
}

/// Scans as [`super::scan()`] does, with no name known in advance.
pub(crate) fn scan(doc: &mut [u8], visit: &mut impl Visit) -> Result<Kind, ScanError> {
    super::scan(doc, &mut Paths(visit))
}

struct Paths<'v, V>(&'v mut V);

#[derive(Clone, Copy)]
struct Path {
    keys: [Span; JSON_PATH_KEYS_MAX],
    length: usize,
}

impl<V: Visit> super::Visit for Paths<'_, V> {
    type Name = Path;

    const ROOT: Path = Path { keys: [Span::new(0, 0); JSON_PATH_KEYS_MAX], length: 0 };

    fn known(_within: Path, _text: &[u8]) -> Option<(Path, usize)> {
        None
    }

    fn other(mut within: Path, _doc: &[u8], key: Span) -> Path {
        within.keys[within.length] = key;
        within.length += 1;
        within
    }

    fn looks_into(_name: Path) -> bool {
        true
    }

    fn member(&mut self, doc: &[u8], name: Path, value: Span, kind: Kind) {
        self.0.member(doc, &name.keys[..name.length], value, kind);
    }
}
