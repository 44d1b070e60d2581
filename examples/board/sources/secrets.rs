//! Likely secrets, masked before they are shown. It cannot know all of them: what may hold some is shown only when asked for.

/// Words that announce a secret.
const SIGNS: [&str; 8] = ["token", "passw", "secret", "apikey", "api-key", "api_key", "credential", "bearer"];
/// What stands for a secret.
const MASK: &str = "***";

/// Where words are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// A command line: what announces a secret is followed by it.
    CommandLine,
    /// A line of a log, whose sentences are about tokens and passwords too: only after a colon, `=`, or `bearer` comes one.
    Log,
}

/// Words with a blank between them, without what follows one that announces a secret.
pub(crate) fn masked<'w>(words: impl Iterator<Item = &'w str>, from: From) -> String {
    let mut out = String::new();
    let mut hide = false;
    for (at, word) in words.enumerate() {
        out.push_str(if at == 0 { "" } else { " " });
        let end = word.find(['=', ':']).filter(|end| announces(&word[..*end]));
        let value = end.map(|end| &word[end + 1..]);
        match (value, end) {
            _ if hide && !word.is_empty() => out.push_str(MASK),
            (Some(value), Some(end)) if !value.is_empty() => {
                out.push_str(&word[..=end]);
                out.push_str(MASK);
            }
            _ => out.push_str(word),
        }
        // `token: abc`; and `bearer`, which is one word of the two itself.
        let opens = match from {
            From::CommandLine => value.is_none_or(str::is_empty) && announces(word),
            From::Log => value == Some("") || word.eq_ignore_ascii_case("bearer"),
        };
        hide = if hide { word.is_empty() || word.eq_ignore_ascii_case("bearer") } else { opens };
    }
    out
}

fn announces(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    SIGNS.iter().any(|sign| word.contains(sign))
}
