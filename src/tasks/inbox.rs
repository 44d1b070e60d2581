//! What tasks ask their clients, and the answers: `inputRequests` of `tasks/get`, `inputResponses` of `tasks/update`.

use core::task::{Context, Poll, Waker};

use super::Now;
use crate::app::{InputError, Question, Ticket};
use crate::json::{Text, Value, Writer};
use crate::limits::{QUESTIONS_MAX, TASK_INPUT_BYTES_MAX};

/// The questions of one task.
pub(crate) struct Inbox {
    puts: heapless::Vec<Put, QUESTIONS_MAX>,
    /// Bytes of the buffer that have texts.
    used: usize,
    /// How many questions the task has put.
    count: u32,
    /// Grows with everything that a client can see.
    stamp: u32,
    changed_unix_s: u64,
    waker: Option<Waker>,
}

/// A question that was put. Its text lies in the buffer: first what is asked, as a member of an object; then the answer.
#[derive(Clone, Copy)]
struct Put {
    number: u32,
    start: usize,
    bytes: usize,
    /// Characters of the member's name, as JSON.
    name: usize,
    kind: crate::app::QuestionKind,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Answered,
    /// The answer was larger than the buffer.
    TooLarge,
}

impl Inbox {
    /// One without questions.
    pub(crate) const EMPTY: Self =
        Self { puts: heapless::Vec::new(), used: 0, count: 0, stamp: 0, changed_unix_s: 0, waker: None };

    fn change(&mut self, now: Now) {
        self.changed_unix_s = now.unix_s;
        self.stamp = self.stamp.wrapping_add(1);
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn put(&self, ticket: Ticket) -> Option<usize> {
        self.puts.iter().position(|put| put.number == ticket.0)
    }

    // Takes a text out of the buffer; those behind it move up.
    fn cut(&mut self, at: usize, buffer: &mut [u8]) {
        let Some(put) = self.puts.get_mut(at) else { return };
        let (start, bytes) = (put.start, put.bytes);
        put.bytes = 0;
        buffer.copy_within(start + bytes..self.used, start);
        self.used -= bytes;
        for other in self.puts.iter_mut().filter(|other| other.start > start) {
            other.start -= bytes;
        }
    }

    // Whether this is the name of a question that waits for its answer.
    fn asked(&self, name: Text<'_>, buffer: &[u8]) -> Option<usize> {
        self.puts.iter().position(|put| {
            // Between the quotes.
            let own = buffer.get(put.start + 1..put.start + 1 + put.name).unwrap_or_default();
            put.state == State::Asked && Text::new(own).chars().eq(name.chars())
        })
    }
}

/// The questions of all tasks, over lent memory.
pub(crate) struct Inputs<'m> {
    inboxes: &'m mut [Inbox],
    /// [`TASK_INPUT_BYTES_MAX`] for each.
    buffers: &'m mut [u8],
}

/// What a task waits for.
#[derive(Clone, Copy)]
pub(crate) struct Requests<'t> {
    inbox: &'t Inbox,
    buffer: &'t [u8],
}

impl<'t> Requests<'t> {
    /// The members of `inputRequests`.
    pub(crate) fn members(self) -> impl Iterator<Item = &'t [u8]> {
        let asked = self.inbox.puts.iter().filter(|put| put.state == State::Asked);
        asked.map(move |put| self.buffer.get(put.start..put.start + put.bytes).unwrap_or_default())
    }

    /// When that changed last.
    pub(super) fn changed_unix_s(self) -> u64 {
        self.inbox.changed_unix_s
    }
}

impl<'m> Inputs<'m> {
    /// No questions.
    pub(crate) fn new(inboxes: &'m mut [Inbox], buffers: &'m mut [u8]) -> Self {
        inboxes.fill_with(|| Inbox::EMPTY);
        Self { inboxes, buffers }
    }

    /// A task begins, or has ended: nothing is asked.
    pub(crate) fn clear(&mut self, place: usize) {
        if let Some(inbox) = self.inboxes.get_mut(place) {
            *inbox = Inbox { stamp: inbox.stamp.wrapping_add(1), ..Inbox::EMPTY };
        }
    }

