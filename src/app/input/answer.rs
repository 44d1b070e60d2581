//! Answers: where they lie, and what is in them.

use core::fmt;

use super::ask::{Ask, Kind, Ticket};
use super::{InputError, QUESTIONS_MAX};
use crate::json::{self, Text, Value};
use crate::outlet::Out;

/// What became of a form or a page that a user was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elicited<T> {
    /// The user filled it in, or agreed to open the page.
    Accepted(T),
    /// The user said no.
    Declined,
    /// The user closed it without a choice.
    Cancelled,
}

impl<T> Elicited<T> {
    /// What was filled in, if it was.
    pub fn accepted(self) -> Option<T> {
        if let Self::Accepted(content) = self { Some(content) } else { None }
    }

    /// The protocol's name for it: `accept`, `decline` or `cancel`.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accept",
            Self::Declined => "decline",
            Self::Cancelled => "cancel",
        }
    }

    /// The same of what was made from the content.
    ///
    /// # Errors
    /// That of `make`.
    pub(super) fn try_map<U, E>(self, make: impl FnOnce(T) -> Result<U, E>) -> Result<Elicited<U>, E> {
        Ok(match self {
            Self::Accepted(content) => Elicited::Accepted(make(content)?),
            Self::Declined => Elicited::Declined,
            Self::Cancelled => Elicited::Cancelled,
        })
    }
}

/// The content of a form whose schema is written by hand. Displayed, it is its JSON text.
pub struct Content<'a>(pub(super) Answer<'a>);

impl Content<'_> {
    /// A member that is a text, if there is one of this name.
    pub fn text(&self, name: &str) -> Option<impl fmt::Display> {
        self.0.with(|answer| Some(content(answer)?.get(name)?.as_text().is_some()))??.then_some(())?;
        Some(Shown(&self.0, move |answer: Value<'_>, f: &mut fmt::Formatter<'_>| {
            show(content(answer).and_then(|content| content.get(name)?.as_text()), f)
        }))
    }

    /// A member that is `true` or `false`, if there is one of this name.
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.0.with(|answer| content(answer)?.get(name)?.as_bool()).flatten()
    }

    /// A member that is a number, if there is one of this name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.0.with(|answer| content(answer)?.get(name)?.as_f64()).flatten()
    }
}

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0, |answer: Value<'_>, f: &mut fmt::Formatter<'_>| {
            content(answer).map_or(Ok(()), |content| f.write_str(utf8(content)))
        })
        .fmt(f)
    }
}

/// What a client's model said (`CreateMessageResult`).
pub struct Sampled<'a>(pub(super) Answer<'a>);

impl Sampled<'_> {
    /// Its text; that of all its text blocks, where it has several. Empty where it has none.
    pub fn text(&self) -> impl fmt::Display {
        Shown(&self.0, |answer: Value<'_>, f: &mut fmt::Formatter<'_>| {
            let content = answer.get("content").unwrap_or(Value::new(b"[]"));
            let one = (content.kind() == json::Kind::Object).then_some(content);
            let blocks = one.into_iter().chain(content.elements());
            blocks.filter_map(|block| block.get("text")?.as_text()).try_for_each(|text| fmt::Display::fmt(&text, f))
        })
    }

    /// The model's name.
    pub fn model(&self) -> impl fmt::Display {
        Shown(&self.0, |answer: Value<'_>, f: &mut fmt::Formatter<'_>| {
            show(answer.get("model").and_then(Value::as_text), f)
        })
    }

    /// Why it stopped (`endTurn`, `maxTokens`, ...); empty where the client does not say.
    pub fn stop_reason(&self) -> impl fmt::Display {
        Shown(&self.0, |answer: Value<'_>, f: &mut fmt::Formatter<'_>| {
            show(answer.get("stopReason").and_then(Value::as_text), f)
        })
    }

    /// The whole result, as JSON text.
    pub fn json(&self) -> impl fmt::Display {
        Shown(&self.0, |answer: Value<'_>, f: &mut fmt::Formatter<'_>| f.write_str(utf8(answer)))
    }
}

/// The folders that a client works in (`ListRootsResult`).
pub struct Roots<'a>(pub(super) Answer<'a>);

impl<'a> Roots<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.with(|answer| roots(answer).count()).unwrap_or_default()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Root<'_, 'a>> {
        (0..self.len()).map(|at| Root { answer: &self.0, at })
    }
}

