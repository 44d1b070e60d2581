//! The rules of the house, held by the compiler where it can, and here where it cannot.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "this is all tests")]

#[path = "tidy/source.rs"]
mod source;

use source::{NamePath, Source, Token, functions, name_paths};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 160;

/// Files that may be longer, or hold a longer function. There are none, and none is to come.
const EXCEPTIONS: &[&str] = &[];
const _: () = assert!(EXCEPTIONS.is_empty(), "split it instead");

/// Each layer, and the layers below that it may name. What is not here is no layer.
const LAYERS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("pool", &[]),
    ("rate", &["limits"]),
    ("since", &[]),
    ("json", &["limits"]),
    ("sse", &["limits"]),
    ("session", &["limits", "pool"]),
    ("http", &["limits"]),
    ("oauth", &["json", "limits", "session"]),
    ("guard", &["limits", "oauth", "session"]),
    ("rpc", &["json", "limits", "session"]),
    ("outlet", &["http", "json", "limits", "rpc", "session", "sse"]),
    ("hub", &["json", "limits", "pool", "rpc", "session", "sse"]),
    ("app", &["json", "limits", "outlet", "rate", "rpc", "session"]),
    ("tasks", &["app", "json", "limits", "rpc", "session"]),
    ("mcp", &["app", "http", "hub", "json", "limits", "outlet", "rpc", "session", "sse", "tasks"]),
    ("endpoint", &["app", "guard", "http", "hub", "json", "limits", "mcp", "outlet", "rate", "rpc", "session", "sse"]),
    (
        "server",
        &[
            "app", "endpoint", "guard", "http", "hub", "json", "limits", "mcp", "oauth", "outlet", "pool", "rate",
            "rpc", "session", "since", "sse", "tasks",
        ],
    ),
];

/// The only places for sockets, the clock and the executor.
const RIM: &[&str] = &["src/server/", "src/server.rs", "src/lib.rs"];
/// What may be named only in some places of the library, in its tests too. (`core::net` has addresses and no sockets: it
/// may be named anywhere.)
const AT_HOME: &[(&str, &[&str])] = &[
    ("smol", RIM),
    ("async_io", RIM),
    ("async_channel", RIM),
    ("std::net", RIM),
    ("Instant::now", RIM),
    ("clock_gettime", RIM),
    // It panics from 2038 on where the standard library still counts in 32 bits.
    ("SystemTime::now", &[]),
    ("httparse", &["src/http/"]),
    ("serde_json_core", &["src/json/"]),
];

/// What no line may hold. In pieces, so that this file passes.
const BANNED_TEXTS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("/wo", "rk/"),
    concat!("crates", ".io"),
    concat!("registry.", "npmjs"),
    concat!("py", "pi.org"),
    concat!("pythonhosted", ".org"),
    concat!("proxy.", "golang"),
];

#[test]
fn nothing_is_unsafe() {
    check("unsafe code", &["src", "examples"], unsafe_code);
}

#[test]
fn files_and_functions_are_short() {
    check("length", &["src", "examples", "tests", "benches"], lengths);
}

#[test]
fn lines_are_plain() {
    check("lines", &["src", "examples", "tests", "benches"], lines);
}

#[test]
fn crates_and_the_clock_stay_at_home() {
    check("what may be named where", &["src"], at_home);
}

#[test]
fn the_library_does_not_panic() {
    check("panics", &["src"], panics);
}

#[test]
fn arrows_point_down() {
    check("the layers", &["src"], arrows);
}

/// Applies a rule to all sources and shows all that break it.
fn check(rule: &str, folders: &[&str], judge: fn(&Source) -> Vec<String>) {
    let mut broken: Vec<String> = Source::all(folders).iter().flat_map(judge).collect();
    broken.dedup(); // several names of one line
    assert!(broken.is_empty(), "{rule}: broken {} times\n{}\n", broken.len(), broken.join("\n"));
}

/// `path:line: what`, which editors can follow.
fn at(source: &Source, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", source.path)
}

fn unsafe_code(source: &Source) -> Vec<String> {
    let words = source.tokens.iter().filter(|token| token.text == "unsafe");
    let mut broken: Vec<String> = words.map(|token| at(source, token.line, "unsafe")).collect();
    let parts: Vec<&str> = source.path.split('/').collect();
    let is_root = matches!(parts[..], ["src", "lib.rs" | "main.rs"] | ["examples", _] | ["examples", _, "main.rs"]);
    let forbids = |tokens: &[Token]| {
        let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        texts == ["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"]
    };
    if is_root && !source.tokens.windows(8).any(forbids) {
        broken.push(at(source, 1, "#![forbid(unsafe_code)] is missing"));
    }
    broken
}

