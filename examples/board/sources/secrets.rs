//! Likely secrets, masked before they are shown. It cannot know all of them: what may hold some is shown only when asked for.

/// Words that announce a secret.
const SIGNS: [&str; 11] = [
    "token",
    "passw",
    "secret",
    "apikey",
    "api-key",
    "api_key",
    "credential",
    "bearer",
    "passphrase",
    "authorization",
    "psk",
];
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

/// What stands between a key and what is in front of it: in a URL, in JSON, in a list.
const FRONT: [char; 12] = ['?', '&', ',', ';', '{', '[', '(', '"', '\'', '/', ':', '='];
/// The ways of authorization, which stand in front of the secret itself.
const WAYS: [&str; 4] = ["bearer", "basic", "digest", "negotiate"];

/// Words with a blank between them, without what follows one that announces a secret.
pub(crate) fn masked<'w>(words: impl Iterator<Item = &'w str>, from: From) -> String {
    let mut out = String::new();
    // Whether the next word is a secret; and whether the last one announced some, so that a lone `=` makes the next one that.
    let (mut hide, mut announced) = (false, false);
    for (at, word) in words.enumerate() {
        out.push_str(if at == 0 { "" } else { " " });
        if word.is_empty() {
            continue;
        }
        let is_way = WAYS.iter().any(|way| word.eq_ignore_ascii_case(way));
        let secret = secret_in(word);
        match secret {
            _ if hide && !is_way => out.push_str(MASK),
            Some(begin) if begin < word.len() => {
                out.push_str(&word[..begin]);
                out.push_str(MASK);
            }
            _ => out.push_str(word),
        }
        let opens = match from {
            From::CommandLine => secret.is_none_or(|begin| begin == word.len()) && announces(word),
            From::Log => secret == Some(word.len()) || word.starts_with('-') && secret.is_none() && announces(word),
        };
        let is_sign = announced && matches!(word, "=" | ":");
        hide = if hide { is_way } else { opens || is_sign || word.eq_ignore_ascii_case("bearer") };
        announced = announces(word);
    }
    out
}

/// Where the secret in a word begins: behind the sign that follows a key which announces it, or the user of a URL.
fn secret_in(word: &str) -> Option<usize> {
    let mut signs = word.char_indices().filter(|(_, sign)| matches!(sign, '=' | ':'));
    let of_key = |(at, _): (usize, char)| {
        let key = word[..at].trim_end_matches(['"', '\'']);
        let key = key.rsplit(FRONT).next().unwrap_or_default();
        announces(key).then_some(at + 1)
    };
    let of_user = || {
        let begin = word.find("://")? + 3;
        let authority = word[begin..].split('/').next().unwrap_or_default();
        let (user, _) = authority.rsplit_once('@')?;
        user.find(':').map(|colon| begin + colon + 1)
    };
    signs.find_map(of_key).into_iter().chain(of_user()).min()
}

fn announces(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    SIGNS.iter().any(|sign| word.contains(sign))
}
