//! The handler's side of an outlet: it writes, and waits for room.

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::frame::Piece;
use super::{Mark, Outlet};
use crate::http::Status;
use crate::json::{self, Writer};

/// What a handler may do with what takes its answer: an [`Outlet`], whoever owns its buffer, or a task. Polled; [`Out`] waits, and says more of
/// each.
pub(crate) trait Pen {
    /// Gives way once every [`TURN_STEPS`](crate::limits::TURN_STEPS): what is written to where nobody reads never waits, and a handler that only writes
    /// would keep the thread.
    fn poll_turn(&self, cx: &Context<'_>) -> Poll<()>;
    /// Appends what `render` writes, behind its first `skip` bytes.
    fn poll_write(&self, cx: &Context<'_>, skip: &mut usize, render: &dyn Fn(&mut Writer<'_>)) -> Poll<()>;
    /// Appends `rest` as the inside of a JSON string.
    fn poll_escaped(&self, cx: &Context<'_>, rest: &mut &[u8]) -> Poll<()>;
    /// Appends base64 of `rest`.
    fn poll_base64(&self, cx: &Context<'_>, rest: &mut &[u8]) -> Poll<()>;
    /// Sends a notification; false when it can't be sent.
    fn poll_notify(&self, cx: &Context<'_>, render: &dyn Fn(&mut Writer<'_>)) -> Poll<bool>;
    /// A notification can be sent, as long as there is room for it.
    fn can_notify(&self) -> bool {
        false
    }
    /// How many events with ids there were.
    fn events(&self) -> u32 {
        0
    }
    /// Waits until nothing is on its way.
    fn poll_idle(&self, cx: &Context<'_>) -> Poll<()>;
    /// Nobody is there to read.
    fn is_gone(&self, cx: &Context<'_>) -> bool;
    /// Keeps a word on how far the call is, where that is looked up; false elsewhere.
    fn note(&self, _text: &str) -> bool {
        false
    }
    /// The answer can't be ended rightly.
    fn break_off(&self);
    /// Lets the connection go: only an answer on a connection of its own can go on without it.
    fn poll_detach(&self, _: &Context<'_>) -> Poll<bool> {
        Poll::Ready(false)
    }
    /// Whether the answer is the handler's no more: an outlet takes nothing then.
    fn set_sealed(&self, _sealed: bool) {}
    /// It is not.
    fn is_sealed(&self) -> bool {
        false
    }
    /// How far the answer has come.
    fn mark(&self) -> Mark;
    /// Forgets what was written since; false when it was sent.
    fn rewind(&self, mark: Mark) -> bool;
    /// The status of the head.
    fn set_status(&self, status: Status);
    /// The head says when to come again, where there is one.
    fn set_retry_after(&self, _seconds: u32) {}
    /// Lends the free part of the buffer.
    fn lend(&self, look: &mut dyn FnMut(&mut [u8]));
}

impl Pen for RefCell<Outlet<'_>> {
    fn poll_turn(&self, cx: &Context<'_>) -> Poll<()> {
        self.borrow_mut().turn.poll(cx)
    }

    fn poll_write(&self, cx: &Context<'_>, skip: &mut usize, render: &dyn Fn(&mut Writer<'_>)) -> Poll<()> {
        self.borrow_mut().poll_fill(cx, |free| {
            let mut w = Writer::resume(free, *skip);
            render(&mut w);
            *skip += w.written();
            (w.written(), w.is_complete())
        })
    }

    fn poll_escaped(&self, cx: &Context<'_>, rest: &mut &[u8]) -> Poll<()> {
        self.borrow_mut().poll_fill(cx, |free| {
            let (consumed, written) = json::escape_into(rest, free);
            *rest = rest.get(consumed..).unwrap_or_default();
            (written, rest.is_empty())
        })
    }

    fn poll_base64(&self, cx: &Context<'_>, rest: &mut &[u8]) -> Poll<()> {
        self.borrow_mut().poll_fill(cx, |free| {
            let (consumed, written) = json::base64_into(rest, free);
            *rest = rest.get(consumed..).unwrap_or_default();
            (written, rest.is_empty())
        })
    }

    fn poll_notify(&self, cx: &Context<'_>, render: &dyn Fn(&mut Writer<'_>)) -> Poll<bool> {
        let mut outlet = self.borrow_mut();
        if outlet.gone || outlet.message_open {
            return Poll::Ready(false);
        }
        if outlet.sealed {
            return Poll::Pending;
        }
        if outlet.flush || !outlet.queue.is_empty() || !outlet.has_kept_all() {
            outlet.wait(cx);
            return Poll::Pending;
        }
        Poll::Ready(outlet.overtake(Piece::Message, render))
    }