fn lengths(source: &Source) -> Vec<String> {
    let mut broken = vec![];
    if EXCEPTIONS.contains(&source.path.as_str()) {
        return broken;
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        broken.push(at(source, lines, &format!("{lines} lines, at most {FILE_LINES_MAX}")));
    }
    for function in functions(&source.tokens).iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
        let what = format!("fn {} has {} lines, at most {FUNCTION_LINES_MAX}", function.name, function.lines);
        broken.push(at(source, function.line, &what));
    }
    broken
}

fn lines(source: &Source) -> Vec<String> {
    let mut broken = vec![];
    for (line, number) in source.text.lines().zip(1..) {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX {
            broken.push(at(source, number, &format!("{columns} columns, at most {LINE_COLUMNS_MAX}")));
        }
        if line.contains('\t') {
            broken.push(at(source, number, "a tab"));
        }
        if line.ends_with(char::is_whitespace) {
            broken.push(at(source, number, "white space at the end"));
        }
        broken.extend(BANNED_TEXTS.iter().filter(|text| line.contains(*text)).map(|text| at(source, number, text)));
    }
    broken
}

fn at_home(source: &Source) -> Vec<String> {
    let paths = name_paths(&source.tokens);
    let named = |path: &NamePath, what: &str| {
        let what: Vec<&str> = what.split("::").collect();
        path.names.windows(what.len()).any(|names| names == what)
    };
    let mut broken = vec![];
    for (what, homes) in AT_HOME.iter().filter(|(_, homes)| !homes.iter().any(|home| source.path.starts_with(home))) {
        let said = format!("{what} belongs to {}", homes.join(" "));
        broken.extend(paths.iter().filter(|path| named(path, what)).map(|path| at(source, path.line, &said)));
    }
    broken
}

fn panics(source: &Source) -> Vec<String> {
    let tokens = source.library_tokens();
    let mut broken = vec![];
    for around in tokens.windows(3) {
        let what = match [&*around[0].text, &*around[1].text, &*around[2].text] {
            ["." | "::", "unwrap", _] => "unwrap",
            ["." | "::", "expect", "("] => "expect",
            [_, "panic", "!"] => "panic!",
            [_, "todo", "!"] => "todo!",
            [_, "unimplemented", "!"] => "unimplemented!",
            [_, "unreachable", "!"] => "unreachable!",
            ["mod", name, ";"] if name.starts_with("tests") => "a module of tests outside #[cfg(test)]",
            _ => continue,
        };
        broken.push(at(source, around[1].line, what));
    }
    broken
}

fn arrows(source: &Source) -> Vec<String> {
    let Some((module, depth)) = place(&source.path) else {
        return vec![];
    };
    let Some((_, below)) = LAYERS.iter().find(|(layer, _)| *layer == module) else {
        return vec![at(source, 1, &format!("{module} is not among the layers"))];
    };
    let mut broken = vec![];
    for path in name_paths(&source.library_tokens()) {
        let Some((name, is_from_root)) = crate_level_name(&path, depth) else {
            continue;
        };
        let is_layer = LAYERS.iter().any(|(layer, _)| *layer == name);
        if is_layer && name != module && !below.contains(&name) {
            broken.push(at(source, path.line, &format!("{module} -> {name}: this arrow points up")));
        }
        // By way of the root any layer could be reached. Macros are named there, and name what their callers see.
        if !is_layer && is_from_root && !path.of_macro && !path.calls_macro {
            broken.push(at(source, path.line, &format!("crate::{name}: name the module that it is from")));
        }
    }
    broken
}

/// The top-level module that a file belongs to, and how deep below the root its own module is.
fn place(path: &str) -> Option<(&str, usize)> {
    let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    let module = inner.split('/').next()?;
    (!["lib", "main"].contains(&module)).then(|| (module, inner.split('/').count()))
}

/// What a path names at the root of the crate, and whether it says that it does: `crate::x`, or as many `super` as the
/// file is deep (which inside an inline module may mean something else).
fn crate_level_name(path: &NamePath, depth: usize) -> Option<(&str, bool)> {
    let supers = path.names.iter().skip_while(|name| *name == "self").take_while(|name| *name == "super").count();
    let is_from_root = ["crate", "smol_mcp"].contains(&path.names[0].as_str());
    if is_from_root {
        Some((path.names.get(1)?, true))
    } else if supers >= depth {
        Some((path.names.iter().find(|name| *name != "self" && *name != "super")?, false))
    } else {
        None
    }
}

/// What a rule finds in a text, as `line: what`.
fn found(judge: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    let broken = judge(&Source::new(path, text));
    broken.iter().map(|said| said.strip_prefix(path).unwrap().trim_start_matches(':').to_owned()).collect()
}

