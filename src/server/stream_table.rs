//! The table of open streams.

use core::num::NonZeroU16;

use super::core::{SlotRef, index16, index32};
use super::stats;
use super::streams::{NewStream, News, Open, Rendered, Rest, Stream};
use crate::pool::Pool;
use crate::session::{NameRef, Names, PrincipalId};

/// A stream, and which of its slot's streams it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamRef(SlotRef);

impl StreamRef {
    /// The place of its slot.
    pub(super) const fn index(self) -> usize {
        self.0.index()
    }
}

/// All streams. What only those of requests have stands beside the slots: there may be thousands of the others.
pub(super) struct Streams<'m> {
    slots: Pool<'m, Stream>,
    rests: Pool<'m, Rest>,
    /// Rests that are in use.
    kept: usize,
    opened: u64,
    closed: u64,
    most: u64,
}

impl<'m> Streams<'m> {
    /// No streams, in these slots, with a rest for each.
    pub(super) fn new(slots: Pool<'m, Stream>, rests: Pool<'m, Rest>) -> Self {
        Self { slots, rests, kept: 0, opened: 0, closed: 0, most: 0 }
    }

    /// Opens a stream. `None` when there is no slot.
    pub(super) fn open(&mut self, new: &NewStream) -> Option<StreamRef> {
        // There is none to look for among thousands while all that were in use still are.
        let has_free = self.now() < self.slots.len();
        let free = has_free.then(|| self.slots.iter().position(|slot| slot.open().is_none())).flatten();
        let index = free.or_else(|| self.slots.add(Stream::EMPTY))?;
        let rest = match Rest::of(new) {
            Some(rest) => Some(self.keep(rest)?),
            None => None,
        };
        let slot = self.slots.get_mut(index)?;
        *slot = Stream::Open(Open::new(new, rest, slot.generation()));
        let generation = slot.generation();
        self.opened += 1;
        self.most = self.most.max(self.opened - self.closed);
        Some(StreamRef(SlotRef::new(index32(index), generation)))
    }

    // Streams that are open.
    fn now(&self) -> usize {
        usize::try_from(self.opened - self.closed).unwrap_or(usize::MAX)
    }

    /// Fills in what it counts.
    pub(super) fn tell(&self, stats: &mut stats::Streams) {
        (stats.opened, stats.closed, stats.most) = (self.opened, self.closed, self.most);
        (stats.now, stats.capacity) = (self.opened - self.closed, self.slots.capacity() as u64);
    }

    // Its place, counted from 1.
    fn keep(&mut self, rest: Rest) -> Option<NonZeroU16> {
        let has_free = self.kept < self.rests.len();
        let free = has_free.then(|| self.rests.iter().position(Rest::is_free)).flatten();
        let place = free.or_else(|| self.rests.add(Rest::Free))?;
        *self.rests.get_mut(place)? = rest;
        self.kept += 1;
        NonZeroU16::new(index16(place + 1))
    }

    /// Where it is kept what the client of a stream without a session calls itself.
    pub(super) fn name(&self, open: &Open) -> NameRef {
        self.rest(open).name()
    }

    /// Who listens to a stream without a session.
    pub(super) fn listener_at(&self, index: usize) -> Option<PrincipalId> {
        self.rest(self.slots.get(index)?.open()?).listener()
    }

    // What few streams have.
    fn rest(&self, open: &Open) -> &Rest {
        open.rest.and_then(|place| self.rests.get(index_of(place))).unwrap_or(&Rest::Free)
    }

    /// Renders what is due to a stream: see [`Open::render`].
    pub(super) fn render(&mut self, stream: StreamRef, news: &News<'_, '_>, buf: &mut [u8]) -> Rendered {
        let Some(slot) = self.slots.get_mut(stream.index()).filter(|slot| slot.generation() == stream.0.generation())
        else {
            return Rendered::Nothing;
        };
        let Some(open) = slot.open_mut() else { return Rendered::Nothing };
        match open.rest.and_then(|place| self.rests.get_mut(index_of(place))) {
            Some(rest) => open.render(rest, news, buf),
            None => open.render(&mut Rest::Free, news, buf),
        }
    }

    /// The call whose stream this is: its client, and the number of its stream.
    pub(super) fn call(&self, stream: StreamRef) -> Option<(u64, u64)> {
        let slot = self.slots.get(stream.index()).filter(|slot| slot.generation() == stream.0.generation())?;
        let open = slot.open()?;
        open.call(self.rest(open))
    }

    /// Somebody listens to one of these tasks.
    pub(super) fn hears_task(&self, tasks: u64) -> bool {
        self.rests.iter().any(|rest| rest.tasks() & tasks != 0)
    }

    /// A stream that hears one of these tasks has written an event in part.
    pub(super) fn is_telling(&self, tasks: u64) -> bool {
        self.iter().any(|(_, open)| self.rest(open).tasks() & tasks != 0 && !open.is_between())
    }

    /// Nobody listens to these tasks any more.
    pub(super) fn forget_task(&mut self, tasks: u64) {
        self.rests.iter_mut().for_each(|rest| rest.forget_tasks(tasks));
    }

    /// The slots that were in use so far, in order.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Every slot is taken.
    pub(super) fn is_full(&self) -> bool {
        self.now() >= self.slots.capacity()
    }

    /// Frees a slot, and lets the name go that was kept for its stream.
    pub(super) fn close(&mut self, stream: StreamRef, names: &mut Names<'_>) -> Option<Open> {
        let slot = self.slots.get_mut(stream.index()).filter(|slot| slot.generation() == stream.0.generation())?;
        let open = slot.take()?;
        self.closed += 1;
        let rest = open.rest.and_then(|place| self.rests.get_mut(index_of(place)));
        if let Some(rest) = rest {
            names.let_go(rest.name());
            *rest = Rest::Free;
            self.kept = self.kept.saturating_sub(1);
        }
        Some(open)
    }

    /// The stream in this slot.
    pub(super) fn at(&mut self, index: usize) -> Option<&mut Open> {
        self.slots.get_mut(index)?.open_mut()
    }

    /// The stream in this slot, to be looked at.
    pub(super) fn look(&self, index: usize) -> Option<&Open> {
        self.slots.get(index)?.open()
    }

    /// A stream that may have been closed since.
    pub(super) fn get(&mut self, stream: StreamRef) -> Option<&mut Open> {
        let slot = self.slots.get_mut(stream.index()).filter(|slot| slot.generation() == stream.0.generation())?;
        slot.open_mut()
    }

    /// A reference that goes stale when the stream closes.
    pub(super) fn reference(&self, index: usize) -> Option<StreamRef> {
        let slot = self.slots.get(index).filter(|slot| slot.open().is_some())?;
        Some(StreamRef(SlotRef::new(index32(index), slot.generation())))
    }

    /// The open streams.
    pub(super) fn iter(&self) -> impl Iterator<Item = (StreamRef, &Open)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let open = slot.open()?;
            Some((StreamRef(SlotRef::new(index32(index), slot.generation())), open))
        })
    }
}

// The index of a place that is counted from 1.
fn index_of(place: NonZeroU16) -> usize {
    usize::from(place.get()) - 1
}
