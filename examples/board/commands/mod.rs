//! The commands that the configuration allows: each a program, what it may be told, and how long and how much it may.
//!
//! No shell reads any of it. What a caller says is held against the declared kind of each argument, and stands within one word of the command
//! line: it can't become another word, nor an option, unless it is a number or a choice that the configuration lets begin with a dash.

mod run;
pub(crate) mod template;
pub(crate) mod value;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use smol::lock::Semaphore;
use smol_mcp::Principal;

use crate::children::{Captured, Children, End, Ended, NotRun, Order};
use crate::config::commands::Command;

pub(crate) use run::RunCommand;

/// The commands, and how many of each run.
pub(crate) struct Commands {
    list: Vec<(Command, Arc<Semaphore>)>,
}

/// A command line that may be run.
#[derive(Debug)]
pub(crate) struct Line<'c> {
    command: &'c Command,
    argv: Vec<OsString>,
}

/// Why a command was not run.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No command has this name; these are there.
    Unknown(String, Vec<String>),
    /// What is wrong with the arguments.
    Arguments(String),
    /// As many of it as may run do so.
    Busy(usize),
    /// It could not be run.
    NotRun(NotRun),
}

/// What came of a command.
pub(crate) struct Outcome<'c> {
    command: &'c Command,
    ended: Ended,
}

impl Commands {
    /// Those of the configuration.
    pub(crate) fn new(list: Vec<Command>) -> Self {
        let with_places = |command: Command| (Arc::new(Semaphore::new(command.at_once)), command);
        Self { list: list.into_iter().map(with_places).map(|(places, command)| (command, places)).collect() }
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Command> {
        self.list.iter().map(|(command, _)| command)
    }

    /// Those that this caller may run.
    pub(crate) fn of(&self, principal: &Principal) -> impl Iterator<Item = &Command> {
        self.all().filter(|command| command.who.check(principal).is_ok())
    }

    /// The one of this name, if this caller may run it.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn get(&self, name: &str, principal: &Principal) -> Result<&Command, Refusal> {
        let known = || self.of(principal).map(|command| command.name.clone()).collect();
        let found = self.of(principal).find(|command| command.name == name);
        found.ok_or_else(|| Refusal::Unknown(name.to_owned(), known()))
    }

    /// Runs a command line.
    ///
    /// # Errors
    /// It was not run.
    pub(crate) async fn run<'c>(&self, line: &Line<'c>, children: &Children) -> Result<Outcome<'c>, Refusal> {
        let command = line.command;
        let places = self.list.iter().find(|(own, _)| own.name == command.name).map(|(_, places)| places);
        let place = places.map(|places| places.try_acquire_arc().ok_or(Refusal::Busy(command.at_once))).transpose()?;
        let order = Order {
            argv: &line.argv,
            environment: &command.environment,
            directory: &command.directory,
            timeout: command.timeout,
            output_bytes_max: command.output_bytes,
        };
        let ended = children.run(&order, place).await.map_err(Refusal::NotRun)?;
        Ok(Outcome { command, ended })
    }
}

impl Command {
    /// The command line with these arguments.
    ///
    /// # Errors
    /// They do not fit.
    pub(crate) fn line(&self, given: &Map<String, Value>) -> Result<Line<'_>, Refusal> {
        if let Some(name) = given.keys().find(|name| !self.arguments.iter().any(|argument| argument.name == **name)) {
            let known: Vec<&str> = self.arguments.iter().map(|argument| argument.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let name: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
            return Err(Refusal::Arguments(format!("{} has no argument {name:?}; it has: {known}", self.name)));
        }
        let mut values: Vec<(&str, String)> = Vec::new();
        for argument in &self.arguments {
            let name = argument.name.as_str();
            match given.get(name).filter(|value| !value.is_null()) {
                Some(value) => {
                    let text = argument.kind.text_of(value);
                    values.push((name, text.map_err(|misfit| Refusal::Arguments(format!("{name}: {misfit}")))?));
                }
                None if argument.optional => {}
                None => return Err(Refusal::Arguments(format!("{name} is missing"))),
            }
        }
        let value = |name: &str| values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
        let argv = self.argv.iter().filter_map(|word| word.fill(value)).map(OsString::from).collect();
        Ok(Line { command: self, argv })
    }

    /// What clients are told of it.
    pub(crate) fn told(&self) -> Value {
        let properties: Map<String, Value> =
            self.arguments.iter().map(|own| (own.name.clone(), own.kind.schema(&own.about))).collect();
        let required: Vec<&str> =
            self.arguments.iter().filter(|own| !own.optional).map(|own| own.name.as_str()).collect();
        json!({
            "name": self.name,
            "description": self.about,
            "arguments": {
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            },
            "timeoutSeconds": self.timeout.as_secs_f64(),
            "outputBytesMax": self.output_bytes,
            "asksUser": self.who.confirm,
        })
    }
}

impl PartialEq for Line<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.command.name, &self.argv) == (&other.command.name, &other.argv)
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.argv.iter().enumerate() {
            let word = word.to_string_lossy();
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:,+@%".contains(&byte);
            f.write_str(if at == 0 { "" } else { " " })?;
            if !word.is_empty() && word.bytes().all(is_plain) { f.write_str(&word)? } else { write!(f, "{word:?}")? }
        }
        Ok(())
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::os::unix::process::ExitStatusExt;
        let timeout = self.command.timeout;
        match self.ended.end {
            End::Status(status) => match (status.code(), status.signal()) {
                (Some(0), _) => writeln!(f, "exit status 0")?,
                (Some(code), _) => writeln!(f, "failed: exit status {code}")?,
                (None, signal) => writeln!(f, "failed: ended by signal {}", signal.unwrap_or(0))?,
            },
            End::Unknown => writeln!(f, "ended; its exit status is not told")?,
            End::Killed => writeln!(f, "failed: killed, with all that it started, as it took longer than {timeout:?}")?,
            End::GoesOn => writeln!(f, "failed: it took longer than {timeout:?}, COULD NOT BE ENDED, and goes on")?,
        }
        show(f, "stdout", &self.ended.stdout)?;
        show(f, "stderr", &self.ended.stderr)
    }
}

fn show(f: &mut fmt::Formatter<'_>, name: &str, captured: &Captured) -> fmt::Result {
    let text = captured.text();
    if text.is_empty() && captured.lost == 0 {
        return Ok(());
    }
    writeln!(f, "{name}:\n{}", text.strip_suffix('\n').unwrap_or(&text))?;
    if captured.lost > 0 {
        writeln!(f, "({} more bytes of {name} are not kept)", captured.lost)?;
    }
    Ok(())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name, known) => {
                write!(f, "the configuration allows no command {name:?}; it allows: {}", known.join(", "))
            }
            Self::Arguments(what) => f.write_str(what),
            Self::Busy(max) => write!(f, "it runs already, {max} at once: wait until it has ended"),
            Self::NotRun(why) => write!(f, "it could not be run: {why}"),
        }
    }
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("too many programs run already: try again in a moment"),
            Self::Absent => f.write_str("there is no such program on this machine, or its directory is not there"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}
