//! Parts of the board example for themselves: when a change is news, what is kept, what a word of a command line becomes, and what is wrong with
//! the sections of the configuration that name sensors, units and commands.

use std::time::{Duration, Instant};

use crate::commands::template::Template;
use crate::commands::value::{Characters, Kind};
use crate::config;
use crate::sensing::history::{HISTORY_MAX, History, Sample};
use crate::sensing::probe::{Probe, Problem};
use crate::sources::meters::{METERS_MAX, Meter, Place};

/// A thermometer with these settings, and its clock.
fn probe(settings: &str) -> (Probe, Instant) {
    let config = config::parse("board.toml".to_owned(), &format!("[sensor.a]\n{settings}")).unwrap();
    let meter = Meter {
        id: "a".to_owned(),
        label: String::new(),
        quantity: "temperature",
        unit: "°C",
        place: Place::Zone { file: String::new() },
    };
    (Probe::new(Some(meter), config.sensors.first(), "a"), Instant::now())
}

/// Looks at it at these seconds, and gives those after which its subscribers hear of it.
fn heard(settings: &str, seen: &[(f64, Result<f64, Problem>)]) -> Vec<f64> {
    let (mut probe, begun) = probe(settings);
    let mut heard = Vec::new();
    for (seconds, value) in seen {
        probe.look(value.clone(), begun + Duration::from_secs_f64(*seconds));
        if std::mem::take(&mut probe.is_owed) {
            heard.push(*seconds);
        }
    }
    heard
}

#[test]
fn only_what_changed_enough_is_news() {
    let settings = "threshold = 2\ninterval-seconds = 1\n";
    let values = [20.0, 21.9, 22.0, 20.1, 20.0, 20.0, 100.0];
    let seen: Vec<(f64, Result<f64, Problem>)> = (0_u32..).map(f64::from).zip(values.map(Ok)).collect();
    // Against what was told last, not against what was seen last.
    assert_eq!(heard(settings, &seen), [2.0, 4.0, 6.0]);
    // A slow drift is news, too.
    let drift: Vec<_> = (0_u32..100).map(|step| (f64::from(step), Ok(f64::from(step) / 10.0))).collect();
    assert_eq!(heard(settings, &drift), [20.0, 40.0, 60.0, 80.0]);
    // Zero: each change, but no repetition.
    assert_eq!(
        heard("threshold = 0\ninterval-seconds = 1", &[(0.0, Ok(1.0)), (1.0, Ok(1.0)), (2.0, Ok(1.001))]),
        [2.0]
    );
}

#[test]
fn no_word_comes_before_the_interval_is_over() {
    let settings = "threshold = 1\ninterval-seconds = 10\n";
    let seen = [
        (0.0, Ok(0.0)),
        (1.0, Ok(5.0)),
        (9.9, Ok(5.0)),
        (10.0, Ok(5.0)),
        (12.0, Ok(9.0)),
        (15.0, Ok(5.0)),
        (20.0, Ok(5.0)),
    ];
    // What is back when the interval is over is no news.
    assert_eq!(heard(settings, &seen), [10.0]);
}

#[test]
fn that_it_fails_or_works_again_is_news() {
    let settings = "threshold = 1\ninterval-seconds = 1\nplausible = [-20, 60]\n";
    let seen = [
        (0.0, Ok(5.0)),
        (1.0, Err(Problem::Missing)),
        (2.0, Ok(85.0)),
        (3.0, Ok(60.0)),
        (4.0, Ok(60.1)),
        (5.0, Ok(-20.0)),
    ];
    assert_eq!(heard(settings, &seen), [1.0, 3.0, 4.0, 5.0]);
    let (mut probe, now) = probe(settings);
    probe.look(Ok(60.1), now);
    assert_eq!(probe.last().unwrap().value, Err(Problem::Implausible(60.1)));
    assert_eq!(probe.history.samples().count(), 0);
}

#[test]
fn a_history_keeps_the_last_and_its_memory_is_fixed() {
    let (mut history, now) = (History::new(3), Instant::now());
    assert_eq!(history.summary(), None);
    for value in [7.0, -1.0, 2.0, 5.0] {
        history.push(Sample { at: now, value });
    }
    assert_eq!(history.samples().map(|sample| sample.value).collect::<Vec<_>>(), [-1.0, 2.0, 5.0]);
    let summary = history.summary().unwrap();
    assert_eq!((summary.min, summary.max, summary.mean), (-1.0, 5.0, 2.0));
    // Sums that no float can hold are means that one can.
    for value in [f64::MAX / 2.0, f64::MAX / 2.0, f64::MAX / 2.0] {
        history.push(Sample { at: now, value });
    }
    assert!(history.summary().unwrap().mean.is_finite());
    let mut none = History::new(0);
    none.push(Sample { at: now, value: 1.0 });
    assert_eq!((none.samples().count(), History::new(usize::MAX).capacity()), (0, HISTORY_MAX));
}

