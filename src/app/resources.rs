//! `resources!`: an application's resources from its methods.

/// Makes the methods of a type into resources.
///
/// ```
/// use smol_mcp::{Completing, ReadResult, Reading, args, resources};
///
/// args! {
///     struct SensorArgs {
///         /// Which sensor.
///         number: u8,
///     }
/// }
///
/// struct Board;
///
/// resources! {
///     impl Board {
///         /// What the board measures.
///         #[uri("board://temperature")]
///         #[mime("text/plain")]
///         async fn temperature(&self, call: &mut Reading<'_>) -> ReadResult {
///             call.text("21 °C").await
///         }
///
///         /// One of its sensors.
///         #[uri("board://sensor/{number}")]
///         #[complete(sensors)]
///         async fn sensor(&self, call: &mut Reading<'_>, args: SensorArgs) -> ReadResult {
///             if args.number > 3 {
///                 return call.not_found();
///             }
///             call.reply(format_args!("sensor {} sleeps", args.number)).await
///         }
///     }
/// }
///
/// impl Board {
///     async fn sensors(&self, call: &mut Completing<'_>) {
///         for number in ["0", "1", "2", "3"] {
///             call.offer(number).await;
///         }
///     }
/// }
/// ```
/// gives `impl Board` with these methods, and its [`Resources`](crate::Resources), which [`Server::resources`](crate::Server::resources)
/// serves.
///
/// - `#[uri("..")]` must be there. With `{variables}` it is a template (RFC 6570, level 1): each variable stands for a part of the path, is
///   decoded, and is a member of the same name of the arguments. A URI whose values do not fit them is not found. The first resource that fits
///   is read, in the order of the methods.
/// - The doc comment is what the model reads; it must be there.
/// - `#[title("..")]`, `#[mime("..")]`, `#[size(1024)]`, `#[name("..")]` where that is not the method's name.
/// - `#[audience(user, assistant)]` (or one of them), `#[priority(0.5)]` and `#[last_modified("2026-01-31T12:00:00Z")]`.
/// - `#[icon("https://..", "image/png", "48x48")]`, any number, and `#[meta(r#"{..}"#)]`, as tools have them.
/// - `#[scope("lights")]`, `#[scope("a", "b")]`: the scopes that the caller's token must have, all of them; others do not see it, and are refused.
/// - `#[complete(method)]` names a method that completes the variables: `async fn method(&self, call: &mut Completing<'_>)`. Variables whose
///   type is an enum complete by themselves.
#[macro_export]
macro_rules! resources {
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

        impl $crate::Resources for $App {
            const RESOURCES: &'static [$crate::Resource] =
                &[$($crate::__resource!($name [$([$($attr)*])*] $($args_ty)?)),*];

            async fn read(&self, index: usize, call: &mut $crate::Reading<'_>) -> $crate::ReadResult {
                #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
                enum Index { $($name),* }
                match index {
                    $(found if found == Index::$name as usize => $crate::__run_words!(variables self $name call $($args_ty)?),)*
                    _ => call.not_found(),
                }
            }

            async fn complete(&self, index: usize, call: &mut $crate::Completing<'_>) {
                #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
                enum Index { $($name),* }
                match index {
                    $(found if found == Index::$name as usize => $crate::__complete!(self call [$([$($attr)*])*]),)*
                    _ => {
                        let _ = call;
                    }
                }
            }
        }

        const _: () = assert!(
            $crate::__private::are_uris_unique(<$App as $crate::Resources>::RESOURCES),
            concat!("two resources of `", stringify!($App), "` have the same URI")
        );
    };
}

