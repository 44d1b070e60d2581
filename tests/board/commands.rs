//! The commands that the board's configuration allows: what may be told to them, and what becomes of those that take too long or say too much.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::machine::{Folder, Machine};
use crate::support::{until, wire};
use serde_json::{Value, json};

/// A program that tells its words, each in brackets.
const WORDS: &str = "for word in \"$@\"; do printf '[%s]' \"$word\"; done";

fn config(dir: &Folder) -> String {
    let bin = dir.path("bin").display().to_string();
    let files = dir.path("root/files").display().to_string();
    format!(
        r#"
[command.words]
about = "Tells its words."
argv = ["{bin}/words", "--level={{level}}", "{{mode}}", "{{name}}", "{{file}}", "{{}}"]
argument.level = {{ type = "integer", min = -5, max = 10, about = "How much" }}
argument.mode = {{ type = "choice", choices = ["fast", "slow"] }}
argument.name = {{ type = "text", characters = "a-zA-Z0-9_.-", bytes-max = 8, optional = true }}
argument.file = {{ type = "path", folder = "{files}", optional = true }}

[command.env]
about = "Tells its environment and its folder."
argv = ["/usr/bin/env"]
environment = ["A=b c", "LANG=C"]

[command.slow]
about = "Takes long, and starts something that takes longer."
argv = ["{bin}/slow"]
timeout-seconds = 0.6

[command.loud]
about = "Says much."
argv = ["{bin}/loud"]
output-bytes-max = 100

[command.endless]
about = "Says much, without end."
argv = ["/usr/bin/yes"]
timeout-seconds = 0.5
output-bytes-max = 10

[command.fails]
about = "Fails."
argv = ["{bin}/fails"]

[command.leaves]
about = "Leaves something behind."
argv = ["{bin}/leaves"]

[command.absent]
about = "Is not there."
argv = ["{bin}/absent"]

[command.asked]
about = "Asks first."
argv = ["{bin}/words"]
confirm = true

[command.forbidden]
about = "Is not for everybody."
argv = ["{bin}/words"]
users = ["anna"]
"#
    )
}

fn board() -> Machine {
    let dir = Folder::new(&[("files/inner/a.txt", ""), ("outside/b.txt", "")]);
    dir.program("words", WORDS);
    let pids = dir.path("pids").display().to_string();
    dir.program("slow", &format!("echo $$ >> {pids}; sleep 600 & echo $! >> {pids}; echo begun; wait"));
    dir.program("loud", "i=0; while [ $i -lt 1000 ]; do echo 0123456789; echo abc >&2; i=$((i+1)); done");
    dir.program("fails", "echo partly; echo 'why: \\033[1mbold' >&2; exit 7");
    dir.program("leaves", &format!("sleep 600 & echo $! >> {pids}; echo done"));
    let config = config(&dir);
    Machine::start(dir, &config)
}

fn run(board: &mut Machine, name: &str, arguments: &Value) -> (bool, String) {
    board.call("run_command", &json!({"name": name, "arguments": arguments}))
}

/// Whether a process is there and is more than a zombie; those of the server's own children would be found as zombies.
fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn all_are_gone(pids: &Path, count: usize) {
    let pids = until("the programs wrote their numbers", || {
        let pids = fs::read_to_string(pids).unwrap_or_default();
        (pids.lines().count() >= count).then_some(pids)
    });
    // One whose parent is gone is collected by the system's first process, where that does it.
    until("all are gone", || pids.lines().all(|pid| matches!(state(pid), None | Some('Z'))).then_some(()));
}

/// The server has no child left, be it a zombie.
fn has_no_children(board: &Machine) {
    let id = board.example.child.id();
    until("no child is left", || {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("CONFIG_PROC_CHILDREN");
        children.trim().is_empty().then_some(())
    });
}

