//! `args!`: a tool's arguments, and their schema, from one declaration.

/// Declares the arguments of tools: structs, and enums whose variants are names.
///
/// ```
/// smol_mcp::args! {
///     /// The doc comment of the type is for the readers of the program.
///     pub struct Blink {
///         /// How often. That of a field is what the model reads.
///         #[range(1..=100)]
///         times: u8,
///         /// As listed by `list_leds`.
///         #[len(1..=20)]
///         led: smol_mcp::heapless::String<20>,
///         /// `slow` when absent.
///         speed: Option<Speed>,
///         then: Option<smol_mcp::heapless::Vec<Speed, 4>>,
///     }
///
///     #[derive(Default)]
///     pub enum Speed {
///         /// Once a second.
///         #[default]
///         Slow,
///         VeryFast,
///         #[name("1/s")]
///         EachSecond,
///     }
/// }
/// ```
/// gives the types, with `Debug`, `Clone` and `serde::Deserialize` (an enum also has `Copy`, `PartialEq` and `Eq`), and their
/// [`Arg`](crate::Arg).
///
/// - A field can have any type that is an [`Arg`](crate::Arg). One that is an `Option` need not be given, every other must be.
/// - `#[range(least..=most)]` bounds a number, `#[len(least..=most)]` the characters of a text or the items of an array; both ends may be
///   constants. They follow the doc comment.
/// - A variant is written in JSON as its name in snake case (`very_fast`), or as `#[name("..")]` says.
/// - A raw identifier is named without its `r#`.
/// - Other attributes are possible on the type, but not on its fields and variants, except for `#[default]`.
///
/// What does not fit is refused, with a message that names the argument, before the tool runs; unknown and repeated arguments too.
///
/// ```compile_fail,E0080
/// smol_mcp::args! { struct Led { #[len(1..=30)] name: smol_mcp::heapless::String<20> } }
/// ```
#[macro_export]
macro_rules! args {
    () => {};
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident {
            $(
                $(#[doc = $doc:expr])*
                $(#[range($range:expr)])?
                $(#[len($len:expr)])?
                $field_vis:vis $field:ident : $ty:ty
            ),* $(,)?
        }
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, $crate::__private::serde::Deserialize)]
        #[serde(crate = "smol_mcp::__private::serde")]
        $vis struct $Name {
            $( $(#[doc = $doc])* $field_vis $field: $ty ),*
        }

        impl $crate::Arg for $Name {
            const SCHEMA: $crate::Schema = $crate::__private::object(&[
                $(
                    $crate::Field {
                        name: $crate::__private::plain(stringify!($field)),
                        description: $crate::__text!($($crate::__private::Mark::Doc($doc)),*),
                        required: <$ty as $crate::Arg>::REQUIRED,
                        schema: $crate::args!(@schema $ty $(, range $range)? $(, len $len)?),
                    }
                ),*
            ]);
            type Limit = $crate::NoRange;
        }

        const _: $crate::Schema = <$Name as $crate::Arg>::SCHEMA;

        $crate::args! { $($rest)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $(
                $(#[doc = $doc:expr])*
                $(#[name($name:literal)])?
                $(#[default $($default:tt)?])?
                $variant:ident
            ),+ $(,)?
        }
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, $crate::__private::serde::Deserialize)]
        #[serde(crate = "smol_mcp::__private::serde", rename_all = "snake_case")]
        $vis enum $Name {
            $(
                $(#[doc = $doc])*
                $(#[serde(rename = $name)])?
                $(#[default $($default)?])?
                $variant
            ),+
        }

        impl $crate::Arg for $Name {
            const SCHEMA: $crate::Schema = $crate::__private::choice(&[
                $(
                    $crate::Variant {
                        name: $crate::args!(@variant $variant $(, $name)?),
                        description: $crate::__text!($($crate::__private::Mark::Doc($doc)),*),
                    }
                ),+
            ]);
            type Limit = $crate::NoRange;
        }

        const _: $crate::Schema = <$Name as $crate::Arg>::SCHEMA;

        $crate::args! { $($rest)* }
    };

    (@schema $ty:ty) => {
        <$ty as $crate::Arg>::SCHEMA
    };
    (@schema $ty:ty, range $range:expr) => {
        $crate::__private::Ranged::<<$ty as $crate::Arg>::Limit> { range: $range }.schema()
    };
    (@schema $ty:ty, len $len:expr) => {
        $crate::__private::with_len(<$ty as $crate::Arg>::SCHEMA, &($len), <$ty as $crate::Arg>::CAPACITY)
    };

    (@variant $variant:ident) => {{
        const NAME: &str = $crate::__private::plain(stringify!($variant));
        const SNAKE: [u8; $crate::__private::snake_len(NAME)] = $crate::__private::snake_bytes(NAME);
        $crate::__private::text(&SNAKE)
    }};
    (@variant $variant:ident, $name:literal) => {
        $name
    };
}

/// The doc comment among some marks, as a constant expression.
#[doc(hidden)]
#[macro_export]
macro_rules! __text {
    () => { "" };
    ($($mark:expr),+) => {{
        const MARKS: &[$crate::__private::Mark] = &[$($mark),+];
        const TEXT: [u8; $crate::__private::doc_len(MARKS)] = $crate::__private::doc_bytes(MARKS);
        $crate::__private::text(&TEXT)
    }};
}
