//! Input from the client in 2026-07-28: a request that needs it ends in `input_required`, and comes again with the answers
//! (MCP, "Multi Round-Trip Requests").
//!
//! What must outlive a round travels in `requestState`: the answers of earlier rounds, as clients only send those of the last one, and what the
//! handler keeps. It is base64url of
//!
//! ```text
//! byte 0      16               24
//! tag         issued, unix s   payload: {"kept":{...},"answers":{...}}
//! HMAC-SHA256 of purpose, principal, issue, method, target (name or URI), arguments and payload, its first 16 bytes
//! ```
//! so that it is good for this request of this caller only, and for an hour. A client can read it, and send the same one twice; that of a call
//! which asks its user to confirm has a [slip](super::slips) beside, so that it can be used once.

use core::cell::{Cell, RefCell};
use core::fmt::Write as _;

use crate::app::{Ask, Identity, InputError, Keyed, Question, QuestionKind, Ticket, Way};
use crate::json::{self, Kind, Span, Text, Value, Writer};
use crate::limits::{
    ANSWERS_MAX, CLOCK_SET_MIN_UNIX_S, KEYS_MAX, ONCE_BYTES_MAX, REQUEST_STATE_AGE_MAX_S, REQUEST_STATE_BYTES_MAX,
};
use crate::rpc::{Envelope, Member, Request};
use crate::session::{Encoder, Key, PrincipalId, TAG_BYTES, decode_in_place, equal_in_constant_time};

use super::discover;
use super::slips::{Slip, Slips};

// `,"slip":[4294967295,18446744073709551615]`
const SLIP_BYTES_MAX: usize = 48;

const PURPOSE: &[u8] = b"smol-mcp request state";
const ISSUED_BYTES: usize = 8;
const HEAD_BYTES: usize = TAG_BYTES + ISSUED_BYTES;

// Whole groups of base64.
const _: () = assert!(HEAD_BYTES.is_multiple_of(3));

/// What a client is told whose state is not good.
pub(super) const BAD_STATE: &str = "params.requestState is not good: it was changed, is of another request or caller, or older than an hour; \
                         send the request without it to begin anew";

/// Verifies the `requestState` of a request, and puts the JSON text that it carries in its place.
///
/// # Errors
/// The message of the `-32602`. The state's place in the message is spoiled then.
pub(crate) fn open(
    key: &Key,
    envelope: &mut Envelope,
    doc: &mut [u8],
    principal: PrincipalId,
    unix_s: u64,
) -> Result<(), &'static str> {
    envelope.input_responses = envelope.input_responses.filter(|member| member.kind != Kind::Null);
    if envelope.input_responses.is_some_and(|member| member.kind != Kind::Object) {
        return Err("params.inputResponses must be an object");
    }
    envelope.request_state = envelope.request_state.filter(|member| member.kind != Kind::Null);
    let Some(state) = envelope.request_state else { return Ok(()) };
    let payload = decode(key, envelope, state, doc, principal, unix_s).ok_or(BAD_STATE)?;
    envelope.request_state = Some(Member { span: payload, kind: Kind::Object });
    Ok(())
}

fn decode(
    key: &Key,
    envelope: &Envelope,
    state: Member,
    doc: &mut [u8],
    principal: PrincipalId,
    unix_s: u64,
) -> Option<Span> {
    let (start, end) = (state.span.start as usize, state.span.end as usize);
    let inner = start + 1..end.checked_sub(1).filter(|_| state.kind == Kind::String)?;
    let length = decode_in_place(doc.get_mut(inner.clone())?)?;
    let bytes = doc.get(inner)?.get(..length)?;
    let (tag, rest) = bytes.split_first_chunk::<TAG_BYTES>()?;
    let (issued, payload) = rest.split_first_chunk::<ISSUED_BYTES>()?;
    let issued_unix_s = u64::from_be_bytes(*issued);
    let wanted = key.tag_of(PURPOSE, |update| {
        bind(envelope, doc, principal, issued_unix_s, update);
        update(payload);
    });
    if !equal_in_constant_time(&wanted, tag) || is_too_old(issued_unix_s, unix_s) {
        return None;
    }
    if payload.len() > REQUEST_STATE_BYTES_MAX || json::validate(payload) != Ok(Kind::Object) {
        return None;
    }
    // The message stays one JSON text: the payload, and spaces.
    let payload_bytes = payload.len();
    doc.copy_within(start + 1 + HEAD_BYTES..start + 1 + HEAD_BYTES + payload_bytes, start);
    doc.get_mut(start + payload_bytes..end)?.fill(b' ');
    Some(Span::new(start, start + payload_bytes))
}

