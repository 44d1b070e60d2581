//! The last values of a sensor: a ring of fixed capacity.

use std::collections::VecDeque;
use std::time::Instant;

/// Values that are kept of a sensor where the configuration does not say: five minutes, at a value each five seconds.
pub(crate) const HISTORY_DEFAULT: usize = 60;
/// The most that the configuration may say: 16 KiB of each sensor.
pub(crate) const HISTORY_MAX: usize = 1024;

/// One value, and when it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// When, by the clock that is never set.
    pub(crate) at: Instant,
    /// What was measured.
    pub(crate) value: f64,
}

/// The last values. Its memory is taken with the first of them, once.
#[derive(Debug)]
pub(crate) struct History {
    samples: VecDeque<Sample>,
    capacity: usize,
}

/// What the values of a history have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
    /// Their mean.
    pub(crate) mean: f64,
}

impl History {
    /// One that keeps `capacity` values, at most [`HISTORY_MAX`].
    pub(crate) fn new(capacity: usize) -> Self {
        Self { samples: VecDeque::new(), capacity: capacity.min(HISTORY_MAX) }
    }

    /// Keeps a value, in the place of the oldest where it is full.
    pub(crate) fn push(&mut self, sample: Sample) {
        if self.samples.capacity() == 0 {
            self.samples.reserve_exact(self.capacity);
        }
        if self.samples.len() >= self.capacity {
            self.samples.pop_front();
        }
        if self.capacity > 0 {
            self.samples.push_back(sample);
        }
    }

    /// The values, the oldest first.
    pub(crate) fn samples(&self) -> impl Iterator<Item = Sample> {
        self.samples.iter().copied()
    }

    /// How many values it keeps.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// What they have in common; nothing of no values.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let first = self.samples.front()?.value;
        let (mut min, mut max, mut mean) = (first, first, 0.0);
        for (value, count) in self.samples.iter().map(|sample| sample.value).zip(1_u16..) {
            min = value.min(min);
            max = value.max(max);
            // Step by step, so that no sum can be too great.
            mean += (value - mean) / f64::from(count);
        }
        Some(Summary { min, max, mean })
    }
}