/// A [`Resource`](crate::Resource), as a constant expression.
#[doc(hidden)]
#[macro_export]
macro_rules! __resource {
    ($name:ident [$([$($attr:tt)*])*] $($args_ty:ty)?) => {{
        const MARKS: &[$crate::__private::Mark] = &[$($crate::__resource_mark!($($attr)*)),*];
        const DESCRIPTION: &str = $crate::__text!($($crate::__resource_mark!($($attr)*)),*);
        const URI: &str = match $crate::__private::resource_uri(MARKS) {
            Some(uri) => uri,
            None => "",
        };
        const ICONS: [$crate::Icon; $crate::__private::icon_count(MARKS)] = $crate::__private::icons(MARKS);
        const SCOPES: [&str; $crate::__private::scope_count(MARKS)] = $crate::__private::scopes(MARKS);
        const ARGUMENTS: $crate::Schema = $crate::__input!([] $($args_ty)?);
        const _: () = {
            assert!(!URI.is_empty(), concat!("resource `", stringify!($name), "` needs `#[uri(\"..\")]`"));
            assert!(
                $crate::__private::is_legal(URI),
                concat!(
                    "the URI of resource `", stringify!($name), "` needs a scheme (`board://..`), only ASCII, and its variables in braces, ",
                    "each with its end, a `/` or another reserved character behind it"
                )
            );
            assert!(
                $crate::__private::are_variables(URI, &ARGUMENTS),
                concat!(
                    "the arguments of resource `", stringify!($name), "` must be a struct of `args!` with a string, number, bool or enum for ",
                    "each variable of its URI, and nothing else"
                )
            );
            assert!(
                !DESCRIPTION.is_empty(),
                concat!("resource `", stringify!($name), "` needs a doc comment: it is the description that the model reads")
            );
        };
        $crate::Resource {
            uri: URI,
            name: $crate::__private::name(MARKS, stringify!($name)),
            title: $crate::__private::title(MARKS),
            description: DESCRIPTION,
            icons: &ICONS,
            meta: $crate::__private::meta(MARKS),
            scopes: &SCOPES,
            mime: $crate::__private::mime(MARKS),
            size: $crate::__private::size(MARKS),
            annotations: $crate::__private::resource_annotations(MARKS),
            arguments: &ARGUMENTS,
            completes: $crate::__private::completes(MARKS),
        }
    }};
}

/// What one attribute of a resource says.
#[doc(hidden)]
#[macro_export]
macro_rules! __resource_mark {
    (doc = $doc:expr) => { $crate::__private::Mark::Doc($doc) };
    (uri($uri:expr)) => { $crate::__private::Mark::Uri($uri) };
    (mime($mime:expr)) => { $crate::__private::Mark::Mime($mime) };
    (size($size:expr)) => { $crate::__private::Mark::Size($size) };
    (audience(user)) => { $crate::__private::Mark::Audience((true, false)) };
    (audience(assistant)) => { $crate::__private::Mark::Audience((false, true)) };
    (audience(user, assistant)) => { $crate::__private::Mark::Audience((true, true)) };
    (priority($priority:expr)) => { $crate::__private::Mark::Priority($priority) };
    (last_modified($time:expr)) => { $crate::__private::Mark::LastModified($time) };
    (complete($method:ident)) => { $crate::__private::Mark::Completes };
    (title($title:expr)) => { $crate::__private::Mark::Title($title) };
    (scope($($scope:tt)*)) => { $crate::__mark!(scope($($scope)*)) };
    (icon($($icon:tt)*)) => { $crate::__mark!(icon($($icon)*)) };
    (meta($json:expr)) => { $crate::__private::Mark::Meta($json) };
    (name($name:expr)) => { $crate::__private::Mark::Name($name) };
    (allow $lints:tt) => { $crate::__private::Mark::Foreign };
    (expect $lints:tt) => { $crate::__private::Mark::Foreign };
    ($($other:tt)*) => {
        compile_error!(concat!(
            "a resource cannot have the attribute `#[", stringify!($($other)*), "]`; it can have a doc comment, `#[uri(\"..\")]`, ",
            "`#[title(\"..\")]`, `#[name(\"..\")]`, `#[mime(\"..\")]`, `#[size(..)]`, `#[audience(user, assistant)]`, `#[priority(..)]`, ",
            "`#[last_modified(\"..\")]`, `#[complete(method)]`, `#[icon(..)]`, `#[meta(..)]`, `#[scope(..)]`, `#[allow(..)]` and `#[expect(..)]`"
        ))
    };
}

/// Reads the arguments (by this function of `__private`) and awaits the method. The arguments live in the method's future only.
#[doc(hidden)]
#[macro_export]
macro_rules! __run_words {
    ($read:ident $this:ident $name:ident $call:ident) => {
        $this.$name($call).await
    };
    ($read:ident $this:ident $name:ident $call:ident $args_ty:ty) => {{
        ::core::pin::pin!({
            let args = $crate::__private::$read::<$args_ty>($call)?;
            $this.$name($call, args)
        })
        .await
    }};
}

/// Awaits the method that `#[complete(..)]` names.
#[doc(hidden)]
#[macro_export]
macro_rules! __complete {
    ($this:ident $call:ident []) => {{
        let _ = $call;
    }};
    ($this:ident $call:ident [[complete($method:ident)] $($rest:tt)*]) => { $this.$method($call).await };
    ($this:ident $call:ident [$other:tt $($rest:tt)*]) => { $crate::__complete!($this $call [$($rest)*]) };
}
