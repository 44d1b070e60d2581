//! When something was, for those who only want to know how long ago.

/// A time of the server's monotonic clock in half of its memory. It tells ages of up to 49 days; an older one counts as so much less: it is for
/// what is looked at more often, or for which any such age is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since(u32);

impl Since {
    /// The clock's start.
    pub(crate) const START: Self = Self(0);

    /// A time, in milliseconds.
    pub(crate) const fn at(now_ms: u64) -> Self {
        // The lower half: a difference of lower halves is the lower half of the difference.
        Self((now_ms & LOWER_HALF) as u32)
    }

    /// How many milliseconds went by until now.
    pub(crate) const fn age_ms(self, now_ms: u64) -> u64 {
        Self::at(now_ms).0.wrapping_sub(self.0) as u64
    }
}

const LOWER_HALF: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_across_the_end_of_the_lower_half() {
        for begun_ms in [0, 1, LOWER_HALF - 1, LOWER_HALF, LOWER_HALF + 1, 7 * LOWER_HALF, u64::MAX - LOWER_HALF] {
            for age_ms in [0, 1, 15_000, LOWER_HALF] {
                assert_eq!(Since::at(begun_ms).age_ms(begun_ms + age_ms), age_ms);
            }
        }
        assert_eq!(Since::START, Since::at(0));
    }
}
