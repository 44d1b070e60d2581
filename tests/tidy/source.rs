//! Rust sources as the house rules see them: files, tokens without comments and texts, paths, functions.

use std::fs;
use std::path::Path;

/// One file.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// All tokens but comments. A string or character literal is a single `"`.
    pub(crate) tokens: Vec<Token>,
}

/// A name, a number, `::`, or one other character.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// `a::b::c`, written in one piece or in a group of a `use`.
pub(crate) struct NamePath {
    pub(crate) names: Vec<String>,
    /// Where its last name stands.
    pub(crate) line: usize,
    /// `$crate::...`: what a macro names in the crate that calls it.
    pub(crate) of_macro: bool,
    /// `...!`
    pub(crate) calls_macro: bool,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Where its `fn` stands.
    pub(crate) line: usize,
    /// From there to the end of its body.
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), tokens: Lexer::run(text) }
    }

    /// All `.rs` files below some folders of the repository, in order; of a folder that is not there, none.
    pub(crate) fn all(folders: &[&str]) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = vec![];
        for folder in folders.iter().filter(|folder| root.join(folder).exists()) {
            collect(root, folder, &mut sources);
        }
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(!sources.is_empty(), "no sources in {folders:?}");
        sources
    }

    /// Whether the file holds tests alone, by its name.
    pub(crate) fn is_test(&self) -> bool {
        let is_test = |name: &str| name == "tests" || name.starts_with("tests_");
        !self.path.starts_with("src/") || self.path.trim_end_matches(".rs").split('/').any(is_test)
    }

    /// The tokens that are compiled into the library: those outside `#[cfg(test)]`.
    pub(crate) fn library_tokens(&self) -> Vec<Token> {
        if self.is_test() { vec![] } else { without_tests(&self.tokens) }
    }
}

fn collect(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(root.join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    for entry in entries.map(|entry| entry.unwrap_or_else(|error| panic!("{folder}: {error}"))) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                collect(root, &path, sources);
            }
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            sources.push(Source::new(&path, &text));
        }
    }
}

/// Whether a token is a name.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first == '_' || first.is_alphabetic())
}

/// The paths in a text; a lone name is a path of one.
pub(crate) fn name_paths(tokens: &[Token]) -> Vec<NamePath> {
    let (mut at, mut paths) = (0, vec![]);
    while let Some(token) = tokens.get(at) {
        if is_name(&token.text) {
            let (before, of_macro) = (paths.len(), at > 0 && tokens[at - 1].text == "$");
            at = walk_path(tokens, at, &[], &mut paths);
            paths[before..].iter_mut().for_each(|path| path.of_macro = of_macro);
        } else {
            at += 1;
        }
    }
    paths
}

/// Adds the path that begins at a name, or the paths of its groups; returns where it ends.
fn walk_path(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<NamePath>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut names = prefix.to_vec();
    loop {
        names.push(text(at).to_owned());
        at += 1;
        if text(at) != "::" || !(is_name(text(at + 1)) || ["*", "{"].contains(&text(at + 1))) {
            break;
        }
        at += 1;
        if text(at) == "{" {
            at += 1;
            while at < tokens.len() && text(at) != "}" {
                at = if is_name(text(at)) && text(at) != "as" { walk_path(tokens, at, &names, paths) } else { at + 1 };
            }
            return at + 1;
        }
    }
    let calls_macro = text(at) == "!";
    paths.push(NamePath { names, line: tokens[at - 1].line, of_macro: false, calls_macro });
    at
}

/// The functions in a text, nested ones too.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = vec![];
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.text == "fn") {
        let name = tokens.get(at + 1).map_or("", |name| name.text.as_str());
        if is_name(name) || name == "$" {
            let end = end_of_item(tokens, at, true);
            let last = tokens.get(end.saturating_sub(1)).filter(|last| last.text == "}");
            if let Some(last) = last {
                let lines = last.line - token.line + 1;
                found.push(Function { name: name.to_owned(), line: token.line, lines });
            }
        }
    }
    found
}

/// Leaves out everything that stands behind `#[cfg(test)]`, or `#[cfg(all(test, ...))]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let (mut at, mut kept) = (0, vec![]);
    while at < tokens.len() {
        let inner = usize::from(text(at + 1) == "!");
        let words: Vec<&str> = (at + inner..at + inner + 7).map(text).collect();
        let is_test = matches!(words[1..5], ["[", "cfg", "(", "test"]) && words[5] == ")"
            || matches!(words[1..], ["[", "cfg", "(", "all", "(", "test"]);
        if text(at) != "#" || !is_test {
            kept.push(tokens[at].clone());
            at += 1;
        } else if inner == 1 {
            return vec![];
        } else {
            at = end_of_attributes(tokens, at);
            at = end_of_item(tokens, at, is_item(tokens, at));
        }
    }
    kept
}

