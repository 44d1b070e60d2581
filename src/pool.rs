//! Slots that are touched when they are first needed: memory that nothing was written to costs nothing, as the kernel gives a
//! page when it is written. A pool never gets more slots than its memory had room for at start, and never gives one back.

use core::ops::{Deref, DerefMut};

/// The slots in use so far, a slice, and room for more.
#[derive(Debug)]
pub(crate) enum Pool<'m, T> {
    /// Room that was allocated at start: it is never exceeded, so nothing is allocated again.
    Allocated(&'m mut Vec<T>),
    /// Room in the program's image, of which so many slots are in use.
    Lent(&'m mut [T], usize),
}

impl<T> Pool<'_, T> {
    /// The slots there can be.
    pub(crate) fn capacity(&self) -> usize {
        match self {
            Pool::Allocated(slots) => slots.capacity(),
            Pool::Lent(slots, _) => slots.len(),
        }
    }

    /// Takes one more slot into use, with this in it; its place. `None` when all are.
    pub(crate) fn add(&mut self, slot: T) -> Option<usize> {
        let place = self.len();
        if place >= self.capacity() {
            return None;
        }
        match self {
            Pool::Allocated(slots) => slots.push(slot),
            Pool::Lent(slots, used) => {
                *slots.get_mut(place)? = slot;
                *used = place + 1;
            }
        }
        Some(place)
    }
}

impl<T> Deref for Pool<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Pool::Allocated(slots) => slots,
            Pool::Lent(slots, used) => slots.get(..*used).unwrap_or_default(),
        }
    }
}

impl<T> DerefMut for Pool<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Pool::Allocated(slots) => slots,
            Pool::Lent(slots, used) => slots.get_mut(..*used).unwrap_or_default(),
        }
    }
}

impl<'m, T> From<&'m mut Vec<T>> for Pool<'m, T> {
    fn from(slots: &'m mut Vec<T>) -> Self {
        Pool::Allocated(slots)
    }
}

impl<'m, T> From<&'m mut [T]> for Pool<'m, T> {
    fn from(slots: &'m mut [T]) -> Self {
        Pool::Lent(slots, 0)
    }
}

impl<'m, T, const N: usize> From<&'m mut [T; N]> for Pool<'m, T> {
    fn from(slots: &'m mut [T; N]) -> Self {
        Pool::Lent(slots, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_up_to_its_room_and_stays_where_it_is() {
        let (mut array, mut heap) = ([0_u8; 3], Vec::with_capacity(3));
        let at = heap.as_ptr();
        for mut pool in [Pool::from(&mut array), Pool::from(&mut heap)] {
            assert_eq!((pool.len(), pool.capacity() >= 3), (0, true));
            assert_eq!([7, 8, 9].map(|slot| pool.add(slot)), [Some(0), Some(1), Some(2)]);
            pool[1] = 5;
            assert_eq!(pool[..], [7, 5, 9]);
            (3..pool.capacity()).for_each(|place| assert_eq!(pool.add(0), Some(place)));
            assert_eq!(pool.add(0), None);
        }
        assert_eq!(heap.as_ptr(), at);
    }
}
