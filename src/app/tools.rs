//! `tools!`: an application's tools from its methods.

/// Makes the methods of a type into tools.
///
/// ```
/// use smol_mcp::{Call, ToolResult, args, tools};
///
/// args! {
///     struct SetLed {
///         /// Whether the LED is lit.
///         on: bool,
///     }
/// }
///
/// struct Board;
///
/// tools! {
///     impl Board {
///         /// Turn the LED on or off.
///         #[idempotent]
///         async fn set_led(&self, call: &mut Call<'_>, args: SetLed) -> ToolResult {
///             call.text(if args.on { "on" } else { "off" }).await
///         }
///
///         /// Read the temperature.
///         #[read_only]
///         #[title("Temperature")]
///         async fn temperature(&self, call: &mut Call<'_>) -> ToolResult {
///             call.text("21 °C").await
///         }
///     }
/// }
/// ```
/// gives `impl Board` with these methods, and its [`Tools`](crate::Tools): they are listed in this order, and called without allocation or
/// dynamic dispatch. One type has one `tools!`; methods that are no tools stand elsewhere.
///
/// - The doc comment is the description that the model reads. It must be there.
/// - The arguments are a struct of [`args!`](crate::args), checked before the method runs; or there are none.
/// - It returns a [`ToolResult`](crate::ToolResult), or `Result<T, ToolError>` of a struct `T` of [`output!`](crate::output): then its result is
///   structured.
/// - What a tool does to the world decides whether the host asks its user first, so each tool must say exactly one of
///   - `#[read_only]`: it changes nothing;
///   - `#[additive]`: it changes something, but undoes and overwrites nothing;
///   - `#[idempotent]`: like `#[additive]`, and calling it again with the same arguments changes nothing more;
///   - `#[destructive]`, or both `#[destructive]` and `#[idempotent]`: it may undo or overwrite something.
/// - `#[open_world]`: it also reaches beyond the device. Without it, it does not.
/// - `#[input_schema(r##"{..}"##)]`: the JSON Schema of the arguments, by hand, where it needs `$defs`, `anyOf` and the like. It is told as it is,
///   and only the typed reading checks arguments: of any type that is `serde::Deserialize`, or none, and then
///   [`Call::arguments_json`](crate::Call::arguments_json) has them.
/// - `#[task]`: it takes its time, and runs as a task for clients of 2026-07-28 that can follow one (`io.modelcontextprotocol/tasks`): they get
///   a task's id at once, and come again for the result; others call it as any tool. `#[task(required)]`: it is refused to those others.
///   `#[task(later)]`, `#[task(required, later)]`: it begins as a plain call, which can ask for input first, and becomes a task where it calls
///   [`Call::become_task`](crate::Call::become_task).
/// - `#[confirm("Erase everything?")]`: the user is asked this first, with the arguments below it, by the client (elicitation, in every revision and
///   in tasks); the method runs after a yes, once. A no is an error of the tool; so is a client that can't ask, and it is told what is needed.
///   [`Call::confirm`](crate::Call::confirm) asks in the middle of a method, in words of its own.
/// - `#[icon("https://..", "image/png", "48x48")]`, any number: where a picture is, and if it is known, its media type and its sizes.
/// - `#[meta(r#"{..}"#)]`: a JSON object for particular clients (`_meta`).
/// - `#[scope("lights")]`, `#[scope("a", "b")]`: the scopes that the caller's token must have, all of them; others do not see it, and are refused.
/// - `#[when(Self::has_lights)]`: it is offered only where this function of `&self` gives `true`. It is asked once, when the server is bound: by
///   what the program was configured for, say. Otherwise the tool is not listed, and nobody can call it, whatever scopes they have.
/// - `#[rate(10, 60)]`: it may be called 10 times in 60 seconds, by all callers together: all at once, and then again each 6 seconds. Who calls it
///   more often gets an error of the tool that says when to try again (and `Retry-After`). A call that ends in a question to its client
///   (2026-07-28) counts when it comes again.
/// - `#[title("..")]`: what people see; `#[name("..")]`: what it is called by, where that is not the method's name.
///
/// ```compile_fail,E0080
/// # use smol_mcp::{Call, ToolResult};
/// # struct Board;
/// smol_mcp::tools! {
///     impl Board {
///         /// The schema is no JSON: a comma is missing.
///         #[read_only]
///         #[input_schema(r#"{"type": "object" "properties": {}}"#)]
///         async fn broken(&self, call: &mut Call<'_>) -> ToolResult { call.text("").await }
///     }
/// }
/// ```
///
/// ```compile_fail,E0080
/// # use smol_mcp::{Call, ToolResult};
/// struct Board;
/// smol_mcp::tools! {
///     impl Board {
///         /// Does it change anything?
///         async fn undecided(&self, call: &mut Call<'_>) -> ToolResult { call.text("").await }
///     }
/// }
/// ```
#[macro_export]
macro_rules! tools {
    (
        impl $App:ty {
            $(
                $(#[$($attr:tt)*])*
                $vis:vis async fn $name:ident(
                    &$this:ident, $call:tt : $call_ty:ty $(, $args:tt : $args_ty:ty)? $(,)?
                ) -> $ret:ty $body:block
            )*
        }
    ) => {
        impl $App {
            $(
                $crate::__tool_fn! {
                    [] [$([$($attr)*])*]
                    [$vis async fn $name(&$this, $call: $call_ty $(, $args: $args_ty)?) -> $ret $body]
                }
            )*
        }

        impl $crate::Tools for $App {
            const TOOLS: &'static [$crate::Tool] = &[$($crate::__tool!($name [$([$($attr)*])*] $ret $(, $args_ty)?)),*];

            fn is_offered(&self, index: usize) -> bool {
                #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
                enum Index { $($name),* }
                match index {
                    $(found if found == Index::$name as usize => $crate::__is_offered!([$([$($attr)*])*] self),)*
                    _ => false,
                }
            }

            async fn call_tool(&self, index: usize, call: &mut $crate::Call<'_>) -> $crate::ToolResult {
                #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
                enum Index { $($name),* }
                match index {
                    $(found if found == Index::$name as usize => {
                        $crate::__confirm_tool!([$([$($attr)*])*] [$([$($attr)*])*] call $($args_ty)?);
                        $crate::__run_tool!([$([$($attr)*])*] self $name call $($args_ty)?)
                    })*
                    _ => $crate::__private::no_such_tool(call),
                }
            }
        }

        const _: () = assert!(
            $crate::__private::are_names_unique(<$App as $crate::Tools>::TOOLS),
            concat!("two tools of `", stringify!($App), "` have the same name")
        );
    };
}

/// A tool's method, with those of its attributes that the compiler knows.
#[doc(hidden)]
#[macro_export]
macro_rules! __tool_fn {
    ([$($kept:tt)*] [] [$($function:tt)*]) => { $(#$kept)* $($function)* };
    ([$($kept:tt)*] [[doc = $doc:expr] $($rest:tt)*] $function:tt) => {
        $crate::__tool_fn! { [$($kept)* [doc = $doc]] [$($rest)*] $function }
    };
    ([$($kept:tt)*] [[allow $lints:tt] $($rest:tt)*] $function:tt) => {
        $crate::__tool_fn! { [$($kept)* [allow $lints]] [$($rest)*] $function }
    };
    ([$($kept:tt)*] [[expect $lints:tt] $($rest:tt)*] $function:tt) => {
        $crate::__tool_fn! { [$($kept)* [expect $lints]] [$($rest)*] $function }
    };
    ($kept:tt [$ours:tt $($rest:tt)*] $function:tt) => { $crate::__tool_fn! { $kept [$($rest)*] $function } };
}

/// A [`Tool`](crate::Tool), as a constant expression.
#[doc(hidden)]
#[macro_export]
macro_rules! __tool {
    ($name:ident [$([$($attr:tt)*])*] $ret:ty $(, $args_ty:ty)?) => {{
        const MARKS: &[$crate::__private::Mark] = &[$($crate::__mark!($($attr)*)),*];
        const NAME: &str = $crate::__private::name(MARKS, stringify!($name));
        const DESCRIPTION: &str = $crate::__text!($($crate::__mark!($($attr)*)),*);
        const ANNOTATIONS: Option<$crate::Annotations> = $crate::__private::annotations(MARKS);
        const INPUT: $crate::Schema = $crate::__input!([$([$($attr)*])*] $($args_ty)?);
        const OUTPUT: Option<&$crate::Schema> = <$ret as $crate::__private::Outcome>::OUTPUT;
        const ICONS: [$crate::Icon; $crate::__private::icon_count(MARKS)] = $crate::__private::icons(MARKS);
        const SCOPES: [&str; $crate::__private::scope_count(MARKS)] = $crate::__private::scopes(MARKS);
        const _: () = {
            assert!(
                ANNOTATIONS.is_some(),
                concat!(
                    "tool `", stringify!($name), "` must say what it does to the world: exactly one of `#[read_only]`, `#[additive]`, ",
                    "`#[idempotent]` and `#[destructive]` (only `#[destructive]` and `#[additive]` can have `#[idempotent]` beside them)"
                )
            );
            assert!(
                !DESCRIPTION.is_empty(),
                concat!("tool `", stringify!($name), "` needs a doc comment: it is the description that the model reads")
            );
            assert!(
                $crate::__private::is_tool_name(NAME),
                concat!("tool `", stringify!($name), "` needs a name of 1 to 64 of the characters A-Za-z0-9_-.")
            );
            assert!(
                $crate::__private::is_object(&INPUT),
                concat!(
                    "the arguments of tool `", stringify!($name), "` must be a struct of `args!`; or its `#[input_schema(..)]` is no JSON \
                     object, has not `\"type\": \"object\"`, or has an `x-mcp-header` (which only `args!` can have)"
                )
            );
            assert!(
                match OUTPUT {
                    Some(output) => $crate::__private::is_object(output),
                    None => true,
                },
                concat!("the result of tool `", stringify!($name), "` must be a struct of `output!`")
            );
        };
        $crate::Tool {
            name: NAME,
            title: $crate::__private::title(MARKS),
            description: DESCRIPTION,
            input: &INPUT,
            output: OUTPUT,
            task: $crate::__private::task(MARKS),
            icons: &ICONS,
            meta: $crate::__private::meta(MARKS),
            rate: $crate::__private::rate(MARKS),
            scopes: &SCOPES,
            annotations: match ANNOTATIONS {
                Some(annotations) => annotations,
                // Refused above.
                None => $crate::Annotations { read_only: false, destructive: true, idempotent: false, open_world: true },
            },
        }
    }};
}

/// The schema of a tool's arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __input {
    ([]) => { $crate::Schema::Object(&[]) };
    ([] $args_ty:ty) => { <$args_ty as $crate::Arg<'_>>::SCHEMA };
    ([[input_schema($json:expr)] $($rest:tt)*] $($args_ty:ty)?) => { $crate::Schema::Verbatim($json) };
    ([$other:tt $($rest:tt)*] $($args_ty:ty)?) => { $crate::__input!([$($rest)*] $($args_ty)?) };
}

/// What one attribute of a tool says.
#[doc(hidden)]
#[macro_export]
macro_rules! __mark {
    (doc = $doc:expr) => { $crate::__private::Mark::Doc($doc) };
    (read_only) => { $crate::__private::Mark::ReadOnly };
    (additive) => { $crate::__private::Mark::Additive };
    (destructive) => { $crate::__private::Mark::Destructive };
    (idempotent) => { $crate::__private::Mark::Idempotent };
    (open_world) => { $crate::__private::Mark::OpenWorld };
    (task) => { $crate::__mark!(@ task false, false) };
    (task(required)) => { $crate::__mark!(@ task true, false) };
    (task(later)) => { $crate::__mark!(@ task false, true) };
    (task(required, later)) => { $crate::__mark!(@ task true, true) };
    (@ task $required:expr, $later:expr) => {
        $crate::__private::Mark::Task($crate::TaskSupport { required: $required, later: $later })
    };
    (title($title:expr)) => { $crate::__private::Mark::Title($title) };
    (confirm($question:expr)) => { $crate::__private::Mark::Foreign };
    (scope($($scope:expr),+ $(,)?)) => { $crate::__private::Mark::Scopes(&[$($scope),+]) };
    (rate($count:expr, $seconds:expr $(,)?)) => {
        $crate::__private::Mark::Rate($crate::Rate { count: $count, seconds: $seconds })
    };
    (when($holds:expr)) => { $crate::__private::Mark::Foreign };
    (name($name:expr)) => { $crate::__private::Mark::Name($name) };
    (icon($src:expr $(,)?)) => { $crate::__private::Mark::Icon($crate::Icon { src: $src, mime: "", sizes: &[] }) };
    (icon($src:expr, $mime:expr $(, $size:expr)* $(,)?)) => {
        $crate::__private::Mark::Icon($crate::Icon { src: $src, mime: $mime, sizes: &[$($size),*] })
    };
    (meta($json:expr)) => { $crate::__private::Mark::Meta($json) };
    (input_schema($json:expr)) => { $crate::__private::Mark::Foreign };
    (allow $lints:tt) => { $crate::__private::Mark::Foreign };
    (expect $lints:tt) => { $crate::__private::Mark::Foreign };
    ($($other:tt)*) => {
        compile_error!(concat!(
            "a tool cannot have the attribute `#[", stringify!($($other)*), "]`; it can have a doc comment, `#[read_only]`, `#[additive]`, ",
            "`#[idempotent]`, `#[destructive]`, `#[open_world]`, `#[confirm(\"..\")]`, `#[task]`, `#[title(\"..\")]`, `#[name(\"..\")]`, `#[icon(..)]`, \
             `#[meta(..)]`, `#[scope(..)]`, `#[when(..)]`, `#[rate(..)]`, `#[input_schema(..)]`, `#[allow(..)]` and `#[expect(..)]`"
        ))
    };
}

/// Whether a tool is offered: all of its `#[when(..)]` hold.
#[doc(hidden)]
#[macro_export]
macro_rules! __is_offered {
    ([] $this:ident) => { true };
    ([[when($holds:expr)] $($rest:tt)*] $this:ident) => {
        ($holds)($this) && $crate::__is_offered!([$($rest)*] $this)
    };
    ([$other:tt $($rest:tt)*] $this:ident) => { $crate::__is_offered!([$($rest)*] $this) };
}

/// Asks the user, where the tool wants that: after the arguments were found to fit, and before they are read.
#[doc(hidden)]
#[macro_export]
macro_rules! __confirm_tool {
    ([] $all:tt $call:ident $($args_ty:ty)?) => {};
    ([[confirm($question:expr)] $($rest:tt)*] $all:tt $call:ident $($args_ty:ty)?) => {
        $crate::__private::check_arguments($call, &const { $crate::__input!($all $($args_ty)?) })?;
        ::core::pin::pin!($crate::__private::confirm_tool($call, $question)).await?;
    };
    ([$other:tt $($rest:tt)*] $all:tt $call:ident $($args_ty:ty)?) => {
        $crate::__confirm_tool!([$($rest)*] $all $call $($args_ty)?);
    };
}

/// Reads the arguments and awaits the method. The arguments live in the method's future only, not beside it.
#[doc(hidden)]
#[macro_export]
macro_rules! __run_tool {
    ([] $this:ident $name:ident $call:ident) => {
        $crate::__run_tool!(@ parse_none, $this $name $call)
    };
    ([] $this:ident $name:ident $call:ident $args_ty:ty) => {
        $crate::__run_tool!(@ parse::<$args_ty>, $this $name $call args)
    };
    ([[input_schema($json:expr)] $($rest:tt)*] $this:ident $name:ident $call:ident) => {
        $crate::__run_tool!(@ parse_nothing, $this $name $call)
    };
    ([[input_schema($json:expr)] $($rest:tt)*] $this:ident $name:ident $call:ident $args_ty:ty) => {
        $crate::__run_tool!(@ parse_unchecked::<$args_ty>, $this $name $call args)
    };
    ([$other:tt $($rest:tt)*] $($run:tt)*) => { $crate::__run_tool!([$($rest)*] $($run)*) };
    (@ $parse:ident, $this:ident $name:ident $call:ident) => {{
        $crate::__private::$parse($call)?;
        let outcome = ::core::pin::pin!($this.$name($call)).await;
        $crate::__private::Outcome::finish(outcome, $call).await
    }};
    (@ $parse:ident::<$args_ty:ty>, $this:ident $name:ident $call:ident args) => {{
        let outcome = ::core::pin::pin!({
            match $crate::__private::$parse::<$args_ty>($call) {
                Ok(args) => $this.$name($call, args),
                Err(error) => return Err(error),
            }
        })
        .await;
        $crate::__private::Outcome::finish(outcome, $call).await
    }};
}