// As with session ids: what was issued before the clock was set has no age.
const fn is_too_old(issued_unix_s: u64, now_unix_s: u64) -> bool {
    issued_unix_s >= CLOCK_SET_MIN_UNIX_S && now_unix_s.saturating_sub(issued_unix_s) > REQUEST_STATE_AGE_MAX_S
}

// What a state is good for. Each part but those of fixed length has its length in front.
fn bind(envelope: &Envelope, doc: &[u8], principal: PrincipalId, issued_unix_s: u64, update: &mut dyn FnMut(&[u8])) {
    update(principal.as_bytes());
    update(&issued_unix_s.to_be_bytes());
    for member in [envelope.method, envelope.name, envelope.uri, envelope.arguments] {
        let part = member.map_or(&[][..], |member| member.span.of(doc));
        update(&(part.len() as u64).to_be_bytes());
        update(part);
    }
}

/// One pass over the handler of a request that may ask.
pub(crate) struct Pass<'a> {
    request: &'a Request<'a>,
    key: &'a Key,
    identity: &'a Identity,
    principal: PrincipalId,
    unix_s: u64,
    state_bytes_max: usize,
    /// The answers of this round that were used: name (without its quotes) and value.
    used: RefCell<heapless::Vec<(Span, Span), ANSWERS_MAX>>,
    /// What this pass keeps: members, each with a comma behind it.
    kept: RefCell<heapless::Vec<u8, ONCE_BYTES_MAX>>,
    /// A hash of each key that was used, as often as it was.
    keys: RefCell<heapless::Vec<u32, KEYS_MAX>>,
    /// There was no room for all answers.
    overfull: Cell<bool>,
    over: Cell<bool>,
    slips: &'a Slips,
    /// It asks its user to confirm; the slip of the state that it ends with; that of the state that it came with was spent.
    confirms: Cell<bool>,
    slip: Cell<Option<Slip>>,
    spent: Cell<bool>,
    /// It made a value that is made once.
    made: Cell<bool>,
}

impl<'a> Pass<'a> {
    /// A pass that has not begun. The request's state, if it has one, was [opened](open).
    pub(crate) fn new(
        request: &'a Request<'a>,
        (key, slips): (&'a Key, &'a Slips),
        identity: &'a Identity,
        principal: PrincipalId,
        unix_s: u64,
        body_bytes_max: usize,
    ) -> Self {
        let (used, kept) = (RefCell::new(heapless::Vec::new()), RefCell::new(heapless::Vec::new()));
        Self {
            request,
            key,
            identity,
            principal,
            unix_s,
            // It comes back as base64, with new answers beside it.
            state_bytes_max: REQUEST_STATE_BYTES_MAX.min(body_bytes_max / 2),
            used,
            kept,
            keys: RefCell::new(heapless::Vec::new()),
            overfull: Cell::new(false),
            over: Cell::new(false),
            slips,
            confirms: Cell::new(false),
            slip: Cell::new(None),
            spent: Cell::new(false),
            made: Cell::new(false),
        }
    }

    /// Whether it used a tool as a call does: it made what is made once, which may be an act.
    pub(crate) fn has_made(&self) -> bool {
        self.made.get()
    }

