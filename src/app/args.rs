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
/// gives the types, with `Debug`, `Clone` and `serde::Deserialize` (an enum also has `Copy`, `PartialEq`, `Eq` and
/// `serde::Serialize`), and their
/// [`Arg`](crate::Arg).
///
/// - A field can have any type that is an [`Arg`](crate::Arg). One that is an `Option` need not be given, every other must be.
/// - `#[title("..")]`, right behind the doc comment, is what people see instead of the name (2025-06-18 and later).
/// - `#[range(least..=most)]` bounds a number, `#[len(least..=most)]` the characters of a text or the items of an array; both ends may be
///   constants. They follow the doc comment.
/// - `#[header("Region")]`, last, on a text, an integer or a boolean has clients of 2026-07-28 repeat the argument in the header
///   `Mcp-Param-Region`, by which gateways can route; a request whose header says something else is refused.
/// - A variant is written in JSON as its name in snake case (`very_fast`), or as `#[name("..")]` says.
/// - A raw identifier is named without its `r#`.
/// - A struct can borrow texts from the request, which then are not copied, unless they were written with escapes: `struct Echo<'a> { text: Cow<'a, str> }`,
///   which a tool takes as `args: Echo<'_>`. (A prompt and a resource read theirs out of other texts, and get copies.)
/// - Other attributes are possible on the type, but not on its fields and variants, except for `#[default]`.
///
/// A text of a fixed capacity (`heapless::String<N>`) takes its bytes whether it is long or not: twice in the future of each of the calls that may
/// run at once, and while it is read, on the stack: some 14 times, in a debug build some 35 times (measured: three of 8 KiB take 350 kB and 950 kB,
/// so that a thread's 2 MB are enough). What may be larger is a `String` better, whose bytes are allocated when they come, or is read from
/// [`Call::arguments_json`](crate::Call::arguments_json) where it lies.
///
/// What does not fit is refused, with a message that names the argument, before the tool runs; unknown and repeated arguments too.
///
/// [`output!`](crate::output) declares what a tool returns in the same way; what goes both ways is declared there.
///
/// ```compile_fail,E0080
/// smol_mcp::args! { struct Led { #[len(1..=30)] name: smol_mcp::heapless::String<20> } }
/// ```
///
/// ```compile_fail,E0080
/// smol_mcp::args! { struct Level { #[header("Level")] no_integer: f32 } }
/// ```
///
/// ```compile_fail,E0080
/// smol_mcp::args! { struct Twice { #[header("Place")] from: u8, #[header("PLACE")] to: u8 } }
/// ```
#[macro_export]
macro_rules! args {
    ($($items:tt)*) => {
        $crate::__declare! { [derive(Debug, Clone, $crate::__private::serde::Deserialize)] $($items)* }
    };
}

/// Declares what tools return: structs, and enums whose variants are names.
///
/// ```
/// use smol_mcp::{Call, ToolError, output, tools};
///
/// output! {
///     struct Weather {
///         /// In degrees Celsius.
///         temperature: f32,
///         sky: Sky,
///         /// What the station wants to add.
///         remark: Option<String>,
///     }
///
///     enum Sky { Clear, Cloudy }
/// }
///
/// struct Station;
///
/// tools! {
///     impl Station {
///         /// What the weather is like.
///         #[read_only]
///         async fn weather(&self, _call: &mut Call<'_>) -> Result<Weather, ToolError> {
///             Ok(Weather { temperature: 21.5, sky: Sky::Clear, remark: None })
///         }
///     }
/// }
/// ```
/// gives what [`args!`](crate::args) gives, and `serde::Serialize`. A tool that returns such a struct has its schema as `outputSchema`, and its value
/// as `structuredContent` (MCP 2025-06-18 and later; others ignore it) and as a text block, behind what else the method wrote.
///
/// - Doc comments and names are as in `args!`, and the types too; an `Option` that is `None` is left out.
/// - `#[range(..)]`, `#[len(..)]` and `#[header(..)]` count where the type is an argument. As a result, the type is told by what it can hold, so
///   that no value breaks its promise. A float that is infinite or no number makes the tool's result an error.
/// - A result of any length is rendered piece by piece, as the transmit buffer has room: arrays and objects within each other go on, to a depth
///   of eight, at the item where they were. It must serialise to the same each time.
///
/// ```compile_fail,E0080
/// smol_mcp::output! { struct Odd { items: Vec<Option<u8>> } }
/// ```
#[macro_export]
macro_rules! output {
    ($($items:tt)*) => {
        $crate::__declare! {
            [derive(Debug, Clone, $crate::__private::serde::Serialize, $crate::__private::serde::Deserialize)] $($items)*
        }
    };
}