fn end_of_attributes(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        let mut depth = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token.text.as_str() {
                "[" => depth += 1,
                "]" if depth == 1 => break,
                "]" => depth -= 1,
                _ => {}
            }
        }
    }
    at
}

/// Whether an item begins here, rather than a field or an expression, which end at a comma.
fn is_item(tokens: &[Token], at: usize) -> bool {
    const ITEMS: &[&str] = &[
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "macro_rules",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "union",
        "unsafe",
        "use",
    ];
    let behind = tokens.iter().skip(at).skip_while(|token| ["pub", "(", "crate", "super", ")"].contains(&&*token.text));
    behind.take(1).any(|token| ITEMS.contains(&&*token.text))
}

/// Behind the `}` or `;` that ends what begins here, or the comma if it is no item.
fn end_of_item(tokens: &[Token], start: usize, is_item: bool) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 0 => return at,
            "}" if depth == 1 => return at + 1,
            ")" | "]" | "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            "," if depth == 0 && !is_item => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Knows where comments, strings and characters end, and nothing else.
struct Lexer<'t> {
    rest: &'t str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(text: &str) -> Vec<Token> {
        let mut lexer = Lexer { rest: text, line: 1, tokens: vec![] };
        while let Some(first) = lexer.rest.chars().next() {
            lexer.token(first);
        }
        lexer.tokens
    }

    /// Takes bytes, up to a character's end.
    fn skip(&mut self, len: usize) {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }

    fn push(&mut self, text: &str) {
        self.tokens.push(Token { text: text.to_owned(), line: self.line });
    }

    fn token(&mut self, first: char) {
        let rest = self.rest;
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.block_comment();
        } else if first == '"' {
            self.string();
        } else if first == '\'' {
            self.character_or_lifetime();
        } else if first == '_' || first.is_alphanumeric() {
            self.word();
        } else {
            let text = if rest.starts_with("::") { "::" } else { &rest[..first.len_utf8()] };
            self.push(text);
            self.skip(text.len());
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            let len = match (self.rest.find("/*"), self.rest.find("*/")) {
                (Some(open), Some(close)) if open < close => {
                    depth += 1;
                    open + 2
                }
                (_, Some(close)) => {
                    depth -= 1;
                    close + 2
                }
                _ => self.rest.len(),
            };
            self.skip(len);
            if depth == 0 || self.rest.is_empty() {
                return;
            }
        }
    }

    /// From its opening quote.
    fn string(&mut self) {
        self.push("\"");
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let ends = !escaped && *c == '"';
            escaped = !escaped && *c == '\\';
            ends
        });
        self.skip(end.map_or(self.rest.len(), |(at, _)| at + 1));
    }

    fn character_or_lifetime(&mut self) {
        let mut behind = self.rest.chars().skip(1);
        let (first, second) = (behind.next().unwrap_or(' '), behind.next().unwrap_or(' '));
        if first == '\\' {
            self.push("\"");
            // Behind the backslash and what it escapes, which may be a quote.
            let len = 2 + second.len_utf8();
            let end = self.rest.get(len..).and_then(|rest| rest.find('\''));
            self.skip(end.map_or(self.rest.len(), |end| len + end + 1));
        } else if second == '\'' {
            self.push("\"");
            self.skip(2 + first.len_utf8());
        } else {
            let name = self.rest.char_indices().skip(1).find(|(_, c)| *c != '_' && !c.is_alphanumeric());
            self.skip(name.map_or(self.rest.len(), |(at, _)| at));
        }
    }

    /// A name or a number; or what it is the prefix of.
    fn word(&mut self) {
        let rest = self.rest;
        let (word, behind) = rest.split_at(rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len()));
        let hashes = behind.len() - behind.trim_start_matches('#').len();
        let is_quoted = behind[hashes..].starts_with('"');
        match word {
            "r" | "br" | "cr" if is_quoted => {
                self.push("\"");
                let start = word.len() + hashes + 1;
                let close = format!("\"{}", "#".repeat(hashes));
                self.skip(rest[start..].find(&close).map_or(rest.len(), |end| start + end + close.len()));
            }
            "b" | "c" if behind.starts_with('"') => self.skip(1),
            "b" if behind.starts_with('\'') => self.skip(1),
            "r" if hashes == 1 => self.skip(2),
            _ => {
                self.push(word);
                self.skip(word.len());
            }
        }
    }
}
