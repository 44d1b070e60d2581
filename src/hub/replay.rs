//! Looking back: where a client that comes again goes on.

use super::{Audience, Hub, Kind, Next};
use crate::sse::END_OF_CALL;

impl Hub<'_> {
    /// The oldest event that there is.
    pub(crate) fn tail(&self) -> u64 {
        self.tail
    }

    /// Whether an event begins at this position, or the next one will: a client may say any number.
    pub(crate) fn is_boundary(&self, position: u64) -> bool {
        if position > self.head {
            return false;
        }
        let mut at = self.tail;
        // As many steps as there are events.
        while at < position {
            at = self.behind(at);
        }
        at == position
    }

    /// Whether the end of a call is among the events.
    pub(crate) fn has_end(&self, client: u64, stream: u64) -> bool {
        self.has_event(client, stream, END_OF_CALL)
    }

    /// Whether this event of a call is among the events.
    pub(crate) fn has_event(&self, client: u64, stream: u64, event: u32) -> bool {
        let kind = Kind::Call { stream, event };
        let mut at = self.tail;
        while let Next::Event(event, next) = self.next(at) {
            if event.kind == kind && event.audience == Audience::Client(client) {
                return true;
            }
            at = next;
        }
        false
    }
}
