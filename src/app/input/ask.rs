//! The seam between the face and whoever brings the questions to the client.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{Capability, InputError};
use crate::app::caught;
use crate::app::caught::{Panicked, poll_unwound};
use crate::json::{Kind as JsonKind, Value, Writer};

/// How a call's questions reach its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// 2026-07-28: the pass ends with `input_required`, and the client's next request, with the answers, runs the handler again.
    Again,
    /// Older revisions: a JSON-RPC request on the call's event stream; the call waits for the answer.
    Send,
    /// A task: the question is held where the client looks for it ([`Ask::open`] renders it); the task waits for the answer.
    Hold,
    /// There is none.
    Closed,
}

/// Which kind of question it is: its method, what it needs, what an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `elicitation/create` with a form.
    Form,
    /// `elicitation/create` with a form that says yes or no to these words, of which this is a hash. In no way does it find an answer that came
    /// before it was put.
    Confirm(u64),
    /// `elicitation/create` with a URL.
    Url,
    /// `sampling/createMessage`.
    Sampling,
    /// `roots/list`.
    Roots,
}

impl Kind {
    /// The method.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Form | Self::Confirm(_) | Self::Url => "elicitation/create",
            Self::Sampling => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// What a client must have declared.
    pub(crate) const fn needs(self) -> Capability {
        match self {
            Self::Form | Self::Confirm(_) => Capability::Elicitation,
            Self::Url => Capability::ElicitationUrl,
            Self::Sampling => Capability::Sampling,
            Self::Roots => Capability::Roots,
        }
    }

    /// Whether a value has the shape of an answer (`ElicitResult`, `CreateMessageResult`, `ListRootsResult`). Its content may still not fit.
    pub(crate) fn fits(self, answer: Value<'_>) -> bool {
        let has = |key: &str, kind| answer.get(key).is_some_and(|value| value.kind() == kind);
        match self {
            Self::Form | Self::Confirm(_) | Self::Url => {
                let action = answer.get("action").and_then(Value::as_text);
                let accepts = action.is_some_and(|action| action.eq_str("accept"));
                let ends = action.is_some_and(|action| action.eq_str("decline") || action.eq_str("cancel"));
                ends || (accepts && (has("content", JsonKind::Object) || !answer.has("content")))
            }
            Self::Sampling => {
                has("model", JsonKind::String)
                    && has("role", JsonKind::String)
                    && (has("content", JsonKind::Object) || has("content", JsonKind::Array))
            }
            Self::Roots => has("roots", JsonKind::Array),
        }
    }
}

/// What an author's keys name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyed {
    /// A question.
    Question,
    /// What is kept for the passes to come.
    Kept,
}

/// One question, for as long as it is put.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// Its name among the questions of the call.
    pub(crate) key: &'q str,
    /// What it asks for.
    pub(crate) kind: Kind,
    /// Renders its `params`, each time the same.
    pub(crate) params: &'q dyn Fn(&mut Writer<'_>, WriteId<'_>),
}