    fn poll_detach(&self, cx: &Context<'_>) -> Poll<bool> {
        self.borrow_mut().poll_leave(cx)
    }

    fn can_notify(&self) -> bool {
        self.borrow().can_notify()
    }

    fn events(&self) -> u32 {
        self.borrow().events()
    }

    fn poll_idle(&self, cx: &Context<'_>) -> Poll<()> {
        let mut outlet = self.borrow_mut();
        if outlet.gone || (outlet.queue.is_empty() && outlet.has_kept_all()) {
            return Poll::Ready(());
        }
        outlet.wait(cx);
        Poll::Pending
    }

    fn is_gone(&self, cx: &Context<'_>) -> bool {
        let mut outlet = self.borrow_mut();
        outlet.wait(cx);
        outlet.gone
    }

    fn break_off(&self) {
        self.borrow_mut().break_off();
    }

    fn set_sealed(&self, sealed: bool) {
        self.borrow_mut().sealed = sealed;
    }

    fn is_sealed(&self) -> bool {
        self.borrow().sealed
    }

    fn mark(&self) -> Mark {
        self.borrow().mark()
    }

    fn rewind(&self, mark: Mark) -> bool {
        let mut outlet = self.borrow_mut();
        !outlet.sealed && outlet.rewind(mark)
    }

    fn set_status(&self, status: Status) {
        self.borrow_mut().set_status(status);
    }

    fn set_retry_after(&self, seconds: u32) {
        self.borrow_mut().template().retry_after_seconds = Some(seconds);
    }

    fn lend(&self, look: &mut dyn FnMut(&mut [u8])) {
        look(self.borrow_mut().free());
    }
}

/// The handler's side of an [`Outlet`].
#[derive(Clone, Copy)]
pub(crate) struct Out<'a> {
    pen: &'a dyn Pen,
}

impl<'a> Out<'a> {
    /// Writes to `outlet`, which the owner of the socket empties.
    pub(crate) const fn new<'b: 'a>(outlet: &'a RefCell<Outlet<'b>>) -> Self {
        Self { pen: outlet }
    }

    /// Writes to what is no outlet.
    pub(crate) const fn to(pen: &'a dyn Pen) -> Self {
        Self { pen }
    }

    /// Appends what `render` writes, of any length: it is run again from where the buffer was full.
    pub(crate) fn write<R: Fn(&mut Writer<'_>)>(&self, render: R) -> Write<'a, R> {
        Write { pen: self.pen, skip: 0, render }
    }

    /// Appends JSON text as it is.
    pub(crate) fn str<'t>(&self, text: &'t str) -> impl Future<Output = ()> + use<'a, 't> {
        self.write(move |w| {
            w.str(text);
        })
    }

    /// Appends `text` as the inside of a JSON string, of any length.
    pub(crate) async fn escaped(&self, text: &str) {
        let mut rest = text.as_bytes();
        poll_fn(|cx| {
            ready!(self.pen.poll_turn(cx));
            self.pen.poll_escaped(cx, &mut rest)
        })
        .await;
    }

    /// Appends base64 of `bytes`, of any number, padded at their end: all but the last of several pieces must have a multiple of three.
    pub(crate) async fn base64(&self, bytes: &[u8]) {
        let mut rest = bytes;
        poll_fn(|cx| {
            ready!(self.pen.poll_turn(cx));
            self.pen.poll_base64(cx, &mut rest)
        })
        .await;
    }

    /// What was sent can't be ended rightly: the connection is closed instead, which tells the client that there is no answer.
    pub(crate) fn break_off(&self) {
        self.pen.break_off();
    }

