//! Token buckets: each is one word, the time when it will be full again, and a table holds those that are not full.

use super::Rate;

/// The bucket of one address, principal or tool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    key: u64,
    /// When it is full again, in microseconds of the server's clock.
    full_us: u64,
}

/// Buckets of one kind. One that is full is as good as none, so that only those who came lately have a place.
///
/// Where all places are taken, a newcomer gets that of the bucket which would be full soonest, and with it what is in that: those who come in
/// turns by one place share its bucket, and those who came most stay counted. Two are left to a newcomer in any case (one, of a rate of one), so
/// that nobody can be kept out by a crowd: whoever has more addresses than there are places gains those, each time that another comes.
#[derive(Debug)]
pub(crate) struct Buckets {
    pub(super) used: Vec<Bucket>,
    pub(super) room: usize,
}

impl Buckets {
    /// No bucket is in use. With room for none, nothing is limited.
    pub(crate) fn new(room: usize) -> Self {
        Self { used: Vec::with_capacity(room), room }
    }

    /// Takes one out of a bucket.
    ///
    /// # Errors
    /// None is in it: in how many seconds one will be.
    pub(crate) fn take(&mut self, rate: Rate, key: u64, now_ms: u64) -> Result<(), u32> {
        let now_us = now_ms.saturating_mul(1_000);
        let found = self.used.iter().position(|bucket| bucket.key == key);
        let full_us = match found.and_then(|at| self.used.get(at)) {
            Some(bucket) => bucket.full_us.max(now_us),
            None => self.inherited_us(rate, now_us),
        };
        let bucket = Bucket { key, full_us: full_us.saturating_add(rate.interval_us()) };
        let wait_us = wait_us(rate, full_us, now_us);
        if wait_us > 0 {
            return Err(seconds(wait_us));
        }
        match found.or_else(|| self.place(now_us)) {
            Some(at) => {
                if let Some(place) = self.used.get_mut(at) {
                    *place = bucket;
                }
            }
            None if self.used.len() < self.room => self.used.push(bucket),
            None => {}
        }
        Ok(())
    }

    /// Whether there is one to be taken.
    ///
    /// # Errors
    /// None: in how many seconds one will be.
    pub(crate) fn look(&self, rate: Rate, key: u64, now_ms: u64) -> Result<(), u32> {
        let now_us = now_ms.saturating_mul(1_000);
        let found = self.used.iter().find(|bucket| bucket.key == key);
        match found.map_or(0, |bucket| wait_us(rate, bucket.full_us.max(now_us), now_us)) {
            0 => Ok(()),
            wait_us => Err(seconds(wait_us)),
        }
    }

    /// Puts back what was taken then: as much of it as can't have come back by itself since, and nothing after an interval.
    pub(crate) fn give_back(&mut self, rate: Rate, key: u64, taken_ms: u64, now_ms: u64) {
        let since_us = now_ms.saturating_sub(taken_ms).saturating_mul(1_000);
        if let Some(bucket) = self.used.iter_mut().find(|bucket| bucket.key == key) {
            bucket.full_us = bucket.full_us.saturating_sub(rate.interval_us().saturating_sub(since_us));
        }
    }

    // When the bucket of a newcomer is full: now, or that of the one who makes room, but for two that are left in any case.
    fn inherited_us(&self, rate: Rate, now_us: u64) -> u64 {
        let place = if self.used.len() < self.room { None } else { self.place(now_us) };
        let least_us = rate.interval_us().saturating_mul(u64::from(rate.count.saturating_sub(2)));
        let made_room = place.and_then(|at| self.used.get(at));
        made_room.map_or(now_us, |bucket| bucket.full_us.clamp(now_us, now_us.saturating_add(least_us)))
    }

    // The place for a newcomer among those that are used: one whose bucket is full, or, where there is no other place, is full soonest.
    fn place(&self, now_us: u64) -> Option<usize> {
        let soonest = self.used.iter().enumerate().min_by_key(|(_, bucket)| bucket.full_us)?;
        (soonest.1.full_us <= now_us || self.used.len() >= self.room).then_some(soonest.0)
    }
}

// How long until there is one in a bucket that will be full then.
fn wait_us(rate: Rate, full_us: u64, now_us: u64) -> u64 {
    let interval_us = rate.interval_us();
    let rest_us = interval_us.saturating_mul(u64::from(rate.count.saturating_sub(1)));
    full_us.saturating_sub(now_us).saturating_sub(rest_us)
}

fn seconds(wait_us: u64) -> u32 {
    u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX)
}
