//! The compile-time half of `#[scope(..)]`. Public for the macros only.

use super::mark::Mark;
use crate::limits::{SCOPES_BYTES_MAX, SCOPES_MAX};
use crate::session::is_scope;

/// How many scopes are asked for.
pub const fn scope_count(marks: &[Mark]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < marks.len() {
        if let Mark::Scopes(scopes) = marks[at] {
            count += scopes.len();
        }
        at += 1;
    }
    count
}

/// The scopes that are asked for, by all `#[scope(..)]`.
///
/// # Panics
/// When it is compiled, if they can't be scopes.
pub const fn scopes<const COUNT: usize>(marks: &[Mark]) -> [&'static str; COUNT] {
    let (mut all, mut count, mut at) = ([""; COUNT], 0, 0);
    while at < marks.len() {
        if let Mark::Scopes(scopes) = marks[at] {
            let mut place = 0;
            while place < scopes.len() {
                all[count] = scopes[place];
                count += 1;
                place += 1;
            }
        }
        at += 1;
    }
    assert!(
        are_scopes(&all),
        "`#[scope(..)]` is for at most `SCOPES_MAX` words of visible ASCII without `\"` and `\\`, of at most `SCOPES_BYTES_MAX` bytes"
    );
    all
}

/// Whether these can be what a tool, a resource or a prompt asks for.
pub(crate) const fn are_scopes(scopes: &[&str]) -> bool {
    let (mut bytes, mut at) = (0, 0);
    while at < scopes.len() {
        if !is_scope(scopes[at]) {
            return false;
        }
        bytes += scopes[at].len() + 1;
        at += 1;
    }
    scopes.len() <= SCOPES_MAX && bytes <= SCOPES_BYTES_MAX
}