    /// Shows what this pass keeps: the members of an object.
    pub(crate) fn with_kept<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        let kept = self.kept.borrow();
        look(kept.strip_suffix(b",").unwrap_or(&kept))
    }

    /// Whether a member of what is kept has the name that this key has now.
    pub(crate) fn names(&self, key: &str, member: Text<'_>) -> bool {
        self.name(Keyed::Kept, key).is(member)
    }

    // What the state carries under this name.
    fn carried(&self, name: &str) -> Value<'a> {
        let state = self.request.envelope.request_state.map(|member| Value::new(member.span.of(self.request.doc)));
        state.and_then(|state| state.get(name)).unwrap_or(Value::new(b"{}"))
    }

    // What a key names now, on the wire and in the state.
    fn name<'k>(&self, what: Keyed, key: &'k str) -> Name<'k> {
        let hash = hash(what, key);
        let before = self.keys.borrow().iter().filter(|used| **used == hash).count();
        let mut suffix = heapless::String::new();
        if before > 0 {
            // KEYS_MAX has as many digits as there is room for.
            let _ = write!(suffix, "#{}", before + 1);
        }
        Name { key, suffix }
    }

    fn ticket(&self, value: Value<'a>) -> Ticket {
        let Span { start, end } = self.span(value.raw());
        Ticket(start, end)
    }

    // Where a part of the message lies.
    fn span(&self, part: &[u8]) -> Span {
        let start = part.as_ptr().addr().saturating_sub(self.request.doc.as_ptr().addr());
        Span::new(start, start + part.len())
    }

    fn note(&self, name: Span, value: Span) -> bool {
        let mut used = self.used.borrow_mut();
        let known = used.iter().any(|(known, _)| *known == name) || used.push((name, value)).is_ok();
        self.overfull.set(self.overfull.get() || !known);
        known
    }

    // Hands over what the next pass needs, piece by piece.
    pub(super) fn payload(&self, put: &mut dyn FnMut(&[u8])) {
        put(br#"{"kept":{"#);
        let kept = self.kept.borrow();
        let kept = kept.strip_suffix(b",").unwrap_or(&kept);
        let before = members(self.carried("kept"));
        put(before);
        put(if before.is_empty() || kept.is_empty() { b"" } else { b"," });
        put(kept);
        put(br#"},"answers":{"#);
        let before = members(self.carried("answers"));
        put(before);
        for (at, (name, value)) in self.used.borrow().iter().enumerate() {
            put(if at == 0 && before.is_empty() { b"\"" } else { b",\"" });
            put(name.of(self.request.doc));
            put(b"\":");
            put(value.of(self.request.doc));
        }
        put(b"}");
        if let Some(slip) = self.slip.get() {
            let mut member = [0; SLIP_BYTES_MAX];
            let mut w = Writer::new(&mut member);
            slip.write(w.str(r#","slip":"#));
            let written = w.written();
            put(member.get(..written).unwrap_or_default());
        }
        put(b"}");
    }
}

// What is between the braces of an object.
fn members(object: Value<'_>) -> &[u8] {
    object.raw().strip_prefix(b"{").and_then(|raw| raw.strip_suffix(b"}")).unwrap_or_default().trim_ascii()
}

/// The name of what a key names for the n-th time: `key`, `key#2`, `key#3`, ...
struct Name<'k> {
    key: &'k str,
    suffix: heapless::String<4>,
}

impl Name<'_> {
    fn is(&self, name: Text<'_>) -> bool {
        self.key.chars().chain(self.suffix.chars()).eq(name.chars())
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.str("\"").escaped(self.key).str(&self.suffix).str("\"");
    }

    fn find<'v>(&self, object: Value<'v>) -> Option<(Text<'v>, Value<'v>)> {
        object.only(|name| self.is(name))
    }
}