#[test]
fn a_word_stays_a_word() {
    let value = |name: &str| [("a", "x y"), ("b", "{a}")].iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    for (word, filled) in [
        ("plain", Some("plain")),
        ("", Some("")),
        ("--x={a}", Some("--x=x y")),
        ("{a}{b}{a}", Some("x y{a}x y")),
        ("{}{ a}{a b}", Some("{}{ a}{a b}")),
        ("{{a}}", Some("{x y}")),
        ("{a", Some("{a")),
        ("{c}", None),
        ("{a}{c}", None),
    ] {
        assert_eq!(Template::parse(word).fill(value).as_deref(), filled, "{word}");
    }
}

#[test]
fn characters_are_what_is_named() {
    let has = |class: &str, letter| Characters::parse(class).unwrap().has(letter);
    assert!(has("a-c_-", 'b') && has("a-c_-", '-') && has("-a", '-') && has("ä-ö", 'é') && has(" ", ' '));
    assert!(!has("a-c_-", 'd') && !has("a-c", '-') && !has("a-z", 'A') && !has("a-z", '\u{e1}'));
    for wrong in ["", "z-a", "a\n", "\u{0}-\u{7f}", "a-\u{202e}", "\u{200b}", "a-\u{10ffff}", " -\u{7f}"] {
        assert_eq!(Characters::parse(wrong), None, "{wrong:?}");
    }
}

/// What is wrong with a configuration, line by line.
fn problems(text: &str) -> Vec<String> {
    let problems = config::parse("f".to_owned(), text).unwrap_err().to_string();
    problems.lines().map(str::to_owned).collect()
}