/// The types of [`args!`](crate::args) and [`output!`](crate::output): `$derive` is what structs derive.
#[doc(hidden)]
#[macro_export]
macro_rules! __declare {
    ($derive:tt) => {};
    (
        $derive:tt
        $(#[$($meta:tt)*])*
        $vis:vis struct $Name:ident $(<$borrowed:lifetime>)? {
            $(
                $(#[doc = $doc:expr])*
                $(#[title($title:expr)])?
                $(#[range($range:expr)])?
                $(#[len($len:expr)])?
                $(#[header($header:expr)])?
                $field_vis:vis $field:ident : $ty:ty
            ),* $(,)?
        }
        $($rest:tt)*
    ) => {
        #$derive
        #[serde(crate = "smol_mcp::__private::serde")]
        $(#[$($meta)*])*
        $vis struct $Name $(<$borrowed>)? {
            $(
                $(#[doc = $doc])*
                #[serde(skip_serializing_if = "smol_mcp::Arg::is_absent")]
                $field_vis $field: $ty
            ),*
        }

        impl<'look $(: $borrowed, $borrowed)?> $crate::Arg<'look> for $Name $(<$borrowed>)? {
            const SCHEMA: $crate::Schema = $crate::__private::object(&[
                $(
                    $crate::Field {
                        name: $crate::__private::plain(stringify!($field)),
                        title: $crate::__declare!(@option $($title)?),
                        description: $crate::__text!($($crate::__private::Mark::Doc($doc)),*),
                        required: <$ty as $crate::Arg<'look>>::REQUIRED,
                        schema: $crate::__declare!(@schema $ty $(, range $range)? $(, len $len)?),
                        header: $crate::__declare!(@option $($header)?),
                    }
                ),*
            ]);
            const OUTPUT: $crate::Schema = $crate::__private::object(&[
                $(
                    $crate::Field {
                        name: $crate::__private::plain(stringify!($field)),
                        title: $crate::__declare!(@option $($title)?),
                        description: $crate::__text!($($crate::__private::Mark::Doc($doc)),*),
                        required: <$ty as $crate::Arg<'look>>::REQUIRED,
                        schema: <$ty as $crate::Arg<'look>>::OUTPUT,
                        header: ::core::option::Option::None,
                    }
                ),*
            ]);
            type Limit = $crate::NoRange;

            fn at_one_look(
                schema: &'static $crate::Schema,
                look: $crate::__private::Look<'look>,
            ) -> ::core::option::Option<Self> {
                if !$crate::__is_plain!($([$($meta)*])*) {
                    return ::core::option::Option::None;
                }
                let members = &mut look.members::<{ <[&str]>::len(&[$(stringify!($field)),*]) }>(schema)?;
                // There may be no fields.
                let _ = &*members;
                ::core::option::Option::Some(Self { $($field: members.next_value::<$ty>()?),* })
            }
        }

        const _: $crate::Schema = <$crate::__declare!(@static $Name $($borrowed)?) as $crate::Arg<'_>>::SCHEMA;

        $crate::__declare! { $derive $($rest)* }
    };
    (
        $derive:tt
        $(#[$($meta:tt)*])*
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
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, $crate::__private::serde::Serialize, $crate::__private::serde::Deserialize
        )]
        #[serde(crate = "smol_mcp::__private::serde", rename_all = "snake_case")]
        $(#[$($meta)*])*
        $vis enum $Name {
            $(
                $(#[doc = $doc])*
                $(#[serde(rename = $name)])?
                $(#[default $($default)?])?
                $variant
            ),+
        }

        impl<'look> $crate::Arg<'look> for $Name {
            const SCHEMA: $crate::Schema = $crate::__private::choice(&[
                $(
                    $crate::Variant {
                        name: $crate::__declare!(@variant $variant $(, $name)?),
                        description: $crate::__text!($($crate::__private::Mark::Doc($doc)),*),
                    }
                ),+
            ]);
            type Limit = $crate::NoRange;

            fn at_one_look(
                _schema: &'static $crate::Schema,
                look: $crate::__private::Look<'look>,
            ) -> ::core::option::Option<Self> {
                if !$crate::__is_plain!($([$($meta)*])*) {
                    return ::core::option::Option::None;
                }
                $(
                    if look.is($crate::__declare!(@variant $variant $(, $name)?)) {
                        return ::core::option::Option::Some(Self::$variant);
                    }
                )+
                ::core::option::Option::None
            }
        }

        const _: $crate::Schema = <$Name as $crate::Arg<'_>>::SCHEMA;

        $crate::__declare! { $derive $($rest)* }
    };

    (@static $Name:ident) => {
        $Name
    };
    (@static $Name:ident $borrowed:lifetime) => {
        $Name<'static>
    };

    (@option) => {
        ::core::option::Option::None
    };
    (@option $value:expr) => {
        ::core::option::Option::Some($value)
    };
    (@schema $ty:ty) => {
        <$ty as $crate::Arg<'_>>::SCHEMA
    };
    (@schema $ty:ty, range $range:expr) => {
        $crate::__private::Ranged::<<$ty as $crate::Arg<'_>>::Limit> { range: $range }.schema()
    };
    (@schema $ty:ty, len $len:expr) => {
        $crate::__private::with_len(<$ty as $crate::Arg<'_>>::SCHEMA, &($len), <$ty as $crate::Arg<'_>>::CAPACITY)
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

/// Whether the attributes of a type leave serde no say in how it is read.
#[doc(hidden)]
#[macro_export]
macro_rules! __is_plain {
    (@ doc $($inner:tt)*) => { true };
    (@ derive $($inner:tt)*) => { true };
    (@ allow $($inner:tt)*) => { true };
    (@ expect $($inner:tt)*) => { true };
    (@ $($other:tt)*) => { false };
    ($([$($attribute:tt)*])*) => { true $(&& $crate::__is_plain!(@ $($attribute)*))* };
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
