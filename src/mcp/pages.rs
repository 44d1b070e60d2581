//! Lists in pages, and the cursors between them.

use crate::app::Identity;
use crate::json::Writer;
use crate::limits::{PAGE_ITEMS_MAX, PAGE_TOOLS_MAX};
use crate::outlet::Out;
use crate::rpc::{self, Envelope, Request};
use crate::session::{Key, PrincipalId, equal_in_constant_time};

/// A list that has pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// `tools/list`.
    Tools,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    Templates,
    /// `prompts/list`.
    Prompts,
}

/// A page of a list, by the place of its first item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) list: List,
    start: u32,
    /// Whose list it is.
    principal: PrincipalId,
}

impl List {
    const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }

    const fn items_max(self) -> usize {
        if matches!(self, Self::Tools) { PAGE_TOOLS_MAX } else { PAGE_ITEMS_MAX }
    }
}

const PURPOSE: &[u8] = b"smol-mcp cursor";
const CURSOR_BYTES: usize = 4 + 16;

impl Page {
    /// The page that a request asks for: its cursor is opaque to clients, of one list only, and of one principal.
    ///
    /// # Errors
    /// The message of the `-32602`.
    pub(crate) fn asked(
        list: List,
        key: &Key,
        principal: PrincipalId,
        envelope: &Envelope,
        doc: &[u8],
    ) -> Result<Self, &'static str> {
        if envelope.cursor.is_none() {
            return Ok(Self { list, start: 0, principal });
        }
        let cursor = Envelope::text(envelope.cursor, doc).and_then(bytes);
        let page = cursor.and_then(|cursor| {
            let start = u32::from_be_bytes(*cursor.first_chunk()?);
            let page = Self { list, start, principal };
            equal_in_constant_time(&page.cursor(key), &cursor).then_some(page)
        });
        page.ok_or("params.cursor is none that this server gave for this list")
    }

    fn cursor(self, key: &Key) -> [u8; CURSOR_BYTES] {
        let start = self.start.to_be_bytes();
        let tag = key.tag(PURPOSE, &[&start, self.principal.as_bytes(), self.list.member().as_bytes()]);
        let mut cursor = [0; CURSOR_BYTES];
        let (place, rest) = cursor.split_at_mut(start.len());
        place.copy_from_slice(&start);
        rest.copy_from_slice(&tag);
        cursor
    }
}

// The bytes of a cursor: 40 hexadecimal digits.
fn bytes(text: &[u8]) -> Option<[u8; CURSOR_BYTES]> {
    let mut bytes = [0; CURSOR_BYTES];
    if text.len() != 2 * CURSOR_BYTES {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |at: usize| match digits.get(at)? {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}

/// What a list has, for those who need not know of what it is: there is one code for all lists.
pub(crate) struct Items<'a> {
    /// How many things there are.
    pub(crate) count: usize,
    /// Whether the thing at this place is in the list.
    pub(crate) shown: &'a dyn Fn(usize) -> bool,
    /// Writes the thing at this place.
    pub(crate) write: &'a dyn Fn(usize, &mut Writer<'_>),
}

/// Answers with a page: those of the items that are shown, from its start on.
pub(crate) async fn list(
    out: Out<'_>,
    request: &Request<'_>,
    page: Page,
    items: Items<'_>,
    (key, identity): (&Key, &Identity),
) {
    let modern = request.revision.is_modern();
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(if modern { r#"{"resultType":"complete",""# } else { "{\"" }).str(page.list.member()).str("\":[");
    })
    .await;
    let start = usize::try_from(page.start).unwrap_or(usize::MAX);
    let mut next = None;
    for (count, at) in (start..items.count).filter(|at| (items.shown)(*at)).enumerate() {
        if count == page.list.items_max() {
            next = u32::try_from(at).ok();
            break;
        }
        out.write(|w| {
            w.str(if count > 0 { "," } else { "" });
            (items.write)(at, w);
        })
        .await;
    }
    let next = next.map(|start| Page { start, ..page }.cursor(key));
    out.write(|w| {
        w.str("]");
        if let Some(cursor) = next {
            w.str(r#","nextCursor":""#);
            for byte in cursor {
                w.raw(&[digit(byte >> 4), digit(byte & 0xf)]);
            }
            w.str("\"");
        }
        if modern {
            identity.write_caching(w);
            identity.write_meta(w);
        }
        w.str("}}");
    })
    .await;
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}
