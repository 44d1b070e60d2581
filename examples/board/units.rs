//! The state and the log of units of systemd, by `systemctl` and `journalctl`: of those that the configuration allows, and of no others.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use smol_mcp::{Call, ToolError, ToolResult, args};

use crate::app::Board;
use crate::children::{Children, End, Ended, NotRun, Order};
use crate::config::units::{LINES_MAX, Unit};
use crate::sources::secrets::{From, masked};
use crate::sources::text::{Bytes, clean};

/// How long either program may take: a journal on a slow card is searched in two seconds or three.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What is kept of the output, in bytes: 500 lines of 250.
const OUTPUT_BYTES_MAX: usize = 128 * 1024;
/// The longest line that is shown, in bytes.
const LINE_BYTES_MAX: usize = 500;
/// Where programs are looked for when the server itself was not told.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";
/// What `systemctl show` is asked for (`org.freedesktop.systemd1(5)`).
const PROPERTIES: &str = "--property=Id,Description,LoadState,ActiveState,SubState,Result,UnitFileState,MainPID,ExecMainStatus,NRestarts,\
     MemoryCurrent,StateChangeTimestamp";

/// Lines of a unit's log that are read where the call does not say.
const LINES_DEFAULT: u16 = 50;

const _: () = assert!(LINES_MAX == 500, "the range of `UnitLog::lines` says so too");

args! {
    pub(crate) struct UnitLog {
        /// The unit's whole name, exactly as `units` lists it, such as `nginx.service`.
        #[len(1..=255)]
        unit: String,
        /// How many of the last lines; 50 when absent.
        #[range(1..=500)]
        lines: Option<u16>,
    }
}

/// Why there is nothing to tell of a unit.
#[derive(Debug)]
pub(crate) enum Failure {
    /// This machine does not have that program: it is not systemd's.
    NoSystemd(&'static str),
    /// It was not run, or did not end in time.
    NotRun(&'static str, String),
    /// What it said instead.
    Failed(&'static str, String),
}

/// The last lines of a unit's log, the oldest first.
#[derive(Debug)]
pub(crate) struct Log {
    unit: String,
    lines: Vec<String>,
    /// There were more lines, which are older.
    is_cut: bool,
}

/// What is known of units now, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct States(Vec<State>);

/// One unit.
#[derive(Debug, Default)]
struct State {
    properties: Vec<(String, String)>,
}

/// Reads the last `lines` lines of a unit's log.
///
/// # Errors
/// There is nothing to tell.
pub(crate) async fn log(children: &Children, unit: &str, lines: u16) -> Result<Log, Failure> {
    // The newest first, so that what does not fit is of the oldest.
    let arguments = [
        format!("--unit={unit}"),
        format!("--lines={lines}"),
        "--output=short-iso".to_owned(),
        "--no-hostname".to_owned(),
        "--no-pager".to_owned(),
        "--quiet".to_owned(),
        "--reverse".to_owned(),
    ];
    let ended = run(children, "journalctl", &arguments).await?;
    let text = ended.stdout.text();
    let is_cut = ended.stdout.lost > 0;
    // The last of what was kept is a part of a line.
    let text = if is_cut { text.rsplit_once('\n').map_or("", |(whole, _)| whole) } else { &text };
    // The entries are reversed, and their lines are not: those that follow the first of one begin with a blank.
    let mut entries: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        let shown = clean(&masked(line.split(' '), From::Log), LINE_BYTES_MAX);
        let is_full = entries.len() >= usize::from(lines);
        match entries.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(entry) => entry.push(format!("  {shown}")),
            None if is_full => break,
            None => entries.push(vec![shown]),
        }
    }
    let is_cut = is_cut && entries.len() < usize::from(lines);
    let all: Vec<String> = entries.into_iter().rev().flatten().collect();
    Ok(Log { unit: unit.to_owned(), lines: all, is_cut })
}

/// Reads the state of units.
///
/// # Errors
/// There is nothing to tell.
pub(crate) async fn states(children: &Children, units: &[&str]) -> Result<States, Failure> {
    let mut arguments = vec!["show".to_owned(), "--no-pager".to_owned(), PROPERTIES.to_owned(), "--".to_owned()];
    arguments.extend(units.iter().map(|&unit| unit.to_owned()));
    let ended = run(children, "systemctl", &arguments).await?;
    let mut states: Vec<State> = Vec::new();
    let text = ended.stdout.text();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()).take(units.len()) {
        let pairs = block.lines().filter_map(|line| line.split_once('='));
        let properties = pairs.map(|(key, value)| (key.to_owned(), clean(value, LINE_BYTES_MAX))).collect();
        states.push(State { properties });
    }
    Ok(States(states))
}

/// The units' tools.
impl Board {
    /// Tells the state of the units that the caller may look at.
    pub(crate) async fn unit_states(&self, call: &mut Call<'_>) -> ToolResult {
        let mine = self.config.units.iter().filter(|unit| unit.who.check(call.principal()).is_ok());
        let names: Vec<&str> = mine.map(|unit| unit.name.as_str()).collect();
        if names.is_empty() {
            return call.text("The configuration of this server allows no units to you.").await;
        }
        told(call, states(&self.children, &names).await).await
    }

