//! Settings: what is accepted, and what is said of what is not.

use crate::limits::{BEARER_TOKEN_BYTES_MAX, PUBLIC_BASE_BYTES_MAX};

use super::{Guard, GuardOptions, PublicBase, Token};

fn error(options: &GuardOptions<'_>) -> String {
    Guard::new(options).map(|_| ()).unwrap_err().to_string()
}

fn strings(value: &str) -> Vec<String> {
    vec!["localhost".to_owned(), value.to_owned()]
}

#[test]
fn hosts() {
    let form = "a host is a name or an address, such as \"device.lan\", \"device.lan:8080\" or \"192.168.1.5\"";
    let table = [
        ("", form),
        (".", form),
        ("a b", form),
        ("a/b", form),
        ("user@a", form),
        ("a:b", form),
        ("a:65536", form),
        ("[fe80::1%eth0]", form),
        ("a:", "the port is a number from 1 to 65535"),
        ("a:0", "the port is a number from 1 to 65535"),
        ("*", "there are no wildcards, because they would admit pages of strangers: write each name"),
        ("*.lan", "there are no wildcards, because they would admit pages of strangers: write each name"),
        ("https://a.lan:80/x", "a host has no scheme and no path: write \"a.lan:80\""),
        ("https://", "a host has no scheme and no path"),
    ];
    for (value, why) in table {
        let options = GuardOptions { allow_hosts: strings(value), ..GuardOptions::default() };
        assert_eq!(error(&options), format!("allow_host {value:?}: {why}"));
    }
    for value in ["a", "a.", "a:1", "A_b.lan:65535", "1.2.3.4:80", "::1", "[::1]", "[::1]:80", "xn--bcher-kva.example"]
    {
        let options = GuardOptions { allow_hosts: strings(value), ..GuardOptions::default() };
        assert!(Guard::new(&options).is_ok(), "{value}");
    }
}

#[test]
fn origins() {
    let form = "an origin is a scheme, a host and perhaps a port, such as \"https://app.example\" or \
                \"http://192.168.1.5:8080\"";
    let wildcards = "there are no wildcards but \"*\" alone, which allows every page: write each origin";
    let table = [
        ("", form),
        ("app.example", form),
        ("https://", form),
        ("https://u@app.example", form),
        ("https://app.example:", form),
        ("https://app.example:0", form),
        ("https://a b/", form),
        ("https://app.example/", "an origin has no path: write \"https://app.example\""),
        ("https://app.example:8443/a/b?c#d", "an origin has no path: write \"https://app.example:8443\""),
        ("null", "every sandboxed page of every site has this origin: serve the page by http or https"),
        ("https://*.example", wildcards),
        ("**", wildcards),
    ];
    for (value, why) in table {
        let allow_origins = vec!["*".to_owned(), value.to_owned()];
        let options = GuardOptions { allow_origins, ..GuardOptions::default() };
        assert_eq!(error(&options), format!("allow_origin {value:?}: {why}"));
    }
}

#[test]
fn tokens() {
    let too_long = "x".repeat(BEARER_TOKEN_BYTES_MAX + 1);
    let grammar = "a token is made of letters, digits and -._~+/ and may end in =, as in: openssl rand -hex 32";
    let white = "there is white space before or after it, such as the end of a line";
    let table = [
        ("", "it is empty: check the variable or the file that it comes from"),
        ("secret\n", white),
        (" secret", white),
        ("top secret", grammar),
        ("=", grammar),
        ("a=b", grammar),
        ("geheimnis\u{fc}", grammar),
        ("sec\0ret", grammar),
        (&too_long, "it has more than 512 bytes"),
    ];
    for (value, why) in table {
        let options =
            GuardOptions { tokens: strings(value).iter().map(Token::new).collect(), ..GuardOptions::default() };
        assert_eq!(error(&options), format!("token number 2: {why}"));
        let shown = format!("{:?}", Guard::new(&options));
        assert!(!shown.contains("secret") && !shown.contains("geheimnis"), "{shown}");
    }
    let options =
        GuardOptions { tokens: vec![Token::new("x".repeat(BEARER_TOKEN_BYTES_MAX))], ..GuardOptions::default() };
    assert!(Guard::new(&options).is_ok_and(|guard| !guard.is_open()));
}

#[test]
fn public_bases() {
    let table = [
        ("https://example.org", "https://example.org", "example.org", ""),
        ("https://example.org/", "https://example.org", "example.org", ""),
        ("https://example.org/sub/path/", "https://example.org", "example.org", "/sub/path"),
        ("https://example.org/sub/path", "https://example.org", "example.org", "/sub/path"),
        ("HTTP://Example.ORG:8080/Sub", "http://example.org:8080", "example.org", "/Sub"),
        ("https://example.org:443/x", "https://example.org", "example.org", "/x"),
        ("http://example.org:443/x", "http://example.org:443", "example.org", "/x"),
        ("http://[fd00::1]:80/a%20b/~c:@!", "http://[fd00::1]", "[fd00::1]", "/a%20b/~c:@!"),
        ("http://192.168.1.5:", "http://192.168.1.5", "192.168.1.5", ""),
    ];
    for (url, origin, host, prefix) in table {
        let base = PublicBase::parse(url).unwrap();
        assert_eq!((base.origin(), base.host(), base.prefix()), (origin, host, prefix), "{url}");
    }
}

#[test]
fn what_is_no_public_base() {
    let long = format!("https://example.org/{}", "x".repeat(PUBLIC_BASE_BYTES_MAX));
    let form = "a base is a URL, such as \"https://example.org\" or \"https://example.org/device\"";
    let table = [
        ("", form),
        ("example.org", form),
        ("/sub", form),
        ("ftp://example.org", "the scheme is http or https"),
        ("https://", "the host or the port is not one"),
        ("https:///x", "the host or the port is not one"),
        ("https://exa mple", "the host or the port is not one"),
        ("https://example.org:99999", "the host or the port is not one"),
        ("https://example.org:0", "the port is a number from 1 to 65535"),
        ("https://u:p@example.org", "no user and no password is given in a base"),
        ("https://example.org?x", "a base has no query and no fragment"),
        ("https://example.org/x#y", "a base has no query and no fragment"),
        ("https://example.org//", "a part of the path is empty"),
        ("https://example.org/a//b", "a part of the path is empty"),
        ("https://example.org/a/../b", "the path has a part that is \".\" or \"..\""),
        ("https://example.org/.", "the path has a part that is \".\" or \"..\""),
        ("https://example.org/a b", "the path has a character that must be percent-encoded"),
        ("https://example.org/a\r\nb", "the path has a character that must be percent-encoded"),
        ("https://example.org/ä", "the path has a character that must be percent-encoded"),
        ("https://example.org/%4", "the path has a character that must be percent-encoded"),
        (&long, "it has more than 256 bytes"),
    ];
    for (url, why) in table {
        let found = PublicBase::parse(url).unwrap_err().to_string();
        assert_eq!(found, format!("public_base {url:?}: {why}"));
    }
}
