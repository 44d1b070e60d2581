//! The last requests are kept, without what is another in each. A client writes its requests alike: between the id, the name of a tool, its arguments and
//! the token of a progress stands the same again and again. Where it does, what was found in it holds, and only these are scanned. Another client's
//! request is as good, if it is written the same way.
//!
//! A scan goes from left to right, and what it knows at a place depends on nothing but the bytes before. So where these are what stood there the last
//! time, but for a value which again is a whole one of its kind, it knows the same behind it; whatever is different goes the way of a first request.
//! Nothing can come out otherwise than it would have without this.
//!
//! Only requests that say nothing but what all do are kept, by the names of their members: how long a comparison takes tells how far two texts are the
//! same, and what else clients put there (an answer to a question, the id of a trace, what is between them and a tool) may be a secret, and is new in
//! each request anyway.

use super::place::Place;
use super::{Envelope, Member};
use crate::json::{Kind, ScanError, Span, plain_end, scan_object};
use crate::limits::{KEPT_REQUEST_BYTES_MAX, KEPT_REQUEST_OF, KEPT_REQUESTS};

/// Requests of a few clients.
#[derive(Debug)]
pub(crate) struct KeptRequests {
    each: [KeptRequest; KEPT_REQUESTS],
    /// The one that was like the last message.
    last: usize,
    /// Requests in a row that could have been kept, and were not.
    missed: u8,
}

/// The text of a request, normalised, and what is in it.
#[derive(Debug)]
struct KeptRequest {
    /// What is the same again, put together.
    bytes: [u8; KEPT_REQUEST_BYTES_MAX],
    /// Of so many bytes; nothing is kept where it is 0.
    length: usize,
    /// What stands between, in order.
    gaps: heapless::Vec<Gap, GAPS>,
    /// What the envelope asks about. Each stands there once.
    members: heapless::Vec<Found, MEMBERS>,
}

/// The value of a member that is another in each request.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// Where it stands in what is kept.
    at: usize,
    kind: Kind,
}

/// A member that was found.
#[derive(Clone, Copy, Debug)]
struct Found {
    place: Place,
    kind: Kind,
    start: Position,
    end: Position,
}

/// A position in a request like this one: behind so many bytes of what is kept, and so many gaps.
#[derive(Clone, Copy, Debug)]
struct Position {
    at: u32,
    gaps: u8,
}

/// More than there are gaps, and a power of two.
const POSITION_GAPS: usize = 8;
const _: () = assert!(GAPS < POSITION_GAPS && POSITION_GAPS.is_power_of_two());

/// The members whose values are not kept.
const OPEN: [Place; GAPS] = [Place::Id, Place::Name, Place::Uri, Place::Arguments, Place::ProgressToken];
const GAPS: usize = 5;

/// The other members of a request that is kept.
const SAME: [Place; MEMBERS - GAPS] = [
    Place::Jsonrpc,
    Place::Method,
    Place::Params,
    Place::Meta,
    Place::MetaVersion,
    Place::MetaCapabilities,
    Place::MetaClientInfo,
    Place::MetaLogLevel,
];
const MEMBERS: usize = 13;

/// Objects around the arguments of a request.
const AROUND_ARGUMENTS: usize = 2;

impl KeptRequests {
    /// Nothing is kept.
    pub(crate) const fn new() -> Self {
        Self { each: [const { KeptRequest::new() }; KEPT_REQUESTS], last: 0, missed: 0 }
    }

    /// A request that says this may be kept.
    #[inline]
    pub(super) fn may_have(place: Place) -> bool {
        OPEN.contains(&place) || SAME.contains(&place)
    }

    /// Scans a message that is like one of those which are kept, normalising its arguments in place, into an envelope that is empty. `None` where it is
    /// another; it has to be scanned then.
    ///
    /// # Errors
    /// Those of its arguments.
    #[inline]
    pub(super) fn recall(&mut self, doc: &mut [u8], envelope: &mut Envelope) -> Option<Result<(), ScanError>> {
        for at in (self.last..KEPT_REQUESTS).chain(0..self.last) {
            if let Some(scanned) = self.each.get(at).and_then(|kept| kept.recall(doc, envelope)) {
                self.last = at;
                return Some(scanned);
            }
        }
        None
    }

    /// Keeps a request that was scanned, that says nothing but what may be kept, and in which nothing came twice, if it has values as there must be and
    /// is not too long. Where that takes the place of another, only one of several: among more clients than there are places, some shall keep theirs.
    #[cold]
    pub(super) fn keep(&mut self, doc: &[u8], envelope: &mut Envelope) {
        let free = self.each.iter().position(|kept| kept.length == 0);
        self.missed = if free.is_some() { 0 } else { (self.missed + 1) % KEPT_REQUEST_OF };
        if self.missed == 0 {
            let place = free.unwrap_or((self.last + 1) % KEPT_REQUESTS);
            if self.each.get_mut(place).and_then(|kept| kept.keep(doc, envelope)).is_some() {
                self.last = place;
            }
        }
    }
}

