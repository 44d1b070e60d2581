//! The file of tokens: what may stand in it, and what is said of what may not.

use crate::limits::TOKENS_MAX;

use super::token_file::TokenFile;
use super::{Guard, GuardOptions};

const NOW: u64 = 1_800_000_000;

fn guard(text: &str) -> Guard {
    let file_tokens = Some(TokenFile::parse(text).unwrap().tokens);
    Guard::new(&GuardOptions { file_tokens, ..GuardOptions::default() }).unwrap()
}

fn enter(guard: &Guard, token: &str, unix_s: u64) -> Option<(Option<String>, Option<Vec<String>>)> {
    let principal = guard.bearer([format!("Bearer {token}").as_bytes()].into_iter(), unix_s).ok()?;
    let scopes = (!principal.has_every_scope()).then(|| principal.scopes().map(str::to_owned).collect());
    Some((principal.name().map(str::to_owned), scopes))
}

#[test]
fn what_stands_in_it() {
    let hash = "2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B"; // of "secret"
    let text = format!(
        "\u{feff}# the household\r\n\r\n  admin\tfirst==   # everything\n\
         kitchen sha256:{hash} expires=2027-01-16T00:00:00Z scopes=read,lights\n\
         - third scopes=\n#x y\nküche fourth scopes=a#b #c"
    );
    let guard = guard(&text);
    let scopes = |scopes: &[&str]| Some(scopes.iter().map(ToString::to_string).collect::<Vec<_>>());
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(enter(&guard, "first==", NOW), Some((name("admin"), None)));
    assert_eq!(enter(&guard, "secret", NOW), Some((name("kitchen"), scopes(&["read", "lights"]))));
    assert_eq!(enter(&guard, "third", NOW), Some((None, scopes(&[]))));
    assert_eq!(enter(&guard, "fourth", NOW), Some((name("küche"), scopes(&["a#b"]))));
    assert_eq!(enter(&guard, "y", NOW), None);
    // 2027-01-16T00:00:00Z
    assert!(enter(&guard, "secret", 1_800_057_599).is_some() && enter(&guard, "secret", 1_800_057_600).is_none());
    let is_secret = |text: &str| TokenFile::parse(text).unwrap().is_secret;
    assert!(is_secret(&text) && !is_secret(&format!("a sha256:{hash}")) && !is_secret(""));
}

#[test]
fn a_mistake_is_told_by_its_line_and_nothing_more() {
    let expected =
        "expected a name and a token, or \"-\" and a token: name token scopes=a,b expires=2027-01-01T00:00:00Z";
    let hash = "expected 64 hexadecimal digits behind sha256:";
    let option =
        "behind the token only scopes=a,b and expires=2027-01-01T00:00:00Z may stand, each once, and # comments";
    let time = "expires= needs a time in UTC, such as 2027-01-01T00:00:00Z";
    let grammar = "a token is made of letters, digits and -._~+/ and may end in =, as in: openssl rand -hex 32";
    let scope = "a scope has at least one character, and none but visible ASCII without \" and \\";
    let long = format!("{} geheim", "n".repeat(65));
    let wrong_hash = format!("a sha256:{}g", "0".repeat(63));
    let signed_hash = format!("a sha256:{}", "+1".repeat(32));
    let table = [
        ("geheim", expected),
        ("geheim # name", expected),
        ("a geheim!", grammar),
        ("a \"geheim\"", grammar),
        ("a geh\u{e4}im", grammar),
        ("a sha256:", hash),
        ("a sha256:geheim", hash),
        (&wrong_hash, hash),
        (&signed_hash, hash),
        ("a geheim read", option),
        ("a geheim scope=read", option),
        ("a geheim Scopes=read", option),
        ("a geheim scopes=a scopes=b", option),
        ("a geheim expires=2027-01-01T00:00:00Z expires=2027-01-01T00:00:00Z", option),
        ("a b geheim", option),
        ("a geheim scopes=a, b", option),
        ("a geheim scopes=a,,b", scope),
        ("a geheim scopes=\u{e4}", scope),
        ("a geheim expires=", time),
        ("a geheim expires=2027-01-01", time),
        ("a geheim expires=1800000000", time),
        ("a geheim expires=2027-1-1T00:00:00Z", time),
        ("a geheim expires=2027-01-01T00:00:00", time),
        ("a geheim expires=2027-01-01T00:00:00+01:00", time),
        ("a geheim expires=2027-00-01T00:00:00Z", time),
        ("a geheim expires=2027-13-01T00:00:00Z", time),
        ("a geheim expires=2027-02-29T00:00:00Z", time),
        ("a geheim expires=2100-02-29T00:00:00Z", time),
        ("a geheim expires=2027-04-31T00:00:00Z", time),
        ("a geheim expires=2027-01-00T00:00:00Z", time),
        ("a geheim expires=2027-01-01T24:00:00Z", time),
        ("a geheim expires=2027-01-01T00:60:00Z", time),
        ("a geheim expires=2027-01-01T00:00:60Z", time),
        ("a geheim expires=1969-12-31T23:59:59Z", time),
        ("a geheim expires=+027-01-01T00:00:00Z", time),
        (&long, "a name has 1 to 64 bytes, and no characters that are not seen"),
        ("a\u{7}b geheim", "a name has 1 to 64 bytes, and no characters that are not seen"),
    ];
    for (line, why) in table {
        let found = TokenFile::parse(&format!("first ok\n\n{line}\nlast -\n")).unwrap_err().to_string();
        assert_eq!(found, format!("line 3: {why}"), "{line}");
        assert!(!found.contains("geheim"));
    }
}

#[test]
fn times() {
    let table = [
        ("1970-01-01T00:00:01Z", 1),
        ("2000-02-29T12:00:00z", 951_825_600),
        ("2024-02-29t23:59:59Z", 1_709_251_199),
        ("2027-01-01T00:00:00Z", 1_798_761_600),
        ("2400-03-01T00:00:00Z", 13_574_649_600),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ];
    for (time, unix_s) in table {
        let guard = guard(&format!("a b expires={time}"));
        assert_eq!(guard.next_end(0), unix_s, "{time}");
    }
}

#[test]
fn a_token_stands_there_once_and_there_are_so_many() {
    let twice = TokenFile::parse("a x\nb y\n\nc x").unwrap().tokens;
    let error = |file, tokens| {
        Guard::new(&GuardOptions { file_tokens: Some(file), tokens, ..GuardOptions::default() })
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error(twice, vec![]), "line 4: the token is that of line 1");
    let also = TokenFile::parse("\na x").unwrap().tokens;
    assert_eq!(
        error(also, vec![super::Token::new("x")]),
        "line 2: the token is also given by the program or the environment"
    );
    let many = (0..=TOKENS_MAX).map(|n| format!("a {n}")).collect::<Vec<_>>().join("\n");
    assert_eq!(
        TokenFile::parse(&many).unwrap_err().to_string(),
        "line 65: it is one too many: at most 64 tokens can be kept"
    );
    // The same name twice is how a token is replaced.
    assert!(enter(&guard("a x\na y"), "y", NOW).is_some());
}