    /// Puts a question. Its name is its key and a number, as no name may come twice in the life of a task.
    ///
    /// # Errors
    /// `Full`: the task has [`QUESTIONS_MAX`] others; `TooLarge`: there is no room for its text.
    pub(crate) fn open(&mut self, place: usize, question: &Question<'_>, now: Now) -> Result<Ticket, InputError> {
        let (inbox, buffer) = self.both(place).ok_or(InputError::NoWay)?;
        let number = inbox.count.wrapping_add(1);
        let mut w = Writer::new(buffer.get_mut(inbox.used..).unwrap_or_default());
        w.str("\"").escaped(question.key).str("-").uint(u64::from(number));
        let name = w.written().saturating_sub(1);
        w.str("\":{");
        question.write(&mut w, None);
        w.str("}");
        if !w.is_complete() {
            return Err(InputError::TooLarge);
        }
        let (start, bytes) = (inbox.used, w.written());
        let put = Put { number, start, bytes, name, kind: question.kind, state: State::Asked };
        inbox.puts.push(put).map_err(|_| InputError::Full)?;
        inbox.count = number;
        inbox.used += bytes;
        inbox.change(now);
        Ok(Ticket(number, 0))
    }

    /// Takes the answers that a client gives: those to what is asked. False, and nothing is taken, when one has not the shape of an answer.
    pub(crate) fn answer(&mut self, place: usize, responses: Value<'_>, now: Now) -> bool {
        let Some((inbox, buffer)) = self.both(place) else { return true };
        let fits = responses.members().all(|(name, response)| {
            let asked = inbox.asked(name, buffer);
            let kind = asked.and_then(|at| inbox.puts.get(at)).map(|put| put.kind);
            // Two answers to one question are none.
            let is_only = || responses.only(|other| inbox.asked(other, buffer) == asked).is_some();
            kind.is_none_or(|kind| kind.fits(response) && is_only())
        });
        if !fits {
            return false;
        }
        for (name, response) in responses.members() {
            let Some(at) = inbox.asked(name, buffer) else { continue };
            inbox.cut(at, buffer);
            let (start, answer) = (inbox.used, response.raw());
            let room = buffer.get_mut(start..start + answer.len());
            let Some(put) = inbox.puts.get_mut(at) else { continue };
            put.start = start;
            put.state = if room.is_some() { State::Answered } else { State::TooLarge };
            if let Some(room) = room {
                room.copy_from_slice(answer);
                put.bytes = answer.len();
                inbox.used += answer.len();
            }
            inbox.change(now);
        }
        inbox.wake();
        true
    }

    /// Waits for an answer.
    ///
    /// # Errors
    /// `TooLarge`: it was larger than the room for it; `Gone`: nobody asks that.
    pub(crate) fn poll_answer(
        &mut self,
        place: usize,
        cx: &Context<'_>,
        ticket: Ticket,
    ) -> Poll<Result<(), InputError>> {
        let Some(inbox) = self.inboxes.get_mut(place) else { return Poll::Ready(Err(InputError::Gone)) };
        let put = inbox.put(ticket).and_then(|at| inbox.puts.get(at));
        match put.map(|put| put.state) {
            Some(State::Answered) => Poll::Ready(Ok(())),
            Some(State::TooLarge) => Poll::Ready(Err(InputError::TooLarge)),
            Some(State::Asked) => {
                inbox.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(Err(InputError::Gone)),
        }
    }

    /// The answer to a question, as JSON.
    pub(crate) fn read(&self, place: usize, ticket: Ticket) -> Option<&[u8]> {
        let inbox = self.inboxes.get(place)?;
        let put = inbox.puts.get(inbox.put(ticket)?).filter(|put| put.state == State::Answered)?;
        self.buffers.get(place * TASK_INPUT_BYTES_MAX + put.start..)?.get(..put.bytes)
    }

    /// A question, or its answer, is needed no more.
    pub(crate) fn forget(&mut self, place: usize, ticket: Ticket, now: Now) {
        let Some((inbox, buffer)) = self.both(place) else { return };
        let Some(at) = inbox.put(ticket) else { return };
        inbox.cut(at, buffer);
        let put = inbox.puts.remove(at);
        if put.state == State::Asked {
            inbox.change(now);
        }
    }

    /// What a task waits for; `None` when it is nothing.
    pub(super) fn requests(&self, place: usize) -> Option<Requests<'_>> {
        let inbox = self.inboxes.get(place)?;
        let buffer = self.buffers.get(place * TASK_INPUT_BYTES_MAX..)?;
        inbox.puts.iter().any(|put| put.state == State::Asked).then_some(Requests { inbox, buffer })
    }

    /// Tells what a client can see here from what it could see before.
    pub(super) fn stamp(&self, place: usize) -> u32 {
        self.inboxes.get(place).map_or(0, |inbox| inbox.stamp)
    }

    fn both(&mut self, place: usize) -> Option<(&mut Inbox, &mut [u8])> {
        let buffer = self.buffers.chunks_exact_mut(TASK_INPUT_BYTES_MAX).nth(place)?;
        Some((self.inboxes.get_mut(place)?, buffer))
    }
}
