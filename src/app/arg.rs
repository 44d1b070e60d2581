//! Which Rust types an argument can have.

use core::ops::RangeInclusive;
use std::borrow::Cow;

use super::one_look::Look;
use super::{Numbers, Schema};
use crate::limits::{ARRAY_ARG_ITEMS_MAX, STRING_ARG_BYTES_MAX};

/// A type that an argument of a tool, or a part of its result, can have: `bool`, the integers of 8 to 64 bits, `f32`, `f64`, `heapless::String<N>`, `String`,
/// `Cow<str>`, `heapless::Vec<T, N>`, `Vec<T>`, `Option<T>`, and whatever [`args!`](crate::args) declares.
///
/// A `&str` cannot be one: it could not hold a text that came with an escape in it, such as a line break. A `Cow<str>` borrows all others from the
/// request, which lives for `'look`. (What borrows nothing is `for<'look> Arg<'look>`.)
///
/// [`args!`](crate::args) implements it; by hand it is needed only for a [`Schema::Verbatim`]. What [`Schema`] lets through,
/// `serde::Deserialize` must be able to read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a tool",
    note = "an argument is a bool, an integer, a float, a `heapless::String<N>`, a `String`, a `Cow<str>`, a `heapless::Vec<T, N>`, a `Vec<T>`, \
            an `Option<T>`, or a struct or enum that `args!` declares"
)]
pub trait Arg<'look>: Sized {
    /// What values it takes.
    const SCHEMA: Schema;

    /// What values it has as a part of a result, where a client may check it: whatever the type can hold, so without the limits that only arguments
    /// are held to.
    const OUTPUT: Schema = Self::SCHEMA;

    /// Whether it must be given. Only `Option<T>` need not be.
    const REQUIRED: bool = true;

    /// The most characters or items for which the type has room: the end of what `#[len(..)]` can ask for.
    const CAPACITY: usize = usize::MAX;

    /// The type of the numbers in `#[range(..)]`; [`NoRange`] where a range makes no sense.
    type Limit;

    /// Whether it is left out of a result. Only `None` is.
    fn is_absent(&self) -> bool {
        false
    }

    /// Reads a value that fits `schema`, where one look is enough; `None` leaves it to the schema and serde.
    #[doc(hidden)]
    fn at_one_look(_schema: &'static Schema, _look: Look<'look>) -> Option<Self> {
        None
    }

    /// What it is where it is missing, if it may be.
    #[doc(hidden)]
    fn absent() -> Option<Self> {
        None
    }
}

/// The [`Arg::Limit`] of a type that is not a number: `#[range(..)]` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoRange {}

impl<'look> Arg<'look> for bool {
    const SCHEMA: Schema = Schema::Bool;
    type Limit = NoRange;

    fn at_one_look(_schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        look.bool()
    }
}

macro_rules! integers {
    ($($int:ty)*) => {
        $(
            impl<'look> Arg<'look> for $int {
                const SCHEMA: Schema = Schema::Integer { min: <$int>::MIN as i128, max: <$int>::MAX as i128 };
                type Limit = $int;

                fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
                    look.integer(schema)?.try_into().ok()
                }
            }

            impl Ranged<$int> {
                /// The schema with these bounds.
                ///
                /// # Panics
                /// When it is compiled, if the range is empty.
                pub const fn schema(self) -> Schema {
                    let (min, max) = (*self.range.start() as i128, *self.range.end() as i128);
                    assert!(min <= max, "`#[range(..)]` holds no number");
                    Schema::Integer { min, max }
                }
            }
        )*
    };
}

integers!(u8 u16 u32 u64 i8 i16 i32 i64);

impl<'look> Arg<'look> for f32 {
    const SCHEMA: Schema = Schema::Number(Numbers::new(Self::MIN as f64, Self::MAX as f64));
    // As JSON has only one kind of fraction, and 0.1 is to be told as 0.1.
    type Limit = f64;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        look.number(schema)?.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl<'look> Arg<'look> for f64 {
    const SCHEMA: Schema = Schema::Number(Numbers::new(Self::MIN, Self::MAX));
    type Limit = Self;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        look.number(schema)?.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl Ranged<f64> {
    /// The schema with these bounds.
    ///
    /// # Panics
    /// When it is compiled, if the range is empty.
    pub const fn schema(self) -> Schema {
        let (min, max) = (*self.range.start(), *self.range.end());
        assert!(min <= max, "`#[range(..)]` holds no number");
        Schema::Number(Numbers::new(min, max))
    }
}

impl<'look, const N: usize, L: heapless::LenType> Arg<'look> for heapless::String<N, L> {
    const SCHEMA: Schema = Schema::String { chars_min: 0, chars_max: N, bytes_max: N };
    const CAPACITY: usize = N;
    type Limit = NoRange;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        look.text(schema)?.try_into().ok()
    }
}

/// At most [`STRING_ARG_BYTES_MAX`] bytes, unless `#[len(..)]` says how many characters.
impl<'look> Arg<'look> for String {
    const SCHEMA: Schema =
        Schema::String { chars_min: 0, chars_max: STRING_ARG_BYTES_MAX, bytes_max: STRING_ARG_BYTES_MAX };
    const OUTPUT: Schema = Schema::String { chars_min: 0, chars_max: usize::MAX, bytes_max: usize::MAX };
    type Limit = NoRange;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        look.text(schema).map(Self::from)
    }
}

