//! What was measured, and its medians.

use crate::counts::Counts;
use crate::process::Memory;

/// What one turn of one server gave.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) cpu_ns_each: f64,
    /// How long clients waited: the median, the 99th and the 99.9th percentile, in nanoseconds.
    pub(crate) waits_ns: [f64; 3],
}

impl Turn {
    /// Of what clients waited, and what so many pieces of work cost the server.
    pub(crate) fn new(mut waits: Vec<u32>, cpu_ns: u64, pieces: usize) -> Self {
        waits.sort_unstable();
        let at = |per_mille: usize| f64::from(waits[(waits.len() * per_mille / 1_000).min(waits.len() - 1)]);
        Self { cpu_ns_each: cpu_ns as f64 / pieces as f64, waits_ns: [at(500), at(990), at(999)] }
    }
}

/// What is told of one server in one workload.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(crate) turns: Vec<Turn>,
    pub(crate) idle: Memory,
    pub(crate) after: Memory,
    pub(crate) counts: Counts,
}

impl Figures {
    /// The CPU time of a request, in nanoseconds.
    pub(crate) fn cpu_ns_each(&self) -> f64 {
        median(self.turns.iter().map(|turn| turn.cpu_ns_each))
    }

    /// The same as a multiple of the floor's in the same round.
    pub(crate) fn ratio(&self, floor: &Self) -> f64 {
        median(self.turns.iter().zip(&floor.turns).map(|(turn, floor)| turn.cpu_ns_each / floor.cpu_ns_each))
    }

    /// The memory of each of so many, in bytes.
    pub(crate) fn bytes_each(&self, count: usize) -> f64 {
        self.after.private_dirty_kb.saturating_sub(self.idle.private_dirty_kb) as f64 * 1024.0 / count as f64
    }

    /// How long clients waited, in nanoseconds.
    pub(crate) fn waits_ns(&self) -> [f64; 3] {
        [0, 1, 2].map(|which| median(self.turns.iter().map(|turn| turn.waits_ns[which])))
    }
}

/// The middle one; of an even number the mean of the two.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = figures.collect();
    all.sort_unstable_by(f64::total_cmp);
    let middle = all.len() / 2;
    if all.len() % 2 == 1 { all[middle] } else { f64::midpoint(all[middle - 1], all[middle]) }
}
