//! `prompts!`: an application's prompts from its methods.

/// Makes the methods of a type into prompts.
///
/// ```
/// use smol_mcp::{Prompting, PromptResult, args, prompts};
///
/// args! {
///     struct Report {
///         /// For whom it is.
///         reader: Reader,
///         /// The most words that it may have; 100 when absent.
///         #[range(10..=1000)]
///         words: Option<u16>,
///     }
///
///     enum Reader { Owner, Technician }
/// }
///
/// struct Board;
///
/// prompts! {
///     impl Board {
///         /// How is the board?
///         #[title("Report")]
///         async fn report(&self, call: &mut Prompting<'_>, args: Report) -> PromptResult {
///             let words = args.words.unwrap_or(100);
///             call.reply(format_args!("Report to the {:?} on the board in {words} words.", args.reader)).await
///         }
///     }
/// }
/// ```
/// gives `impl Board` with these methods, and its [`Prompts`](crate::Prompts), which [`Server::prompts`](crate::Server::prompts) serves.
///
/// - The doc comment is what the user reads; it must be there.
/// - The arguments are a struct of [`args!`](crate::args), of strings, numbers, bools and enums: on the wire all of them are strings. What does
///   not fit never reaches the method, and the client is told why.
/// - `#[title("..")]`, and `#[name("..")]` where that is not the method's name.
/// - `#[icon("https://..", "image/png", "48x48")]`, any number, and `#[meta(r#"{..}"#)]`, as tools have them.
/// - `#[scope("lights")]`, `#[scope("a", "b")]`: the scopes that the caller's token must have, all of them; others do not see it, and are refused.
/// - `#[complete(method)]` names a method that completes the arguments: `async fn method(&self, call: &mut Completing<'_>)`. Enums complete by
///   themselves.
#[macro_export]
macro_rules! prompts {
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

        impl $crate::Prompts for $App {
            const PROMPTS: &'static [$crate::Prompt] = &[$($crate::__prompt!($name [$([$($attr)*])*] $($args_ty)?)),*];

            async fn get(&self, index: usize, call: &mut $crate::Prompting<'_>) -> $crate::PromptResult {
                #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
                enum Index { $($name),* }
                match index {
                    $(found if found == Index::$name as usize => $crate::__run_words!(arguments self $name call $($args_ty)?),)*
                    _ => Err($crate::Failure::from("no such prompt")),
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
            $crate::__private::are_prompts_unique(<$App as $crate::Prompts>::PROMPTS),
            concat!("two prompts of `", stringify!($App), "` have the same name")
        );
    };
}

/// A [`Prompt`](crate::Prompt), as a constant expression.
#[doc(hidden)]
#[macro_export]
macro_rules! __prompt {
    ($name:ident [$([$($attr:tt)*])*] $($args_ty:ty)?) => {{
        const MARKS: &[$crate::__private::Mark] = &[$($crate::__prompt_mark!($($attr)*)),*];
        const NAME: &str = $crate::__private::name(MARKS, stringify!($name));
        const DESCRIPTION: &str = $crate::__text!($($crate::__prompt_mark!($($attr)*)),*);
        const ICONS: [$crate::Icon; $crate::__private::icon_count(MARKS)] = $crate::__private::icons(MARKS);
        const SCOPES: [&str; $crate::__private::scope_count(MARKS)] = $crate::__private::scopes(MARKS);
        const ARGUMENTS: $crate::Schema = $crate::__input!([] $($args_ty)?);
        const _: () = {
            assert!(
                $crate::__private::are_words(&ARGUMENTS),
                concat!("the arguments of prompt `", stringify!($name), "` must be a struct of `args!`, of strings, numbers, bools and enums")
            );
            assert!(
                !DESCRIPTION.is_empty(),
                concat!("prompt `", stringify!($name), "` needs a doc comment: it is the description that the user reads")
            );
            assert!(
                $crate::__private::is_tool_name(NAME),
                concat!("prompt `", stringify!($name), "` needs a name of 1 to 64 of the characters A-Za-z0-9_-.")
            );
        };
        $crate::Prompt {
            name: NAME,
            title: $crate::__private::title(MARKS),
            description: DESCRIPTION,
            icons: &ICONS,
            meta: $crate::__private::meta(MARKS),
            scopes: &SCOPES,
            arguments: &ARGUMENTS,
            completes: $crate::__private::completes(MARKS),
        }
    }};
}

/// What one attribute of a prompt says.
#[doc(hidden)]
#[macro_export]
macro_rules! __prompt_mark {
    (doc = $doc:expr) => { $crate::__private::Mark::Doc($doc) };
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
            "a prompt cannot have the attribute `#[", stringify!($($other)*), "]`; it can have a doc comment, `#[title(\"..\")]`, ",
            "`#[name(\"..\")]`, `#[complete(method)]`, `#[icon(..)]`, `#[meta(..)]`, `#[scope(..)]`, `#[allow(..)]` and `#[expect(..)]`"
        ))
    };
}