/// As for `String`, but that a text without escapes, as nearly all are, is not copied: it is read where the request lies.
impl<'look: 'call, 'call> Arg<'look> for Cow<'call, str> {
    const SCHEMA: Schema = String::SCHEMA;
    const OUTPUT: Schema = String::OUTPUT;
    type Limit = NoRange;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        look.text(schema).map(Cow::Borrowed)
    }
}

impl<'look, T: Arg<'look>, const N: usize, L: heapless::LenType> Arg<'look> for heapless::Vec<T, N, L> {
    const SCHEMA: Schema = Schema::Array { items: &T::SCHEMA, items_min: 0, items_max: N };
    const OUTPUT: Schema = Schema::Array { items: &item::<'look, T>(), items_min: 0, items_max: N };
    const CAPACITY: usize = N;
    type Limit = NoRange;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        let (schema, mut items) = look.items(schema)?;
        let mut read = Self::new();
        items.try_for_each(|item| read.push(T::at_one_look(schema, item)?).ok())?;
        Some(read)
    }
}

/// At most [`ARRAY_ARG_ITEMS_MAX`] items, unless `#[len(..)]` says how many.
impl<'look, T: Arg<'look>> Arg<'look> for Vec<T> {
    const SCHEMA: Schema = Schema::Array { items: &T::SCHEMA, items_min: 0, items_max: ARRAY_ARG_ITEMS_MAX };
    const OUTPUT: Schema = Schema::Array { items: &item::<'look, T>(), items_min: 0, items_max: usize::MAX };
    type Limit = NoRange;

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        let (schema, items) = look.items(schema)?;
        items.map(|item| T::at_one_look(schema, item)).collect()
    }
}

/// Need not be given; `null` counts as absent.
impl<'look, T: Arg<'look>> Arg<'look> for Option<T> {
    const SCHEMA: Schema = T::SCHEMA;
    const OUTPUT: Schema = T::OUTPUT;
    const REQUIRED: bool = false;
    const CAPACITY: usize = T::CAPACITY;
    type Limit = T::Limit;

    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Arg::is_absent)
    }

    fn at_one_look(schema: &'static Schema, look: Look<'look>) -> Option<Self> {
        T::at_one_look(schema, look).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// The schema of the items of an array in a result, where none can be left out.
const fn item<'look, T: Arg<'look>>() -> Schema {
    assert!(T::REQUIRED, "an array in a result cannot have items of an `Option`");
    T::OUTPUT
}

/// A schema being narrowed by `#[range(..)]`: a type for each kind of number, because a constant function cannot be generic over them.
#[derive(Debug)]
pub struct Ranged<L> {
    /// What the attribute says.
    pub range: RangeInclusive<L>,
}

/// The schema narrowed by `#[len(..)]`, for a type with room for `capacity` characters or items.
///
/// # Panics
/// When it is compiled, if the range is empty or goes beyond `capacity`, or the type has no length.
pub const fn with_len(schema: Schema, range: &RangeInclusive<usize>, capacity: usize) -> Schema {
    let (min, max) = (*range.start(), *range.end());
    assert!(min <= max, "`#[len(..)]` holds no length");
    assert!(max <= capacity, "`#[len(..)]` allows more than the type has room for");
    assert!(matches!(schema, Schema::String { .. } | Schema::Array { .. }), "`#[len(..)]` is for strings and arrays");
    match schema {
        Schema::String { .. } => {
            let bytes_max = max.saturating_mul(char::MAX.len_utf8());
            Schema::String {
                chars_min: min,
                chars_max: max,
                bytes_max: if bytes_max < capacity { bytes_max } else { capacity },
            }
        }
        Schema::Array { items, .. } => Schema::Array { items, items_min: min, items_max: max },
        other => other,
    }
}