    /// Tells the last lines of a unit's log.
    pub(crate) async fn log_of_unit(&self, call: &mut Call<'_>, args: UnitLog) -> ToolResult {
        let (name, lines) = (args.unit.as_str(), args.lines.unwrap_or(LINES_DEFAULT));
        // A unit that is not for this caller is as good as none.
        let mine = |unit: &&Unit| unit.lines > 0 && unit.who.check(call.principal()).is_ok();
        let with_log = || self.config.units.iter().filter(mine);
        let Some(unit) = with_log().find(|unit| unit.name == name) else {
            let known: Vec<&str> = with_log().map(|unit| unit.name.as_str()).collect();
            return Err(format!("the configuration allows no log of {name:?}; it allows: {}", known.join(", ")).into());
        };
        told(call, log(&self.children, &unit.name, lines.min(unit.lines)).await).await
    }
}

async fn told(call: &mut Call<'_>, report: Result<impl fmt::Display, Failure>) -> ToolResult {
    match report {
        Ok(report) => call.reply(report).await,
        // A fact, as with all that a machine lacks.
        Err(lack @ Failure::NoSystemd(_)) => call.reply(lack).await,
        Err(failure) => Err(ToolError::new(failure)),
    }
}

async fn run(children: &Children, program: &'static str, arguments: &[String]) -> Result<Ended, Failure> {
    let argv: Vec<OsString> =
        [program].iter().map(OsString::from).chain(arguments.iter().map(OsString::from)).collect();
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH_DEFAULT.into());
    let environment = [("PATH".into(), path), ("LANG".into(), "C.UTF-8".into()), ("SYSTEMD_COLORS".into(), "0".into())];
    let order = Order {
        argv: &argv,
        environment: &environment,
        directory: Path::new("/"),
        timeout: TIMEOUT,
        output_bytes_max: OUTPUT_BYTES_MAX,
    };
    let ended = children.run(&order, None).await.map_err(|why| match why {
        NotRun::Absent => Failure::NoSystemd(program),
        why => Failure::NotRun(program, why.to_string()),
    })?;
    let status = match ended.end {
        End::Killed | End::GoesOn => {
            return Err(Failure::NotRun(program, format!("it did not answer within {} s", TIMEOUT.as_secs())));
        }
        End::Unknown => return Ok(ended),
        End::Status(status) => status,
    };
    // One unit that it does not take does not hide the others.
    if status.success() || !ended.stdout.bytes.is_empty() {
        return Ok(ended);
    }
    let said = ended.stderr.text();
    let said = masked(said.trim().lines().next_back().unwrap_or_default().split(' '), From::Log);
    Err(Failure::Failed(program, clean(&format!("{status}: {said}"), LINE_BYTES_MAX)))
}

impl State {
    // What systemd has no value for counts as not told.
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty() && *value != "[not set]")
    }

    fn number(&self, key: &str) -> Option<u64> {
        // 64 ones stand for "not set" in some versions.
        self.get(key)?.parse().ok().filter(|number| *number != u64::MAX)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return writeln!(
                f,
                "The journal has no lines of {}, or this server may not read them (group systemd-journal).",
                self.unit
            );
        }
        if self.is_cut {
            writeln!(f, "(older lines are left out: they are too long)")?;
        }
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|state| writeln!(f, "{state}"))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.get("Id").unwrap_or("a unit without a name"))?;
        if self.get("LoadState") == Some("not-found") {
            return f.write_str("not on this machine");
        }
        write!(f, "{}", self.get("ActiveState").unwrap_or("state unknown"))?;
        self.get("SubState").map_or(Ok(()), |sub| write!(f, " ({sub})"))?;
        self.get("StateChangeTimestamp").map_or(Ok(()), |since| write!(f, " since {since}"))?;
        if let Some(result) = self.get("Result").filter(|result| *result != "success") {
            write!(f, ", result {result}")?;
            self.number("ExecMainStatus").map_or(Ok(()), |status| write!(f, ", exit status {status}"))?;
        }
        self.number("MainPID").filter(|pid| *pid != 0).map_or(Ok(()), |pid| write!(f, ", main process {pid}"))?;
        self.number("MemoryCurrent").map_or(Ok(()), |bytes| write!(f, ", memory {}", Bytes(bytes)))?;
        self.number("NRestarts")
            .filter(|count| *count != 0)
            .map_or(Ok(()), |count| write!(f, ", restarted {count} times"))?;
        self.get("UnitFileState").map_or(Ok(()), |state| write!(f, ", {state}"))?;
        self.get("Description").map_or(Ok(()), |description| write!(f, "; {description}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSystemd(program) => {
                write!(f, "not on this machine (there is no {program}: it does not run systemd)")
            }
            Self::NotRun(program, why) => write!(f, "{program} could not be run: {why}"),
            Self::Failed(program, said) => write!(f, "{program} failed: {said}"),
        }
    }
}