#[test]
fn wrong_sensors_and_units_are_told() {
    let text = "\
[sensor.\"a b\"]
id = \"x/y\"
threshold = -1
interval-seconds = 0
history = 5000
plausible = [3, 2]
confirm = true
[unit.web]
[unit.\"-x.service\"]
[unit.\"*.service\"]
[unit.\"web.service\"]
lines = 501
confirm = true
";
    let expected = [
        "f:1:1: [sensor.a b]: expected a name of at most 64 of the characters A-Z a-z 0-9 _ . -",
        "f:2:6: `id` of [sensor.a b]: expected the id of a sensor, as the tool `sensors` tells it; found \"x/y\"",
        "f:3:13: `threshold` of [sensor.a b]: expected a number from 0 to 1000000000000; found -1",
        "f:4:20: `interval-seconds` of [sensor.a b]: expected a number from 0.1 to 86400 seconds; found 0",
        "f:5:11: `history` of [sensor.a b]: expected a whole number from 0 to 1024 values; found 5000",
        "f:6:13: `plausible` of [sensor.a b]: expected the less of the two first",
        "f:7:11: `confirm` of [sensor.a b]: a sensor is only read: there is nothing to confirm",
        "f:8:1: [unit.web]: expected the whole name of one unit, such as [unit.\"nginx.service\"]",
        "f:9:1: [unit.-x.service]: expected the whole name of one unit, such as [unit.\"nginx.service\"]",
        "f:10:1: [unit.*.service]: expected the whole name of one unit, such as [unit.\"nginx.service\"]",
        "f:12:9: `lines` of [unit.web.service]: expected a whole number from 0 to 500 lines; found 501",
        "f:13:11: `confirm` of [unit.web.service]: a unit is only looked at: there is nothing to confirm",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn wrong_commands_are_told() {
    let text = "\
[command.\"a b\"]
[command.b]
about = \"  \"
argv = [\"sh\", \"-c\", \"{what}\"]
timeout-seconds = 1000
output-bytes-max = 99999999
at-once = 9
environment = [\"A\", \"=b\"]
directory = \"srv\"
argument.unused = { type = \"integer\", min = 3, max = 2.5 }
argument.odd = { type = \"number\" }
argument.none = { type = \"choice\", choices = [] }
argument.text = { type = \"text\", characters = \"z-a\", bytes-max = 0 }
argument.path = { type = \"path\", folder = \"x\" }
[command.c]
about = \"c\"
argv = [\"/bin/{x}\"]
argument.x = { type = \"choice\", choices = [\"a\"] }
[command.d]
about = \"d\"
argv = []
[unit.\"foo@.service\"]
";
    let told = problems(text);
    for expected in [
        "f:1:1: [command.a b]: expected a name of at most 64 of the characters A-Z a-z 0-9 _ -",
        "f:1:1: [command.a b]: `argv` is missing: the program's whole path and its arguments, each in quotes",
        "f:3:9: `about` of [command.b]: expected a text; found \"  \"",
        "f:4:8: `argv` of [command.b]: the first word must be the whole path of a program, such as \"/usr/bin/vcgencmd\"",
        "f:4:8: `argv` of [command.b]: no argument is called \"what\": {what} needs a table argument.what",
        "f:5:19: `timeout-seconds` of [command.b]: expected a number from 0.1 to 240 seconds; found 1000",
        "f:6:20: `output-bytes-max` of [command.b]: expected a whole number from 0 to 262144 bytes; found 99999999",
        "f:7:11: `at-once` of [command.b]: expected a whole number from 1 to 4 at once; found 9",
        "`environment` of [command.b]: expected NAME=value; found \"=b\"",
        "f:9:13: `directory` of [command.b]: expected a whole path, from / on; found \"srv\"",
        "`max` of [command.b.argument.unused]: expected a whole number",
        "`type` of [command.b.argument.odd]: expected \"integer\", \"choice\", \"text\" or \"path\"; found \"number\"",
        "`choices` of [command.b.argument.none]: expected one or more texts without control characters",
        "`characters` of [command.b.argument.text]: expected characters and ranges of them",
        "`bytes-max` of [command.b.argument.text]: expected a whole number from 1 to 1024 bytes; found 0",
        "`folder` of [command.b.argument.path]: expected a whole path, from / on; found \"x\"",
        "no word of `argv` has {unused}",
        "f:21:8: `argv` of [command.d]: the program is missing",
        "f:22:1: [unit.foo@.service]: expected the whole name of one unit",
        "f:17:8: `argv` of [command.c]: which program is run can't be an argument",
    ] {
        assert!(told.iter().any(|line| line.contains(expected)), "{expected}\n{told:#?}");
    }
}

#[test]
fn what_a_program_may_understand_otherwise_is_told() {
    let doubts = |argv: &str| {
        let text = format!(
            "[command.a]\nabout = \"a\"\nargv = [\"/bin/a\", {argv}]\n\
             argument.less = {{ type = \"integer\", min = -1, max = 1 }}\n\
             argument.dash = {{ type = \"choice\", choices = [\"a\", \"-b\"] }}\n\
             argument.name = {{ type = \"text\", characters = \"a-z\", optional = true }}\n\
             argument.file = {{ type = \"integer\", min = 0, max = 1 }}\n"
        );
        // What is not used is not what this is about.
        let used = |line: &&str| {
            let name = line.strip_prefix("argument.").and_then(|rest| rest.split(' ').next());
            name.is_none_or(|name| argv.contains(&format!("{{{name}}}")))
        };
        let text = text.lines().filter(used).collect::<Vec<_>>().join("\n");
        config::parse("f".to_owned(), &text).unwrap().commands[0].doubts()
    };
    let option = |name: &str| format!("{{{name}}} may begin with a dash, as an option does: put \"--\" before it");
    for (argv, expected) in [
        ("\"{less}\"", vec![option("less")]),
        ("\"{dash}x\"", vec![option("dash")]),
        ("\"--less={less}\", \"x{dash}\", \"{file}\", \"{name}\"", vec![]),
        ("\"--\", \"{less}\", \"{name}\", \"{dash}\"", vec![]),
        (
            "\"-n\", \"{name}\", \"{file}\"",
            vec!["without name, the word after it is what -n is given: write -n={name}".to_owned()],
        ),
        ("\"-n\", \"{name}\"", vec![]),
        ("\"-n\", \"{file}\", \"{name}\"", vec![]),
    ] {
        assert_eq!(doubts(argv), expected, "{argv}");
    }
}

#[test]
fn a_whole_number_is_one_however_it_is_written() {
    let kind = Kind::Integer { min: -5, max: 5 };
    for (value, text) in [
        (serde_json::json!(5.0), Some("5")),
        (serde_json::json!(-5.0), Some("-5")),
        (serde_json::json!(-0.0), Some("0")),
        (serde_json::json!(5.5), None),
        (serde_json::json!(6.0), None),
        (serde_json::json!(1e300), None),
    ] {
        assert_eq!(kind.text_of(&value).ok().as_deref(), text, "{value}");
    }
    // What fits the schema, which counts characters, fits.
    for (class, letter) in [("a-z", "z"), ("a-zä-ö", "ö"), ("a-z中", "中")] {
        let kind = Kind::Text { characters: Characters::parse(class).unwrap(), bytes_max: 8 };
        let max = kind.schema("")["maxLength"].as_u64().unwrap();
        let longest = letter.repeat(usize::try_from(max).unwrap());
        assert_eq!(kind.text_of(&longest.clone().into()), Ok(longest), "{class}");
    }
}

#[test]
fn more_sensors_than_are_known_at_once_are_refused() {
    let entry = |number: usize| format!("[sensor.s{number}]\n");
    let most: String = (0..METERS_MAX).map(entry).collect();
    assert_eq!(config::parse("f".to_owned(), &most).unwrap().sensors.len(), METERS_MAX);
    assert_eq!(problems(&(most + "[sensor.more]\n")), ["f:129:1: [sensor.more]: at most 128 are taken"]);
}

#[test]
fn what_rests_at_nothing_is_not_news_at_each_change() {
    let mut meter = Meter {
        id: "a".to_owned(),
        label: String::new(),
        quantity: "angular velocity",
        unit: "rad/s",
        place: Place::Zone { file: String::new() },
    };
    for (quantity, is_news) in [("angular velocity", false), ("something else", true)] {
        meter.quantity = quantity;
        let mut probe = Probe::new(Some(meter.clone()), None, "a");
        let begun = Instant::now();
        probe.look(Ok(0.0), begun);
        probe.look(Ok(0.002), begun + Duration::from_secs(60));
        assert_eq!(probe.is_owed, is_news, "{quantity}");
    }
}
