//! `[command.NAME]`: a command that may be run, and `[command.NAME.argument.NAME]`: what it may be told.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::Table;
use super::{Place, Who};
use crate::commands::template::Template;
use crate::commands::value::{Characters, Kind};

/// The longest name of a command or of an argument, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Words of one command line.
const WORDS_MAX: usize = 64;
/// Arguments of one command: one for each word, and some that stand in several.
const ARGUMENTS_MAX: usize = 32;
/// Choices of one argument.
const CHOICES_MAX: usize = 64;
/// Variables of one environment.
const VARIABLES_MAX: usize = 64;
/// The longest text of an argument, in bytes.
const TEXT_BYTES_MAX: u64 = 1024;
/// The longest text of an argument where the configuration does not say, in bytes.
const TEXT_BYTES_DEFAULT: u64 = 128;
/// The most of a command's output that is kept, in bytes, and what is kept where the configuration does not say.
const OUTPUT_BYTES: (RangeInclusive<u64>, u64) = (0..=256 * 1024, 16 * 1024);
/// Seconds that a command may take, and what it may take where the configuration does not say. The server ends a call that takes longer than
/// five minutes.
const SECONDS: (RangeInclusive<f64>, f64) = (0.1..=240.0, 10.0);
const _: () = assert!(240_000 < smol_mcp::limits::TOOL_TIMEOUT_MS_DEFAULT, "a command's own limit comes first");
/// The greatest integer that every JSON parser has exactly (RFC 8259, section 6).
const INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// A command that may be run.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// What clients call it.
    pub(crate) name: String,
    /// What it does (`about`): the model reads it to know when to run it.
    pub(crate) about: String,
    /// Its words: the program's whole path, and what it is told, with `{arguments}` in braces.
    pub(crate) argv: Vec<Template>,
    /// What it may be told.
    pub(crate) arguments: Vec<Argument>,
    /// How long it may take (`timeout-seconds = 10`).
    pub(crate) timeout: Duration,
    /// How much of its output is kept, and as much of its errors (`output-bytes-max = 16384`).
    pub(crate) output_bytes: usize,
    /// How many of it may run at once (`at-once = 1`).
    pub(crate) at_once: usize,
    /// All of its environment (`environment = ["LANG=C.UTF-8"]`).
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Where it runs (`directory = "/srv"`); the root where it does not say.
    pub(crate) directory: PathBuf,
    /// Who may run it.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

/// What a command may be told.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    /// Its name.
    pub(crate) name: String,
    /// What it is (`about`), for the model; may be empty.
    pub(crate) about: String,
    /// It need not be given (`optional = true`): words that name it are left out then.
    pub(crate) optional: bool,
    /// What values it takes.
    pub(crate) kind: Kind,
}

impl Command {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        check_name(name, table);
        table.needs(&[
            ("about", "what it does, for the model that is to choose it"),
            ("argv", "the program's whole path and its arguments, each in quotes"),
        ]);
        let about = table
            .text("about", |text| if text.trim().is_empty() { Err("expected a text".to_owned()) } else { Ok(text) });
        let words = table.texts("argv", WORDS_MAX).unwrap_or_default();
        let arguments = table.entries("argument", Argument::read);
        if arguments.len() > ARGUMENTS_MAX {
            table.problem("argument", &format!("at most {ARGUMENTS_MAX} are taken"));
        }
        let argv = argv(&words, &arguments, table);
        let timeout = table.fraction("timeout-seconds", SECONDS.0, "seconds").unwrap_or(SECONDS.1);
        let output_bytes = table.number("output-bytes-max", OUTPUT_BYTES.0, "bytes").unwrap_or(OUTPUT_BYTES.1);
        let at_once = table.number("at-once", 1..=crate::children::CHILDREN_MAX as u64, "at once").unwrap_or(1);
        let environment = environment(table);
        let directory = table.text("directory", absolute).unwrap_or_else(|| PathBuf::from("/"));
        let who = Who::read(table);
        Some(Self {
            name: name.to_owned(),
            about: about?,
            argv,
            arguments,
            timeout: Duration::from_secs_f64(timeout),
            output_bytes: usize::try_from(output_bytes).unwrap_or(0),
            at_once: usize::try_from(at_once).unwrap_or(1),
            environment,
            directory,
            who,
            place: table.place(),
        })
    }
}

impl Command {
    /// The program that it runs.
    pub(crate) fn program(&self) -> Option<String> {
        self.argv.first()?.fill(|_| None)
    }

    /// What its program may understand in another way than is meant.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let argument = |name: &str| self.arguments.iter().find(|argument| argument.name == name);
        let is_dashed = |kind: &Kind| match kind {
            Kind::Integer { min, .. } => *min < 0,
            Kind::Choice(choices) => choices.iter().any(|choice| choice.starts_with('-')),
            Kind::Text { .. } | Kind::Path { .. } => false,
        };
        let mut doubts = Vec::new();
        for (at, word) in self.argv.iter().enumerate() {
            let before = self.argv.iter().take(at).filter_map(Template::literal);
            let name = word.first().and_then(argument).filter(|argument| is_dashed(&argument.kind));
            if let (Some(Argument { name, .. }), false) = (name, before.clone().any(|word| word == "--")) {
                doubts.push(format!("{{{name}}} may begin with a dash, as an option does: put \"--\" before it"));
            }
            let option = at.checked_sub(1).and_then(|at| self.argv[at].literal()).filter(|word| word.starts_with('-'));
            let optional = word.names().find(|name| argument(name).is_some_and(|argument| argument.optional));
            if let (Some(option), Some(name), true) =
                (option.filter(|word| *word != "--"), optional, at + 1 < self.argv.len())
            {
                let what =
                    format!("without {name}, the word after it is what {option} is given: write {option}={{{name}}}");
                doubts.push(what);
            }
        }
        doubts
    }

    /// The folders that it needs: its own, and those of its paths.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        let of_arguments = self.arguments.iter().filter_map(|argument| match &argument.kind {
            Kind::Path { folder } => Some(folder.as_path()),
            _ => None,
        });
        of_arguments.chain([self.directory.as_path()])
    }
}