#[test]
fn they_are_listed_with_their_schemas() {
    let mut board = board();
    let (is_error, text) = board.call("commands", &json!({}));
    let list: Value = serde_json::from_str(&text).unwrap();
    let list = list.as_array().unwrap();
    let names: Vec<&str> = list.iter().map(|command| command["name"].as_str().unwrap()).collect();
    assert!(!is_error && names.contains(&"words") && !names.contains(&"forbidden"), "{names:?}");
    let words = list.iter().find(|command| command["name"] == "words").unwrap();
    let properties = &words["arguments"]["properties"];
    assert_eq!(
        properties["level"],
        json!({"type": "integer", "minimum": -5, "maximum": 10, "description": "How much"})
    );
    assert_eq!(properties["mode"], json!({"type": "string", "enum": ["fast", "slow"]}));
    assert_eq!(properties["name"]["pattern"], "^(?!-)[a-zA-Z0-9\\u005f-\\u005f\\u002e-\\u002e\\u002d-\\u002d]+$");
    let mut required: Vec<&str> =
        words["arguments"]["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    required.sort_unstable();
    assert_eq!(required, ["level", "mode"]);
}

#[test]
fn each_argument_stands_in_its_word() {
    let mut board = board();
    let (is_error, text) = run(&mut board, "words", &json!({"level": -5, "mode": "fast"}));
    assert_eq!((is_error, text.as_str()), (false, "exit status 0\nstdout:\n[--level=-5][fast][{}]\n"));
    let file = board.dir.path("root/files").canonicalize().unwrap();
    let (_, text) =
        run(&mut board, "words", &json!({"level": 3, "mode": "slow", "name": "a.b-c", "file": "inner/a.txt"}));
    assert_eq!(
        text,
        format!("exit status 0\nstdout:\n[--level=3][slow][a.b-c][{}/inner/a.txt][{{}}]\n", file.display())
    );
    // What is new stands in a folder that is there.
    let (_, text) = run(&mut board, "words", &json!({"level": 3, "mode": "slow", "file": "inner/-new"}));
    assert_eq!(text, format!("exit status 0\nstdout:\n[--level=3][slow][{}/inner/-new][{{}}]\n", file.display()));
    let (_, text) = run(&mut board, "env", &json!({}));
    assert_eq!(text, "exit status 0\nstdout:\nA=b c\nLANG=C\n");
}

#[test]
fn nothing_else_gets_into_the_command_line() {
    let mut board = board();
    let files = board.dir.path("root/files");
    std::os::unix::fs::symlink("../outside", files.join("out")).unwrap();
    std::os::unix::fs::symlink("/nonexistent/x", files.join("dangling")).unwrap();
    std::os::unix::fs::symlink("../outside/b.txt", files.join("live")).unwrap();
    let good = json!({"level": 1, "mode": "fast"});
    for (name, value) in wrong() {
        let mut arguments = good.clone();
        arguments[name] = value.clone();
        let (is_error, text) = run(&mut board, "words", &arguments);
        let expected = if value.is_null() { format!("{name} is missing") } else { format!("{name}: expected ") };
        assert!(is_error && text.starts_with(&expected), "{name} {value}: {text}");
        assert!(!text.contains(['\n', '\0']) && text.len() < 400, "{text}");
    }
}

/// What no argument may be, each with the argument.
fn wrong() -> Vec<(&'static str, Value)> {
    let wrong: [(&str, Vec<Value>); 4] = [
        (
            "level",
            vec![
                json!(11),
                json!(-6),
                json!(1.5),
                json!("1"),
                json!("1; reboot"),
                json!(null),
                json!([1]),
                json!(1e300),
            ],
        ),
        ("mode", vec![json!("medium"), json!("fast "), json!(""), json!("fast\n"), json!(true), json!({})]),
        (
            "name",
            vec![
                json!("-rf"),
                json!("--help"),
                json!("a b"),
                json!("a;b"),
                json!("$(id)"),
                json!("`id`"),
                json!("a\nb"),
                json!("a\u{0}b"),
                json!(""),
                json!("ninechars"),
                json!("ä"),
                json!("a/b"),
                json!("a\u{202e}"),
                json!(7),
            ],
        ),
        (
            "file",
            vec![
                json!("../outside/b.txt"),
                json!("inner/../../outside/b.txt"),
                json!("/etc/passwd"),
                json!(""),
                json!("."),
                json!(".."),
                json!("out/b.txt"),
                json!("out/new"),
                json!("dangling"),
                json!("dangling/"),
                json!("dangling/."),
                json!("live"),
                json!("live/"),
                json!("live//"),
                json!("live/."),
                json!("inner/"),
                json!("inner//a.txt"),
                json!("missing/new"),
                json!("inner/a.txt\n"),
                json!("inner/\u{0}"),
                json!("x".repeat(5000)),
                json!(1),
            ],
        ),
    ];
    let all = wrong.into_iter().flat_map(|(name, values)| values.into_iter().map(move |value| (name, value)));
    all.collect()
}

#[test]
fn nothing_else_is_run() {
    let mut board = board();
    for (arguments, expected) in [
        (
            json!({"level": 1, "mode": "fast", "more": 1}),
            "words has no argument \"more\"; it has: level, mode, name, file",
        ),
        (json!({"level": 1}), "mode is missing"),
    ] {
        assert_eq!(run(&mut board, "words", &arguments), (true, expected.to_owned()));
    }
    for (name, expected) in [
        ("sh", "the configuration allows no command \"sh\"; it allows: words, "),
        (
            "forbidden",
            "the configuration allows no command \"forbidden\"; it allows: words, env, slow, loud, endless, fails, leaves, absent, asked",
        ),
        ("absent", "it could not be run: there is no such program"),
    ] {
        let (is_error, text) = run(&mut board, name, &json!({}));
        assert!(is_error && text.starts_with(expected), "{text}");
    }
    for arguments in [
        json!({}),
        json!({"name": 1}),
        json!({"name": "words", "arguments": []}),
        json!({"name": "words", "shell": true}),
    ] {
        assert!(board.call("run_command", &arguments).0, "{arguments}");
    }
}

#[test]
fn what_takes_too_long_ends_with_all_that_it_started() {
    let mut board = board();
    let begun = Instant::now();
    let (is_error, text) = run(&mut board, "slow", &json!({}));
    assert!(
        !is_error
            && text.starts_with(
                "failed: killed, with all that it started, as it took longer than 600ms\nstdout:\nbegun\n"
            ),
        "{text}"
    );
    assert!((Duration::from_millis(600)..Duration::from_secs(4)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    all_are_gone(&board.dir.path("pids"), 2);
    has_no_children(&board);
    let (is_error, text) = run(&mut board, "leaves", &json!({}));
    assert_eq!((is_error, text.as_str()), (false, "exit status 0\nstdout:\ndone\n"));
    all_are_gone(&board.dir.path("pids"), 3);
    has_no_children(&board);
}

#[test]
fn what_nobody_waits_for_any_more_is_ended() {
    let mut board = board();
    let mut other = board.example.connect();
    let call = wire::modern_call("s", "run_command", &json!({"name": "slow"}));
    other.send(&call);
    until("it runs", || fs::read_to_string(board.dir.path("pids")).ok().filter(|pids| pids.lines().count() == 2));
    // It runs once at a time.
    let (is_error, text) = run(&mut board, "slow", &json!({}));
    assert!(is_error && text.starts_with("it runs already, 1 at once"), "{text}");
    other.reset();
    all_are_gone(&board.dir.path("pids"), 2);
    has_no_children(&board);
    // Its place is free again.
    let (_, text) = run(&mut board, "slow", &json!({}));
    assert!(text.starts_with("failed: killed, "), "{text}");
}

#[test]
fn too_much_output_is_counted_and_not_kept() {
    let mut board = board();
    let (is_error, text) = run(&mut board, "loud", &json!({}));
    let kept = "0123456789\n".repeat(9) + "0";
    let errors = "abc\n".repeat(25);
    let expected = format!(
        "exit status 0\nstdout:\n{kept}\n(10900 more bytes of stdout are not kept)\nstderr:\n{errors}(3900 more bytes of stderr are not kept)\n"
    );
    assert_eq!((is_error, text), (false, expected));
    let (is_error, text) = run(&mut board, "endless", &json!({}));
    assert!(!is_error && text.starts_with("failed: killed") && text.contains("\nstdout:\ny\ny\ny\ny\ny\n("), "{text}");
    // Its neighbours were served meanwhile, and it grew by no more than what it keeps.
    let status = fs::read_to_string(format!("/proc/{}/status", board.example.child.id())).unwrap();
    let kib: u32 =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok()).unwrap();
    assert!(kib < 60 * 1024, "{kib} KiB");
}

#[test]
fn how_it_ended_is_told() {
    let mut board = board();
    let (is_error, text) = run(&mut board, "fails", &json!({}));
    assert_eq!((is_error, text.as_str()), (false, "failed: exit status 7\nstdout:\npartly\nstderr:\nwhy: [1mbold\n"));
    // A client that can't ask its user can't run what needs a yes.
    let (is_error, text) = run(&mut board, "asked", &json!({}));
    assert!(is_error && !text.contains("exit status"), "{text}");
}
