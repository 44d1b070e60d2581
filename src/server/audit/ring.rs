//! The ring itself: two of them, so that refusals, which anybody can bring about, never push out a call.

use std::collections::VecDeque;

use super::entry::AuditEntry;
use crate::limits::AUDIT_REFUSALS_SHARE;

/// The last entries, numbered as they came.
pub(super) struct Ring {
    calls: VecDeque<AuditEntry>,
    refusals: VecDeque<AuditEntry>,
    calls_max: usize,
    refusals_max: usize,
    next: u64,
}

impl Ring {
    /// An empty ring of so many entries, which has its memory.
    pub(super) fn new(entries: usize) -> Self {
        let refusals_max = entries / AUDIT_REFUSALS_SHARE;
        let calls_max = entries - refusals_max;
        let (calls, refusals) = (VecDeque::with_capacity(calls_max), VecDeque::with_capacity(refusals_max));
        Self { calls, refusals, calls_max, refusals_max, next: 1 }
    }

    /// Keeps an entry; the oldest of its kind makes room. A refusal that is like an earlier one takes its place.
    pub(super) fn keep(&mut self, entry: AuditEntry) {
        let (ring, most) = if entry.outcome.is_refusal() {
            (&mut self.refusals, self.refusals_max)
        } else {
            (&mut self.calls, self.calls_max)
        };
        let like = ring.iter().rposition(|other| entry.outcome.is_refusal() && other.is_like(&entry));
        let earlier = like.and_then(|at| ring.remove(at)).map_or(0, |like| like.times);
        while ring.len() >= most {
            if ring.pop_front().is_none() {
                return;
            }
        }
        ring.push_back(AuditEntry { number: self.next, times: entry.times.saturating_add(earlier), ..entry });
        self.next += 1;
    }

    /// The newest entry that is older than the one of this number.
    pub(super) fn before(&self, number: u64) -> Option<&AuditEntry> {
        let newest =
            |ring: &'_ VecDeque<AuditEntry>| ring.partition_point(|entry| entry.number < number).checked_sub(1);
        let call = newest(&self.calls).and_then(|at| self.calls.get(at));
        let refusal = newest(&self.refusals).and_then(|at| self.refusals.get(at));
        call.into_iter().chain(refusal).max_by_key(|entry| entry.number)
    }
}