impl Argument {
    fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        check_name(name, table);
        let about = table.text("about", Ok).unwrap_or_default();
        let optional = table.flag("optional").unwrap_or(false);
        table.needs(&[("type", "\"integer\", \"choice\", \"text\" or \"path\"")]);
        let kinds = [("integer", integer as Read), ("choice", choice), ("text", text), ("path", path)];
        let kind = table.one_of("type", &kinds)?(table)?;
        Some(Self { name: name.to_owned(), about, optional, kind })
    }
}

type Read = fn(&mut Table<'_>) -> Option<Kind>;

fn integer(table: &mut Table<'_>) -> Option<Kind> {
    table.needs(&[("min", "the least number"), ("max", "the greatest number")]);
    let mut whole = |key| {
        let number = table.fraction(key, -INTEGER_MAX..=INTEGER_MAX, "")?;
        if number.fract() != 0.0 {
            table.problem(key, "expected a whole number");
        }
        // It is whole and exact, as the range says.
        #[allow(clippy::cast_possible_truncation)]
        Some(number as i64)
    };
    let (min, max) = (whole("min"), whole("max"));
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        table.problem("min", "no number would do: it is greater than `max`");
    }
    Some(Kind::Integer { min: min?, max: max? })
}

fn choice(table: &mut Table<'_>) -> Option<Kind> {
    table.needs(&[("choices", "what there is to choose from")]);
    let choices = table.texts("choices", CHOICES_MAX)?;
    if choices.is_empty() || choices.iter().any(|choice| choice.contains(char::is_control)) {
        table.problem("choices", "expected one or more texts without control characters");
    }
    Some(Kind::Choice(choices))
}

fn text(table: &mut Table<'_>) -> Option<Kind> {
    table.needs(&[("characters", "which it may consist of, such as \"a-z0-9_\"")]);
    let characters = table.text("characters", |class| {
        let expected = "expected characters and ranges of them, such as \"a-z0-9_ \", with a dash that stands for itself at the end";
        Characters::parse(&class).ok_or_else(|| expected.to_owned())
    });
    let bytes_max = table.number("bytes-max", 1..=TEXT_BYTES_MAX, "bytes").unwrap_or(TEXT_BYTES_DEFAULT);
    Some(Kind::Text { characters: characters?, bytes_max: usize::try_from(bytes_max).unwrap_or(0) })
}

fn path(table: &mut Table<'_>) -> Option<Kind> {
    table.needs(&[("folder", "the folder below which it must be")]);
    table.text("folder", absolute).map(|folder| Kind::Path { folder })
}

fn argv(words: &[String], arguments: &[Argument], table: &Table<'_>) -> Vec<Template> {
    if words.first().is_some_and(|program| !program.starts_with('/')) {
        table.problem("argv", "the first word must be the whole path of a program, such as \"/usr/bin/vcgencmd\"");
    }
    if words.is_empty() && table.has("argv") {
        table.problem("argv", "the program is missing");
    }
    if words.iter().any(|word| word.contains('\0')) {
        table.problem("argv", "a word can't have NULs");
    }
    let argv: Vec<Template> = words.iter().map(|word| Template::parse(word)).collect();
    let is_known = |name: &str| arguments.iter().any(|argument| argument.name == name);
    for name in argv.iter().flat_map(Template::names).filter(|name| !is_known(name)) {
        table.problem("argv", &format!("no argument is called {name:?}: {{{name}}} needs a table argument.{name}"));
    }
    if argv.first().is_some_and(|program| program.names().next().is_some()) {
        table.problem("argv", "which program is run can't be an argument");
    }
    let is_used = |argument: &&Argument| argv.iter().any(|word| word.names().any(|name| name == argument.name));
    for argument in arguments.iter().filter(|argument| !is_used(argument)) {
        table.problem("argument", &format!("no word of `argv` has {{{}}}", argument.name));
    }
    argv
}

fn environment(table: &mut Table<'_>) -> Vec<(OsString, OsString)> {
    let variables = table.texts("environment", VARIABLES_MAX).unwrap_or_default();
    let pair = |variable: &String| {
        let pair = variable.split_once('=').filter(|(name, _)| !name.is_empty() && !variable.contains('\0'));
        if pair.is_none() {
            table.problem("environment", &format!("expected NAME=value; found {variable:?}"));
        }
        pair.map(|(name, value)| (name.into(), value.into()))
    };
    variables.iter().filter_map(pair).collect()
}

fn absolute(path: String) -> Result<PathBuf, String> {
    if path.starts_with('/') && !path.contains('\0') {
        Ok(path.into())
    } else {
        Err("expected a whole path, from / on".to_owned())
    }
}

fn check_name(name: &str, table: &Table<'_>) {
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if !is_name {
        table.problem_here(&format!("expected a name of at most {NAME_BYTES_MAX} of the characters A-Z a-z 0-9 _ -"));
    }
}
