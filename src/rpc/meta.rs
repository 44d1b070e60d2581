//! The last `_meta` is kept. A client of 2026-07-28 says the same in each request, and what was found in it holds for its copy: that is not scanned.
//! Another client's is as good, if it is the same.
//!
//! An object's text tells by itself where it ends, and what it means does not depend on what is around it. So where the bytes of the last one stand
//! there is no other, and all of them were checked; whatever is different goes the way of a first one. Nothing can come out otherwise than it would
//! have without this.
//!
//! Only a `_meta` that says nothing but what everybody says of himself, by the names at its top, is kept: how long a comparison takes tells how far
//! two texts are the same, and what else clients put there (the token of a progress, the id of a trace, what is between them and a tool) may be a
//! secret, and is new in each request anyway.

use super::{Envelope, Member};
use crate::json::{Kind, Span};
use crate::limits::KEPT_META_BYTES_MAX;

/// The text of a `_meta` of which all is known, normalised, and what is in it.
#[derive(Debug)]
pub(crate) struct KeptMeta {
    bytes: [u8; KEPT_META_BYTES_MAX],
    /// Of so many bytes; none are kept where it is 0.
    length: usize,
    /// What the envelope asks about, counted from its beginning. Each stands there once.
    members: [Option<Member>; MEMBERS],
}

/// The members that may be kept: [`slots`] has them in order.
const MEMBERS: usize = 4;

impl KeptMeta {
    /// Nothing is kept.
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; KEPT_META_BYTES_MAX], length: 0, members: [None; MEMBERS] }
    }

    /// Tells where the `_meta` ends that begins at `start`, if it is the one that is kept. What is in it is then found.
    #[inline]
    pub(super) fn recall(&self, doc: &[u8], start: usize, envelope: &mut Envelope) -> Option<usize> {
        let kept = self.bytes.get(..self.length).filter(|kept| !kept.is_empty())?;
        if !doc.get(start..)?.starts_with(kept) {
            return None;
        }
        let mut twice = false;
        for (slot, member) in slots(envelope).into_iter().zip(self.members) {
            if let Some(Member { span, kind }) = member {
                let span = Span::new(start + span.start as usize, start + span.end as usize);
                twice |= slot.replace(Member { span, kind }).is_some();
            }
        }
        envelope.duplicate |= twice;
        Some(start + self.length)
    }

    /// Keeps the `_meta` of a message that was scanned, and in which nothing came twice; not one that is no object, or is too long.
    #[cold]
    pub(super) fn keep(&mut self, doc: &[u8], meta: Member, envelope: &mut Envelope) {
        let text = meta.span.of(doc);
        let Some(place) = self.bytes.get_mut(..text.len()).filter(|_| meta.kind == Kind::Object) else { return };
        place.copy_from_slice(text);
        self.length = text.len();
        let start = meta.span.start;
        for (slot, member) in slots(envelope).into_iter().zip(&mut self.members) {
            *member = slot.map(|Member { span, kind }| {
                let span = Span { start: span.start.saturating_sub(start), end: span.end.saturating_sub(start) };
                Member { span, kind }
            });
        }
    }
}

/// Where an envelope has what may be kept.
fn slots(envelope: &mut Envelope) -> [&mut Option<Member>; MEMBERS] {
    let Envelope { meta_version, meta_client_info, meta_capabilities, meta_log_level, .. } = envelope;
    [meta_version, meta_client_info, meta_capabilities, meta_log_level]
}
