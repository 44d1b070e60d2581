//! What streams of requests have beside their slot.

use super::{NewStream, RequestId};
use crate::limits::REST_BYTES_MAX;
use crate::session::{NameRef, PrincipalId};
use crate::tasks::Stamp;

/// What streams of requests have beside their slot: those of a `subscriptions/listen`, and of a call that was resumed.
#[derive(Clone)]
pub(in crate::server) enum Rest {
    /// A free place; what the stream of a session has.
    Free,
    Listener {
        /// The tasks of which it hears.
        tasks: u64,
        /// What there was to see of a task when its event was begun.
        shown: Stamp,
        /// What its client calls itself.
        name: NameRef,
        /// Who listens.
        principal: PrincipalId,
        /// The id of the request, as JSON.
        id: RequestId,
    },
    Call {
        /// Nothing is told but what follows this event of the call.
        after: u32,
        /// The request's id, as event ids have it.
        id: RequestId,
    },
}

const _: () = assert!(size_of::<Rest>() <= REST_BYTES_MAX);

impl Rest {
    /// What a new stream has of this; `None` where it has nothing.
    pub(in crate::server) fn of(new: &NewStream) -> Option<Self> {
        let id = new.request.clone();
        match new.filter.call {
            Some(call) => Some(Self::Call { after: call.after, id }),
            None if new.session.is_some() => None,
            None => {
                let (tasks, name, principal) = (new.filter.tasks, new.name, new.principal);
                Some(Self::Listener { tasks, shown: Stamp::NONE, name, principal, id })
            }
        }
    }

    /// The place is taken by nobody.
    pub(in crate::server) const fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }

    /// The id of the request; empty where there is none.
    pub(in crate::server) fn request(&self) -> &[u8] {
        match self {
            Self::Free => &[],
            Self::Listener { id, .. } | Self::Call { id, .. } => id,
        }
    }

    /// The tasks of which it hears.
    pub(in crate::server) const fn tasks(&self) -> u64 {
        match self {
            Self::Listener { tasks, .. } => *tasks,
            Self::Free | Self::Call { .. } => 0,
        }
    }

    /// It hears no more of these.
    pub(in crate::server) const fn forget_tasks(&mut self, gone: u64) {
        if let Self::Listener { tasks, .. } = self {
            *tasks &= !gone;
        }
    }

    /// Where the name of its client is kept.
    pub(in crate::server) const fn name(&self) -> NameRef {
        match self {
            Self::Listener { name, .. } => *name,
            Self::Free | Self::Call { .. } => NameRef::NONE,
        }
    }

    /// Who listens; of a call's stream the session says that.
    pub(in crate::server) const fn listener(&self) -> Option<PrincipalId> {
        match self {
            Self::Listener { principal, .. } => Some(*principal),
            Self::Free | Self::Call { .. } => None,
        }
    }

    /// It is a call's: the last of its events that the client has.
    pub(super) const fn after(&self) -> Option<u32> {
        match self {
            Self::Call { after, .. } => Some(*after),
            Self::Free | Self::Listener { .. } => None,
        }
    }

    /// Notes what there is to see of a task as its event begins, or tells what there was.
    pub(super) fn shown(&mut self, begins: Option<Stamp>) -> Stamp {
        match (self, begins) {
            (Self::Listener { shown, .. }, Some(stamp)) => {
                *shown = stamp;
                stamp
            }
            (Self::Listener { shown, .. }, None) => *shown,
            _ => Stamp::NONE,
        }
    }
}