/// Writes the JSON-RPC id of the question's request, which is its `elicitationId` too (2025-11-25); `None` where it has none.
pub(crate) type WriteId<'i> = Option<&'i dyn Fn(&mut Writer<'_>)>;

impl Question<'_> {
    /// Writes its `method` and `params`, as the members of an object.
    pub(crate) fn write(&self, w: &mut Writer<'_>, id: WriteId<'_>) {
        w.str(r#""method":"#).string(self.kind.method()).str(r#","params":"#);
        (self.params)(w, id);
    }
}

/// The place of a question, or of its answer, with whoever brings it: two numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(pub(crate) u32, pub(crate) u32);

/// Who brings a call's questions to its client, and the answers back. Object-safe, allocates nothing; what waits is polled.
///
/// The order of events, by the way:
/// - `Again`: [`find`](Self::find) for each question; where one has no answer, [`write_state`](Self::write_state) and
///   [`end_pass`](Self::end_pass), after which the handler is dropped.
/// - `Send`, `Hold`: [`open`](Self::open) for each; then (`Send`) the request with [`write_id`](Self::write_id) goes out on the call's stream;
///   then [`poll_answer`](Self::poll_answer) for each.
/// - then [`read`](Self::read) as often as wanted, and [`forget`](Self::forget) once, also for what never was answered.
pub(crate) trait Ask {
    /// How the questions go.
    fn way(&self) -> Way;

    /// What the client declared: the bits of [`Capability`].
    fn capabilities(&self) -> u16;

    /// `Again`: the answer that came with the request, if it has the shape of one.
    fn find(&self, _question: &Question<'_>) -> Option<Ticket> {
        None
    }

    /// `Again`: writes the name of a question, by which its answer comes, as a JSON string.
    fn write_key(&self, question: &Question<'_>, w: &mut Writer<'_>) {
        w.string(question.key);
    }

    /// `Again`: what this key names was found, or made. From here on it names something else: a question that is put again is another one.
    ///
    /// # Errors
    /// [`InputError::TooLarge`]: the call has used more keys than can be told apart.
    fn used(&self, _what: Keyed, _key: &str) -> Result<(), InputError> {
        Ok(())
    }

    /// `Again`: whether [`write_state`](Self::write_state) can write all there is to keep.
    ///
    /// # Errors
    /// [`InputError::TooLarge`].
    fn check_state(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// `Again`: writes the members of the result behind `inputRequests`, with a comma in front.
    fn write_state(&self, _w: &mut Writer<'_>) {}

    /// `Again`: the questions are written, the pass is over.
    fn end_pass(&self) {}

    /// `Again`: the pass is over; the handler is dropped.
    fn is_pass_over(&self) -> bool {
        false
    }

    /// `Again`: what an earlier pass kept under this key.
    fn kept(&self, _key: &str) -> Option<Ticket> {
        None
    }

    /// `Again`: keeps a value for the passes to come. Others have no further pass, and keep nothing.
    ///
    /// # Errors
    /// [`InputError::TooLarge`].
    fn keep(&self, _key: &str, _render: &dyn Fn(&mut Writer<'_>)) -> Result<(), InputError> {
        Ok(())
    }

    /// `Again`: this pass makes a value that is made once ([`Call::once`](crate::Call::once)): it may act, and did more than ask.
    fn makes(&self) {}

    /// `Again`: the answer to a confirmation that came with the request is used: what it is for may run, this once.
    ///
    /// # Errors
    /// [`InputError::Used`]: it ran before.
    fn spend(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// `Hold`: the user has said yes to these words just before the call became a task. Each yes is told of once: it is used up.
    fn is_confirmed(&self, _words: u64) -> bool {
        false
    }

    /// `Send`, `Hold`: takes a place for a question.
    ///
    /// # Errors
    /// Why there is none: `Full`, `TooLarge`, `Gone`.
    fn open(&self, _question: &Question<'_>) -> Result<Ticket, InputError> {
        Err(InputError::NoWay)
    }

    /// `Send`: writes the JSON-RPC id of a question's request.
    fn write_id(&self, _ticket: Ticket, _w: &mut Writer<'_>) {}

    /// `Send`: the request went out as this event of the call's stream (0: its events have no numbers).
    fn sent(&self, _ticket: Ticket, _event: u32) {}

    /// `Send`: the client came back for the call, and can't have had the request, nor will it get it: it must be sent again. Wakes when that
    /// comes about.
    fn poll_missed(&self, _cx: &mut Context<'_>, _ticket: Ticket) -> bool {
        false
    }

    /// `Send`, `Hold`: waits for the answer.
    ///
    /// # Errors
    /// Why none will come.
    fn poll_answer(&self, _cx: &mut Context<'_>, _ticket: Ticket) -> Poll<Result<(), InputError>> {
        Poll::Ready(Err(InputError::NoWay))
    }

    /// Shows the JSON text of an answer (scanned); not at all where it is gone. What looks must not ask in its turn.
    fn read(&self, _ticket: Ticket, _look: &mut dyn FnMut(&[u8])) {}

    /// The question, and its answer, are needed no more.
    fn forget(&self, _ticket: Ticket) {}
}

/// There is no way to ask anybody.
pub(crate) struct Nobody;

impl Ask for Nobody {
    fn way(&self) -> Way {
        Way::Closed
    }

    fn capabilities(&self) -> u16 {
        0
    }
}

/// Runs a handler until its end, its panic, or (`None`) until it asked what the client will answer in another request.
pub(crate) async fn pass<F: Future>(
    ask: &dyn Ask,
    mut handler: Pin<&mut Option<F>>,
) -> Option<Result<F::Output, Panicked>> {
    poll_fn(|cx| {
        let Some(running) = handler.as_mut().as_pin_mut() else { return Poll::Pending };
        match poll_unwound(running, cx) {
            // Also where the handler went on without the answer: the question is the response already.
            _ if ask.is_pass_over() => {
                // A handler may panic when it is dropped: that is its own affair.
                if caught(|| handler.set(None)).is_none() {
                    log::error!("a handler panicked when it was dropped");
                }
                Poll::Ready(None)
            }
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
