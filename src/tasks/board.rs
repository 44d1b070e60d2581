//! All that there is of tasks, in two parts: a tool reads answers while it writes its result.

use core::cell::RefCell;

use super::inbox::{Inbox, Inputs};
use super::{Lives, Slot, Status, Tasks, View};
use crate::json::Writer;

/// The memory of tasks: the same number of each.
pub(crate) struct Memory<'m> {
    pub(crate) slots: &'m mut [Slot],
    pub(crate) inboxes: &'m mut [Inbox],
    /// [`TASK_BYTES_MAX`](crate::limits::TASK_BYTES_MAX) for each: its request, then its result.
    pub(crate) results: &'m mut [u8],
    /// [`TASK_INPUT_BYTES_MAX`](crate::limits::TASK_INPUT_BYTES_MAX) for each.
    pub(crate) inputs: &'m mut [u8],
}

/// All tasks of a server.
pub(crate) struct Board<'m> {
    /// The tasks.
    pub(crate) tasks: RefCell<Tasks<'m>>,
    /// What they ask.
    pub(crate) inputs: RefCell<Inputs<'m>>,
    voice: Option<Voice>,
}

/// Writes what a client can see of a task: the members of a `DetailedTask`, or (false) those of a `Task`. A program without tasks has no such
/// code.
pub(crate) type Voice = fn(&mut Writer<'_>, &View<'_>, bool);

/// Tells what a client can see of a task at one moment from what it can see at another: all changes so far, to the task and to what it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(u32);

impl Stamp {
    /// That of no task.
    pub(crate) const NONE: Self = Self(0);
}

impl<'m> Board<'m> {
    /// No tasks, in this memory.
    pub(crate) fn new(memory: Memory<'m>, lives: Lives, voice: Option<Voice>) -> Self {
        let Memory { slots, inboxes, results, inputs } = memory;
        let tasks = RefCell::new(Tasks::new(slots, results, lives));
        Self { tasks, inputs: RefCell::new(Inputs::new(inboxes, inputs)), voice }
    }

    /// What there is to see of a task now.
    pub(crate) fn stamp(&self, place: usize) -> Stamp {
        // Both only count on, so their sum changes with each.
        Stamp(self.tasks.borrow().stamp(place).wrapping_add(self.inputs.borrow().stamp(place)))
    }

    /// Tells one change of a task from another.
    pub(crate) fn news(&self, place: usize) -> [u8; 8] {
        let (task, inbox) = (self.tasks.borrow().news(place), self.inputs.borrow().stamp(place));
        (u64::from(task) << 32 | u64::from(inbox)).to_le_bytes()
    }

    /// Writes the members of a `DetailedTask`, or of a `Task`. False when there is no task.
    pub(crate) fn write(&self, place: usize, w: &mut Writer<'_>, detailed: bool) -> bool {
        self.voice.and_then(|voice| self.look(place, |view| voice(w, view, detailed))).is_some()
    }

    /// Shows a task, if there is one.
    pub(crate) fn look<T>(&self, place: usize, look: impl FnOnce(&View<'_>) -> T) -> Option<T> {
        let (tasks, inputs) = (self.tasks.borrow(), self.inputs.borrow());
        let mut view = tasks.view(place)?;
        if let (Status::Working, Some(requests)) = (view.status, inputs.requests(place)) {
            view.status = Status::InputRequired(requests);
            view.changed_unix_s = view.changed_unix_s.max(requests.changed_unix_s());
        }
        Some(look(&view))
    }
}