/// One folder.
#[derive(Clone, Copy)]
pub struct Root<'s, 'a> {
    answer: &'s Answer<'a>,
    at: usize,
}

impl<'s, 'a> Root<'s, 'a> {
    /// Its URI (`file://...`).
    pub fn uri(&self) -> impl fmt::Display + use<'s, 'a> {
        self.member("uri")
    }

    /// Its name for people; empty where it has none.
    pub fn name(&self) -> impl fmt::Display + use<'s, 'a> {
        self.member("name")
    }

    fn member(&self, name: &'static str) -> impl fmt::Display + use<'s, 'a> {
        let at = self.at;
        Shown(self.answer, move |answer: Value<'_>, f: &mut fmt::Formatter<'_>| {
            show(roots(answer).nth(at).and_then(|root| root.get(name)?.as_text()), f)
        })
    }
}

fn roots(answer: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    answer.get("roots").into_iter().flat_map(Value::elements)
}

fn content(answer: Value<'_>) -> Option<Value<'_>> {
    answer.get("content")
}

fn show(text: Option<Text<'_>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    text.map_or(Ok(()), |text| fmt::Display::fmt(&text, f))
}

// Every answer was scanned, so it is UTF-8.
fn utf8(value: Value<'_>) -> &str {
    str::from_utf8(value.raw()).unwrap_or_default()
}

/// A part of an answer, read each time it is displayed.
struct Shown<'s, 'a, F>(&'s Answer<'a>, F);

impl<F: Fn(Value<'_>, &mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Shown<'_, '_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.with(|answer| (self.1)(answer, f)).unwrap_or(Ok(()))
    }
}

/// An answer, where it lies. Its place is free again when this is dropped.
pub(super) struct Answer<'a> {
    ask: &'a dyn Ask,
    ticket: Ticket,
}

impl Answer<'_> {
    /// Looks at it. `None` where it is gone.
    pub(super) fn with<R>(&self, look: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        let (mut look, mut seen) = (Some(look), None);
        self.ask.read(self.ticket, &mut |raw| seen = look.take().map(|look| look(Value::new(raw))));
        seen
    }

    /// What became of a form or a page.
    pub(super) fn elicited(&self, kind: Kind) -> Result<Elicited<()>, InputError> {
        self.check(kind)?;
        let elicited = self.with(|answer| {
            let action = answer.get("action").and_then(Value::as_text)?;
            let accepted = action.eq_str("accept").then_some(Elicited::Accepted(()));
            Some(accepted.unwrap_or(if action.eq_str("decline") { Elicited::Declined } else { Elicited::Cancelled }))
        });
        elicited.flatten().ok_or(InputError::Gone)
    }

    /// It has the shape of an answer to such a question.
    pub(super) fn check(&self, kind: Kind) -> Result<(), InputError> {
        match self.with(|answer| kind.fits(answer)) {
            Some(true) => Ok(()),
            Some(false) => Err(InputError::Invalid),
            None => Err(InputError::Gone),
        }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        self.ask.forget(self.ticket);
    }
}

/// The places of the questions that were put, in their order; those that nobody takes are free again when this is dropped.
pub struct Held<'a> {
    ask: &'a dyn Ask,
    out: Out<'a>,
    tickets: heapless::Deque<Ticket, QUESTIONS_MAX>,
}

impl<'a> Held<'a> {
    /// None yet.
    pub(super) const fn new(ask: &'a dyn Ask, out: Out<'a>) -> Self {
        Self { ask, out, tickets: heapless::Deque::new() }
    }

    /// One more.
    pub(super) fn push(&mut self, ticket: Ticket) -> Result<(), InputError> {
        self.tickets.push_back(ticket).map_err(|ticket| {
            self.ask.forget(ticket);
            InputError::TooLarge
        })
    }

    /// All of them.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.tickets.iter().copied()
    }

    /// The answer to the first question that was not taken yet.
    pub(super) fn take(&mut self) -> Result<Answer<'a>, InputError> {
        let ticket = self.tickets.pop_front().ok_or(InputError::Gone)?;
        Ok(Answer { ask: self.ask, ticket })
    }

    /// Lends a buffer to unescape strings in.
    pub(super) fn with_scratch<R>(&self, read: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        self.out.lend(read)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.tickets.iter().for_each(|ticket| self.ask.forget(*ticket));
    }
}
