//! The compile-time half of `#[rate(..)]` and `#[task]`. Public for the macros only.

use super::TaskSupport;
use super::mark::Mark;
use crate::rate::Rate;

/// The `#[rate(..)]`, if there is one.
///
/// # Panics
/// When it is compiled, if there are two, or it can't be a rate.
pub const fn rate(marks: &[Mark]) -> Option<Rate> {
    let (mut found, mut at) = (None, 0);
    while at < marks.len() {
        if let Mark::Rate(rate) = marks[at] {
            assert!(found.is_none(), "a tool has one `#[rate(..)]`");
            assert!(
                rate.is_possible(),
                "`#[rate(10, 60)]` is 10 calls in 60 seconds: at least one, in at least a second and at most `RATE_SECONDS_MAX`"
            );
            found = Some(rate);
        }
        at += 1;
    }
    found
}

/// The `#[task]`, if there is one.
pub const fn task(marks: &[Mark]) -> Option<TaskSupport> {
    let mut at = 0;
    while at < marks.len() {
        if let Mark::Task(task) = marks[at] {
            return Some(task);
        }
        at += 1;
    }
    None
}