impl KeptRequest {
    const fn new() -> Self {
        Self {
            bytes: [0; KEPT_REQUEST_BYTES_MAX],
            length: 0,
            gaps: heapless::Vec::new(),
            members: heapless::Vec::new(),
        }
    }

    fn recall(&self, doc: &mut [u8], envelope: &mut Envelope) -> Option<Result<(), ScanError>> {
        let (last, tail) = (self.gaps.last()?.at, self.bytes.get(..self.length)?);
        // What needs no scan is compared before what does.
        if !doc.ends_with(tail.get(last..)?) {
            return None;
        }
        // How long the gaps are together, up to each; as many as a position can name.
        let mut open = [0_u32; POSITION_GAPS];
        let (mut at, mut from, mut sum) = (0, 0, 0);
        for (gap, next) in self.gaps.iter().zip(open.iter_mut().skip(1)) {
            let same = self.bytes.get(from..gap.at)?;
            if !doc.get(at..)?.starts_with(same) {
                return None;
            }
            (at, from) = (at + same.len(), gap.at);
            let end = if gap.kind == Kind::Object {
                if doc.get(at) != Some(&b'{') {
                    return None;
                }
                match scan_object(doc, at, AROUND_ARGUMENTS) {
                    Ok(end) => end,
                    Err(error) => return Some(Err(error)),
                }
            } else {
                plain_end(doc, at, gap.kind)?
            };
            sum += u32::try_from(end - at).ok()?;
            (*next, at) = (sum, end);
        }
        if doc.len() != at + (self.length - last) {
            return None;
        }
        for Found { place, kind, start, end } in &self.members {
            let position = |it: &Position| it.at.wrapping_add(open[usize::from(it.gaps) % POSITION_GAPS]);
            let member = Member { span: Span { start: position(start), end: position(end) }, kind: *kind };
            if let Some(slot) = envelope.slot(*place) {
                *slot = Some(member);
            }
        }
        Some(Ok(()))
    }

    // Nothing is changed where it can't be kept.
    fn keep(&mut self, doc: &[u8], envelope: &mut Envelope) -> Option<()> {
        let mut all: heapless::Vec<(Place, Member), MEMBERS> = heapless::Vec::new();
        let mut open: heapless::Vec<Member, GAPS> = heapless::Vec::new();
        for place in OPEN.into_iter().chain(SAME) {
            let Some(member) = *envelope.slot(place)? else { continue };
            if !is_right(place, member, doc) {
                return None;
            }
            all.push((place, member)).ok()?;
            if OPEN.contains(&place) {
                open.push(member).ok()?;
            }
        }
        open.sort_unstable_by_key(|member| member.span.start);
        let closed = doc.len() - open.iter().map(|member| member.span.of(doc).len()).sum::<usize>();
        if closed > self.bytes.len() {
            return None;
        }
        self.length = 0;
        self.gaps.clear();
        self.members.clear();
        let (mut from, mut at) = (0, 0);
        for Member { span, kind } in &open {
            at = self.put(at, doc.get(from..span.start as usize)?)?;
            self.gaps.push(Gap { at, kind: *kind }).ok()?;
            from = span.end as usize;
        }
        let length = self.put(at, doc.get(from..)?)?;
        let position = |at: u32| {
            let before = open.iter().map(|member| member.span).take_while(|span| span.end <= at);
            let (gaps, bytes) = before.fold((0, 0), |(gaps, bytes), span| (gaps + 1, bytes + span.end - span.start));
            Position { at: at - bytes, gaps }
        };
        for (place, Member { span, kind }) in all {
            self.members.push(Found { place, kind, start: position(span.start), end: position(span.end) }).ok()?;
        }
        self.length = length;
        Some(())
    }

    fn put(&mut self, at: usize, text: &[u8]) -> Option<usize> {
        let end = at + text.len();
        self.bytes.get_mut(at..end)?.copy_from_slice(text);
        Some(end)
    }
}

// It is of the kind that a request must have there, and one that can be passed over where it is another in the next.
fn is_right(place: Place, Member { span, kind }: Member, doc: &[u8]) -> bool {
    match place {
        Place::Arguments | Place::Params | Place::Meta => kind == Kind::Object,
        Place::Jsonrpc | Place::Method => kind == Kind::String,
        Place::Id | Place::ProgressToken | Place::Name | Place::Uri => {
            plain_end(doc, span.start as usize, kind).is_some()
        }
        _ => true,
    }
}