// FNV-1a. Keys that share a hash share their numbers, in each pass the same, which harms nobody.
fn hash(what: Keyed, key: &str) -> u32 {
    key.bytes().fold(0x811c_9dc5 ^ what as u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Ask for Pass<'_> {
    fn way(&self) -> Way {
        Way::Again
    }

    fn capabilities(&self) -> u16 {
        discover::request_capabilities(self.request.envelope, self.request.doc)
    }

    fn find(&self, question: &Question<'_>) -> Option<Ticket> {
        if let QuestionKind::Confirm(words) = question.kind {
            self.confirms.set(true);
            // An answer to what was not asked, or in other words, is none.
            let asked = self.name(Keyed::Kept, question.key).find(self.carried("kept"));
            if asked.and_then(|(_, asked)| asked.as_u64()) != Some(words) {
                return None;
            }
        }
        // What was answered in an earlier round is not answered anew.
        let name = self.name(Keyed::Question, question.key);
        if let Some((_, answer)) = name.find(self.carried("answers")).filter(|(_, answer)| question.kind.fits(*answer))
        {
            return Some(self.ticket(answer));
        }
        let responses = self.request.envelope.input_responses?;
        let (name, answer) = name.find(Value::of_span(responses.span.of(self.request.doc)))?;
        let fits = question.kind.fits(answer) && self.note(self.span(name.raw()), self.span(answer.raw()));
        fits.then(|| self.ticket(answer))
    }

    fn write_key(&self, question: &Question<'_>, w: &mut Writer<'_>) {
        self.name(Keyed::Question, question.key).write(w);
    }

    fn used(&self, what: Keyed, key: &str) -> Result<(), InputError> {
        self.keys.borrow_mut().push(hash(what, key)).map_err(|_| InputError::TooLarge)
    }

    fn check_state(&self) -> Result<(), InputError> {
        if self.confirms.get() {
            self.slip.set(Some(self.slips.next(self.principal)));
        }
        let mut length = 0_usize;
        self.payload(&mut |piece| length = length.saturating_add(piece.len()));
        if length > self.state_bytes_max || self.overfull.get() { Err(InputError::TooLarge) } else { Ok(()) }
    }

    fn write_state(&self, w: &mut Writer<'_>) {
        let tag = self.key.tag_of(PURPOSE, |update| {
            bind(self.request.envelope, self.request.doc, self.principal, self.unix_s, update);
            self.payload(update);
        });
        w.str(r#","requestState":""#);
        let mut encoder = Encoder::new(|characters: &[u8]| {
            w.raw(characters);
        });
        encoder.write(&tag);
        encoder.write(&self.unix_s.to_be_bytes());
        self.payload(&mut |piece| encoder.write(piece));
        encoder.end();
        w.str("\"");
        self.identity.write_meta(w);
    }

    fn makes(&self) {
        self.made.set(true);
    }

    fn spend(&self) -> Result<(), InputError> {
        let is_good = || Slip::read(self.carried("slip")).is_some_and(|slip| self.slips.spend(slip, self.principal));
        if self.spent.get() || is_good() {
            self.spent.set(true);
            return Ok(());
        }
        Err(InputError::Used)
    }

    fn end_pass(&self) {
        self.over.set(true);
    }

    fn is_pass_over(&self) -> bool {
        self.over.get()
    }

    fn kept(&self, key: &str) -> Option<Ticket> {
        self.name(Keyed::Kept, key).find(self.carried("kept")).map(|(_, value)| self.ticket(value))
    }

    fn keep(&self, key: &str, render: &dyn Fn(&mut Writer<'_>)) -> Result<(), InputError> {
        let mut kept = self.kept.borrow_mut();
        let begin = kept.len();
        // Nothing but what was there is kept of a value that does not fit.
        let _ = kept.resize_default(ONCE_BYTES_MAX);
        let mut w = Writer::new(kept.get_mut(begin..).unwrap_or_default());
        self.name(Keyed::Kept, key).write(&mut w);
        w.str(":");
        render(&mut w);
        w.str(",");
        let (written, complete) = (w.written(), w.is_complete());
        kept.truncate(if complete { begin + written } else { begin });
        if complete { Ok(()) } else { Err(InputError::TooLarge) }
    }

    fn read(&self, ticket: Ticket, look: &mut dyn FnMut(&[u8])) {
        look(Span { start: ticket.0, end: ticket.1 }.of(self.request.doc));
    }
}