    /// Sends a notification that overtakes the response, as an event of its own; waits while an earlier one is on its way.
    /// False when it could not be sent: the client reads no event streams, or the response is already under way.
    pub(crate) async fn notify(&self, render: impl Fn(&mut Writer<'_>)) -> bool {
        poll_fn(|cx| self.pen.poll_notify(cx, &render)).await
    }

    /// A step of a handler that writes nothing: others get their turn now and then.
    pub(crate) async fn turn(&self) {
        poll_fn(|cx| self.pen.poll_turn(cx)).await;
    }

    /// The number of the event that was sent last; 0 where events have none.
    pub(crate) fn events(&self) -> u32 {
        self.pen.events()
    }

    /// A notification that could not be sent found no room: a shorter one might.
    pub(crate) fn can_notify(&self) -> bool {
        self.pen.can_notify()
    }

    /// Keeps a word on how far the call is, if there is where to look it up: a task has no notifications.
    pub(crate) fn note(&self, text: &str) -> bool {
        self.pen.note(text)
    }

    /// Waits until nothing is on its way, so that the free part of the buffer can be lent.
    pub(crate) async fn idle(&self) {
        poll_fn(|cx| self.pen.poll_idle(cx)).await;
    }

    /// Nobody is there to read; wakes when that comes about.
    pub(crate) fn is_gone(&self, cx: &Context<'_>) -> bool {
        self.pen.is_gone(cx)
    }

    /// Lets the connection go: the rest of the response is kept, for the client to come back for. False where that can't be.
    pub(crate) async fn detach(&self) -> bool {
        poll_fn(|cx| self.pen.poll_detach(cx)).await
    }

    /// The response is whole: what a handler that goes on says after it is not written, and waits for ever.
    pub(crate) fn seal(&self) {
        self.pen.set_sealed(true);
    }

    /// It was sealed, and takes nothing.
    pub(crate) fn is_sealed(&self) -> bool {
        self.pen.is_sealed()
    }

    /// The handler is gone: somebody else writes the response now.
    pub(crate) fn unseal(&self) {
        self.pen.set_sealed(false);
    }

    /// How far the response has come.
    pub(crate) fn mark(&self) -> Mark {
        self.pen.mark()
    }

    /// Forgets what was written since `mark`, as long as nothing of it was sent. False when some was.
    pub(crate) fn rewind(&self, mark: Mark) -> bool {
        self.pen.rewind(mark)
    }

    /// Writes this in place of what was written since `mark`, and seals it. False, and nothing, where some of that was sent.
    ///
    /// Who stops waiting before then finds what was written as it was; or else there is no answer any more, as some of this one went out.
    pub(crate) async fn replace(&self, mark: Mark, render: impl Fn(&mut Writer<'_>)) -> bool {
        self.turn().await;
        self.idle().await;
        if !self.rewind(mark) {
            return false;
        }
        let mut begun = Begun { out: *self, is_whole: false };
        let mut skip = 0;
        poll_fn(|cx| self.pen.poll_write(cx, &mut skip, &render)).await;
        begun.is_whole = true;
        self.seal();
        true
    }

    /// The status of the head, as long as none was written.
    pub(crate) fn set_status(&self, status: Status) {
        self.pen.set_status(status);
    }

    /// The head says in how many seconds to come again, as long as none was written.
    pub(crate) fn set_retry_after(&self, seconds: u32) {
        self.pen.set_retry_after(seconds);
    }

    /// The status of the head is 400 (Bad Request), as long as none was written.
    pub(crate) fn set_bad_request(&self) {
        self.pen.set_status(Status::BAD_REQUEST);
    }

    /// Lends the free part of the transmit buffer.
    pub(crate) fn lend_to(&self, look: &mut dyn FnMut(&mut [u8])) {
        self.pen.lend(look);
    }

    /// The same, for something that comes of it.
    pub(crate) fn lend<T>(&self, look: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let mut look = Some(look);
        let mut result = None;
        self.pen.lend(&mut |free| result = look.take().map(|look| look(free)));
        result
    }
}

/// An answer that has to be written to its end.
struct Begun<'a> {
    out: Out<'a>,
    is_whole: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            self.out.break_off();
        }
    }
}

/// What [`Out::write`] waits for. By hand: an `async fn` would be a state machine for each of the many renderings.
pub(crate) struct Write<'a, R> {
    pen: &'a dyn Pen,
    skip: usize,
    render: R,
}

// It holds nothing that points into it, and pins nothing.
impl<R> Unpin for Write<'_, R> {}

impl<R: Fn(&mut Writer<'_>)> Future for Write<'_, R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { pen, skip, render } = self.get_mut();
        ready!(pen.poll_turn(cx));
        pen.poll_write(cx, skip, render)
    }
}
