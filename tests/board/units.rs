//! The units of systemd that the board's configuration allows, with programs in the place of systemd's own.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::machine::{Folder, Machine};
use serde_json::json;

const CONFIG: &str = "[unit.\"web.service\"]\nlines = 20\n[unit.\"db.service\"]\nlines = 0\n[unit.\"other.service\"]\nusers = [\"anna\"]\n";

fn board(programs: &[(&str, &str)]) -> Machine {
    let dir = Folder::new(&[]);
    for (name, script) in programs {
        dir.program(name, script);
    }
    Machine::start(dir, CONFIG)
}

#[test]
fn the_log_of_an_allowed_unit_is_read() {
    // It tells with what it was called, and the newest line first, as it is asked to.
    let script = "for word in \"$@\"; do echo \"$word\" >&2; done\n\
        printf '2026-01-01T00:00:02+0000 web[7]: login with password=hunter2 and Authorization: Bearer abc.def\\n'\n\
        printf '2026-01-01T00:00:01+0000 web[7]: \\033[31mred\\033[0m \\007bell, a token was refused\\n'";
    let mut board = board(&[("journalctl", script)]);
    let (is_error, text) = board.call("unit_log", &json!({"unit": "web.service", "lines": 5}));
    let expected = "\
2026-01-01T00:00:01+0000 web[7]: [31mred[0m bell, a token was refused
2026-01-01T00:00:02+0000 web[7]: login with password=*** and Authorization: Bearer ***
";
    assert_eq!((is_error, text.as_str()), (false, expected));
}

#[test]
fn it_is_called_with_what_was_allowed_and_nothing_else() {
    let dir = Folder::new(&[]);
    let seen = dir.path("seen");
    let script = format!("for word in \"$@\"; do echo \"$word\"; done > {}; /usr/bin/env >> {0}", seen.display());
    dir.program("journalctl", &script);
    let mut board = Machine::start(dir, CONFIG);
    let (is_error, text) = board.call("unit_log", &json!({"unit": "web.service", "lines": 500}));
    assert!(!is_error && text.starts_with("The journal has no lines of web.service"), "{text}");
    let seen = fs::read_to_string(seen).unwrap();
    let words: Vec<&str> = seen.lines().take(7).collect();
    let expected = [
        "--unit=web.service",
        "--lines=20",
        "--output=short-iso",
        "--no-hostname",
        "--no-pager",
        "--quiet",
        "--reverse",
    ];
    assert_eq!(words, expected);
    assert!(!seen.contains("CARGO") && !seen.contains("HOME="), "{seen}");
    for unit in [
        "db.service",
        "ssh.service",
        "--since=1970",
        "web.service\n",
        "*",
        "../web.service",
        "web.service --follow",
        "other.service",
    ] {
        let (is_error, text) = board.call("unit_log", &json!({"unit": unit}));
        assert!(is_error && text.ends_with("it allows: web.service"), "{unit}: {text}");
    }
    let (is_error, text) = board.call("unit_log", &json!({"unit": "web.service", "lines": 501}));
    assert!(is_error && text.contains("500"), "{text}");
}

#[test]
fn a_long_log_loses_its_oldest_lines() {
    let lines =
        |dashes: usize| format!("i=0; while [ $i -lt 60 ]; do i=$((i+1)); printf '%s %0{dashes}d end\\n' $i 0; done");
    // More than were asked for, which a program that does as it is told does not tell.
    let mut board = board(&[("journalctl", &lines(10))]);
    let (is_error, text) = board.call("unit_log", &json!({"unit": "web.service"}));
    let numbers: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let expected: Vec<String> = (1..=20).rev().map(|number: u8| number.to_string()).collect();
    assert_eq!((is_error, numbers), (false, expected.iter().map(String::as_str).collect()));
    // Longer lines than are kept: they are cut, and those that did not fit are the oldest.
    board.dir.program("journalctl", &lines(9_000));
    let (is_error, text) = board.call("unit_log", &json!({"unit": "web.service"}));
    let lines: Vec<&str> = text.lines().collect();
    assert!(!is_error && lines.len() == 15 && lines[0].starts_with("(older lines are left out"), "{text}");
    assert!(lines[1].starts_with("14 000") && lines[14].starts_with("1 000") && lines[1].ends_with('…'), "{text}");
    assert!(lines.iter().all(|line| line.len() <= 510), "{text}");
}

#[test]
fn the_state_of_the_allowed_units_is_told() {
    let script = "echo \"$@\" > \"$0.seen\"\n\
        printf 'Id=web.service\\nDescription=A web server\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\nResult=success\\n\
MainPID=412\\nMemoryCurrent=5242880\\nNRestarts=2\\nUnitFileState=enabled\\nStateChangeTimestamp=Thu 2026-01-01 00:00:00 UTC\\n\\n'\n\
        printf 'Id=db.service\\nLoadState=not-found\\nActiveState=inactive\\nMemoryCurrent=[not set]\\n'";
    let mut board = board(&[("systemctl", script)]);
    let (is_error, text) = board.call("units", &json!({}));
    let expected = "\
web.service: active (running) since Thu 2026-01-01 00:00:00 UTC, main process 412, memory 5.00 MiB, restarted 2 times, enabled; A web server
db.service: not on this machine
";
    assert_eq!((is_error, text.as_str()), (false, expected));
    let seen = fs::read_to_string(board.dir.path("bin/systemctl.seen")).unwrap();
    assert!(
        seen.starts_with("show --no-pager --property=Id,") && seen.trim_end().ends_with(" -- web.service db.service"),
        "{seen}"
    );
}

#[test]
fn a_machine_without_systemd_says_so() {
    let mut board = board(&[]);
    for (tool, arguments) in [("units", json!({})), ("unit_log", json!({"unit": "web.service"}))] {
        let (is_error, text) = board.call(tool, &arguments);
        assert!(!is_error && text.starts_with("not on this machine (there is no "), "{text}");
    }
}

#[test]
fn what_fails_or_hangs_is_told() {
    let mut board = board(&[
        ("systemctl", "echo first >&2; echo 'Failed to connect to bus: secret=abc' >&2; exit 3"),
        ("journalctl", "exec /bin/sleep 600"),
    ]);
    let (is_error, text) = board.call("units", &json!({}));
    assert!(is_error && text == "systemctl failed: exit status: 3: Failed to connect to bus: secret=***", "{text}");
    let begun = Instant::now();
    board.client = board.example.connect();
    let (is_error, text) = board.call("unit_log", &json!({"unit": "web.service"}));
    assert!(is_error && text == "journalctl could not be run: it did not answer within 5 s", "{text}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn an_entry_of_several_lines_stays_in_order() {
    let script = "printf 'T2 app[1]: Traceback\\n      File x, line 1\\n    Error: token=abc\\nT1 app[1]: begun\\n'";
    let mut board = board(&[("journalctl", script)]);
    let (_, text) = board.call("unit_log", &json!({"unit": "web.service"}));
    assert_eq!(text, "T1 app[1]: begun\nT2 app[1]: Traceback\n  File x, line 1\n  Error: token=***\n");
}

#[test]
fn a_unit_that_is_refused_does_not_hide_the_others() {
    let script = "printf 'Id=web.service\\nActiveState=active\\n'; echo 'neither a valid invocation ID nor unit name' >&2; exit 1";
    let mut board = board(&[("systemctl", script)]);
    assert_eq!(board.call("units", &json!({})), (false, "web.service: active\n".to_owned()));
}