#[test]
fn rules_look_at_code_only() {
    let text = r##"
        // unsafe panic!() a.unwrap() smol::x crate::server
        /* unsafe /* nested */ panic!() */
        fn f<'a>(x: &'a str, c: char) -> bool {
            let _ = ("unsafe \" panic!()", r#"a.unwrap() " smol::x"#, b"\\", br"\", '"', '\'', b'"', '\u{22}');
            x.unwrap_or(r#type).expecting('{', "{").is_some()
        }
    "##;
    for judge in [unsafe_code, lengths, at_home, panics, arrows] {
        assert_eq!(found(judge, "src/http/x.rs", text), [""; 0]);
    }
}

#[test]
fn rules_see_what_breaks_them() {
    assert_eq!(found(unsafe_code, "src/a.rs", "fn f() {\n unsafe {} }"), ["2: unsafe"]);
    assert_eq!(found(unsafe_code, "examples/a/main.rs", ""), ["1: #![forbid(unsafe_code)] is missing"]);
    assert_eq!(found(unsafe_code, "examples/a/b.rs", ""), [""; 0]);

    let body = "\n".repeat(FUNCTION_LINES_MAX - 1);
    assert_eq!(found(lengths, "src/a.rs", &format!("fn f() where [(); 1]: X {{{body}}}")), [""; 0]);
    assert_eq!(
        found(lengths, "src/a.rs", &format!("\nfn f() {{ '}}'; {body}\n}}")),
        ["2: fn f has 71 lines, at most 70"]
    );
    assert_eq!(found(lengths, "src/a.rs", &"\n".repeat(401)), ["401: 401 lines, at most 400"]);

    assert_eq!(found(lines, "src/a.rs", "a \n\tb\n"), ["1: white space at the end", "2: a tab"]);
    assert_eq!(found(lines, "src/a.rs", &"x".repeat(161)), ["1: 161 columns, at most 160"]);

    let text =
        "use std::{\n net::TcpStream, time::{Duration, Instant as I}};\nlet x = ::smol::x(time::Instant::now());";
    let rim = RIM.join(" ");
    assert_eq!(
        found(at_home, "src/http/a.rs", text),
        [
            format!("3: smol belongs to {rim}"),
            format!("2: std::net belongs to {rim}"),
            format!("3: Instant::now belongs to {rim}")
        ]
    );
    assert_eq!(found(at_home, "src/server/a.rs", text), [""; 0]);
    assert_eq!(found(at_home, "src/rpc.rs", "httparse::parse()"), ["1: httparse belongs to src/http/"]);
}

#[test]
fn panics_are_for_tests() {
    let text = "
        #[cfg(test)] use a::{b};
        #[cfg(test)] #[allow(x)] mod tests { fn f() { a.unwrap(); } }
        #[cfg(test)] mod tests_a;
        mod tests_b;
        struct S { #[cfg(test)] a: u8, b: u8 }
        fn f() { a.unwrap(); Option::unwrap; a.expect(\"x\"); panic!(); todo!() }
    ";
    let expected =
        ["5: a module of tests outside #[cfg(test)]", "7: unwrap", "7: unwrap", "7: expect", "7: panic!", "7: todo!"];
    assert_eq!(found(panics, "src/a.rs", text), expected);
    assert_eq!(found(panics, "src/a/tests_a.rs", text), [""; 0]);
    assert_eq!(found(panics, "src/a.rs", &format!("#![cfg(test)]{text}")), [""; 0]);
}

#[test]
fn arrows_are_seen_however_they_are_drawn() {
    let up = |line: usize, from: &str, to: &str| format!("{line}: {from} -> {to}: this arrow points up");
    let text = "use crate::{\n limits::A, json::{B, C},\n http::D};\nlet x = crate::server::f();";
    let expected = [up(2, "http", "json"), up(2, "http", "json"), up(4, "http", "server")];
    assert_eq!(found(arrows, "src/http/a.rs", text), expected);
    assert_eq!(found(arrows, "src/http/tests_a.rs", text), [""; 0]);
    assert_eq!(found(arrows, "src/server/a.rs", text), [""; 0]);
    assert_eq!(found(arrows, "src/rpc.rs", "use super::{hub, json};"), [up(1, "rpc", "hub")]);
    assert_eq!(found(arrows, "src/rpc/mod.rs", "use super::hub;"), [up(1, "rpc", "hub")]);
    assert_eq!(found(arrows, "src/rpc/a.rs", "use super::hub; use super::super::hub;"), [up(1, "rpc", "hub")]);
    assert_eq!(found(arrows, "src/rpc/a.rs", "smol_mcp::hub::X"), [up(1, "rpc", "hub")]);
    assert_eq!(found(arrows, "src/app/a.rs", "$crate::Tool, crate::args!()"), [""; 0]);
    assert_eq!(found(arrows, "src/app/a.rs", "use crate::Tool;"), ["1: crate::Tool: name the module that it is from"]);
    assert_eq!(found(arrows, "src/misc/a.rs", ""), ["1: misc is not among the layers"]);
    assert_eq!(found(arrows, "src/lib.rs", "pub use server::Server;"), [""; 0]);
}
