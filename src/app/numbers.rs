//! What a number with a fraction may be.

use core::fmt;

use crate::json::{Value, Writer};

/// Bounds from here on only say "32 or 64 bits", and are left out.
const BOUND_MAX: f64 = f32::MAX as f64;

/// The bounds of a [`Schema::Number`](crate::Schema::Number), both included. It brings along what reads and writes such numbers: a program none of
/// whose tools takes one has none of that code, which is 30 kB.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    min: f64,
    max: f64,
    holds: fn(&Self, Value<'_>) -> bool,
    write: fn(&Self, &mut Writer<'_>),
    show: fn(&Self, &mut fmt::Formatter<'_>) -> fmt::Result,
}

impl Numbers {
    /// The numbers from `min` to `max`.
    pub const fn new(min: f64, max: f64) -> Self {
        Self { min, max, holds, write, show }
    }

    /// Whether it is a number within the bounds.
    pub(crate) fn hold(&self, value: Value<'_>) -> bool {
        (self.holds)(self, value)
    }

    /// The bounds as members of a JSON Schema.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        (self.write)(self, w);
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.show)(self, f)
    }
}

fn holds(numbers: &Numbers, value: Value<'_>) -> bool {
    value.as_f64().is_some_and(|number| numbers.min <= number && number <= numbers.max)
}

fn write(numbers: &Numbers, w: &mut Writer<'_>) {
    for (name, bound) in [("minimum", numbers.min), ("maximum", numbers.max)] {
        if bound.abs() < BOUND_MAX {
            w.str(",\"").str(name).str("\":").float(bound);
        }
    }
}

fn show(numbers: &Numbers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match numbers {
        Numbers { min, max, .. } if *min <= f64::MIN && *max >= f64::MAX => f.write_str("a number of 64 bits"),
        Numbers { min, max, .. } => write!(f, "a number from {min:?} to {max:?}"),
    }
}
