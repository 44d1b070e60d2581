//! The processes that use most memory or CPU, from `/proc/<pid>`.
//!
//! The use of CPU now is what was used between two samples: take one, wait (a second is enough), take another, [`compare`] them.
//! The waiting is the caller's. Command lines can hold secrets: they are read only when asked for, then cut and masked.

use std::fmt;

use serde::Serialize;

use super::host::up_hundredths;
use super::root::{Lack, Root, Why};
use super::secrets::{From, masked};
use super::text::{Bytes, Seconds, clean, value_of};

/// Processes that are read for one sample: a board runs about 150, and each costs one small file (about 10 ms for all, on a Pi 4).
pub(crate) const PROCESSES_MAX: usize = 1024;
/// Processes that are shown at most.
pub(crate) const SHOWN_MAX: usize = 50;
/// The longest command line that is shown, in bytes.
pub(crate) const COMMAND_BYTES_MAX: usize = 120;
/// The kernel counts CPU time in hundredths of a second for programs, whatever its own clock (`USER_HZ`; 100 on all boards' architectures).
const TICKS_PER_SECOND: u64 = 100;

/// The state of one that waits for a device, and for no signal.
const WAITING: &str = "waiting for a device";

/// All processes at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Hundredths of a second since the machine started.
    up_hundredths: u64,
    processes: Vec<Process>,
    /// Whether there were more than [`PROCESSES_MAX`].
    more: bool,
}

/// One process, as its `stat` tells.
#[derive(Debug, Clone, PartialEq)]
struct Process {
    pid: u32,
    name: String,
    state: &'static str,
    /// CPU time used so far, in ticks.
    ticks: u64,
    threads: u32,
    /// When it started, in ticks since the machine did: tells it from a later one with the same number.
    started: u64,
    /// Resident pages: good for comparing, since all are of one size.
    pages: u64,
}

/// By what the first are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Resident memory.
    Memory,
    /// Use of CPU.
    Cpu,
}

/// Which processes are wanted, and what of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The order.
    pub(crate) by: Order,
    /// How many, at most [`SHOWN_MAX`].
    pub(crate) count: usize,
    /// Whether to show command lines.
    pub(crate) commands: bool,
}

/// The processes that use most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Top {
    /// The first of them.
    pub(crate) processes: Vec<Row>,
    /// How many there are, or were read.
    pub(crate) total: usize,
    /// Whether more exist than were read.
    pub(crate) more: bool,
    /// Over what time the use of CPU was measured; absent: over each process's life.
    pub(crate) cpu_over: Option<Seconds>,
}

/// One of the processes that use most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// Its number.
    pub(crate) pid: u32,
    /// Its name, at most 15 characters long by the kernel's rule.
    pub(crate) name: String,
    /// The number of the user it runs as.
    pub(crate) uid: Option<u32>,
    /// That user's name.
    pub(crate) user: Option<String>,
    /// What it is doing.
    pub(crate) state: &'static str,
    /// How many threads it has.
    pub(crate) threads: u32,
    /// Memory it occupies, with what it shares with others; absent for the kernel's own.
    pub(crate) resident_bytes: Option<Bytes>,
    /// Its use of CPU, where 100 is one core.
    pub(crate) cpu_percent: f64,
    /// The beginning of its command line, where asked for.
    pub(crate) command: Option<String>,
}

/// Reads all processes, one small file each.
pub(crate) fn sample(root: &Root) -> Result<Sample, Lack> {
    let names = root.names("proc", PROCESSES_MAX, |name| name.bytes().all(|byte| byte.is_ascii_digit()))?;
    // One that ended meanwhile is passed over.
    let read = |pid: String| Process::parse(&root.text(&format!("proc/{pid}/stat")).ok()?);
    let processes: Vec<Process> = names.list.into_iter().filter_map(read).collect();
    if processes.is_empty() {
        return Err(Lack::new("proc/<pid>/stat", Why::Absent));
    }
    Ok(Sample { up_hundredths: up_hundredths(root)?, processes, more: names.more })
}

/// The processes that use most, their use of CPU averaged over their lives.
pub(crate) fn since_start(root: &Root, now: &Sample, wanted: Wanted) -> Top {
    let shares = |process: &Process| {
        let ticks_up = now.up_hundredths.saturating_mul(TICKS_PER_SECOND) / 100;
        per_mille(process.ticks, ticks_up.saturating_sub(process.started))
    };
    top(root, now, wanted, None, shares)
}

/// The processes that use most, their use of CPU as it was between two samples. One that started between them counts in full.
pub(crate) fn compare(root: &Root, before: &Sample, now: &Sample, wanted: Wanted) -> Top {
    let elapsed = now.up_hundredths.saturating_sub(before.up_hundredths);
    let shares = |process: &Process| {
        let same = |old: &&Process| (old.pid, old.started) == (process.pid, process.started);
        let ticks_before = before.processes.iter().find(same).map_or(0, |old| old.ticks);
        per_mille(process.ticks.saturating_sub(ticks_before), elapsed.saturating_mul(TICKS_PER_SECOND) / 100)
    };
    top(root, now, wanted, Some(Seconds(elapsed.saturating_add(50) / 100)), shares)
}

impl fmt::Display for Top {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the {} processes seen", self.processes.len(), self.total)?;
        if self.more {
            write!(f, " (the machine has more than {PROCESSES_MAX}; the rest were not read)")?;
        }
        match self.cpu_over {
            Some(span) => writeln!(f, "; CPU as used in the last {span}, 100 % being one core")?,
            None => writeln!(f, "; CPU as used since each one started, 100 % being one core")?,
        }
        self.processes.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: CPU {:.1} %, ", self.pid, self.name, self.cpu_percent)?;
        match self.resident_bytes {
            Some(bytes) => write!(f, "memory {bytes}")?,
            None => f.write_str("no memory of its own")?,
        }
        write!(f, ", {} {}", self.threads, if self.threads == 1 { "thread" } else { "threads" })?;
        write!(f, ", {}", self.state)?;
        match (&self.user, self.uid) {
            (Some(user), _) => write!(f, ", user {user}")?,
            (None, Some(uid)) => write!(f, ", user number {uid}")?,
            (None, None) => {}
        }
        self.command.iter().try_for_each(|command| write!(f, "\n  {command}"))
    }
}

impl Process {
    /// Reads `/proc/<pid>/stat` (`proc_pid_stat(5)`): the name stands in parentheses and may hold blanks and parentheses itself.
    fn parse(text: &str) -> Option<Self> {
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(')')?;
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Numbered from 3, the state, as in the manual.
        let word = |number: usize| words.get(number.checked_sub(3)?).copied();
        let number = |field: usize| word(field)?.parse::<u64>().ok();
        Some(Self {
            pid: pid.trim().parse().ok()?,
            name: clean(name, COMMAND_BYTES_MAX),
            state: state(word(3)?),
            ticks: number(14)?.saturating_add(number(15)?),
            threads: u32::try_from(number(20)?).ok()?,
            started: number(22)?,
            pages: number(24)?,
        })
    }
}

/// Chooses and completes the first by `wanted`; only of those are further files read.
fn top(root: &Root, now: &Sample, wanted: Wanted, cpu_over: Option<Seconds>, share: impl Fn(&Process) -> u32) -> Top {
    let mut ranked: Vec<(u32, &Process)> = now.processes.iter().map(|process| (share(process), process)).collect();
    ranked.sort_by_key(|(share, process)| match wanted.by {
        Order::Memory => (std::cmp::Reverse(process.pages), std::cmp::Reverse(u64::from(*share)), process.pid),
        Order::Cpu => (std::cmp::Reverse(u64::from(*share)), std::cmp::Reverse(process.pages), process.pid),
    });
    ranked.truncate(wanted.count.min(SHOWN_MAX));
    let users = root.text("etc/passwd").unwrap_or_default();
    let row =
        |(share, process): (u32, &Process)| Row::read(root, process, f64::from(share) / 10.0, wanted.commands, &users);
    Top { processes: ranked.into_iter().map(row).collect(), total: now.processes.len(), more: now.more, cpu_over }
}

impl Row {
    fn read(root: &Root, process: &Process, cpu_percent: f64, command: bool, users: &str) -> Self {
        let pid = process.pid;
        let status = root.text(&format!("proc/{pid}/status")).unwrap_or_default();
        let first = |key| value_of(&status, key, ':')?.split_ascii_whitespace().next();
        let uid = first("Uid").and_then(|uid| uid.parse().ok());
        // The kernel reads it out of the process's memory, which may be locked for as long as the process waits for a device.
        let command = (command && process.state != WAITING)
            .then(|| root.text(&format!("proc/{pid}/cmdline")).unwrap_or_default());
        Self {
            pid,
            name: process.name.clone(),
            uid,
            user: uid.and_then(|uid| user(users, uid)),
            state: process.state,
            threads: process.threads,
            resident_bytes: first("VmRSS").and_then(|kib| kib.parse().ok()).map(Bytes::from_kib),
            cpu_percent,
            command: command.map(|command| shown(&command)).filter(|command| !command.is_empty()),
        }
    }
}

/// The name of a user in `/etc/passwd`: `name:password:uid:...`.
fn user(users: &str, uid: u32) -> Option<String> {
    let of_line = |line: &str| {
        let mut words = line.split(':');
        let (name, number) = (words.next()?, words.nth(1)?);
        (number.parse() == Ok(uid)).then(|| clean(name, COMMAND_BYTES_MAX))
    };
    users.lines().find_map(of_line)
}

fn state(letter: &str) -> &'static str {
    match letter {
        "R" => "running",
        "S" => "sleeping",
        "I" => "idle",
        "D" => WAITING,
        "T" | "t" => "stopped",
        "Z" => "ended, not collected (zombie)",
        "X" | "x" => "ending",
        _ => "in an unknown state",
    }
}

/// Thousandths of one core: ticks used in `elapsed` ticks.
fn per_mille(ticks: u64, elapsed: u64) -> u32 {
    u32::try_from(ticks.saturating_mul(1000) / elapsed.max(1)).unwrap_or(u32::MAX)
}

/// A command line with blanks between its arguments, cut, and without what is likely to be a secret.
fn shown(command: &str) -> String {
    clean(&masked(command.split('\0').filter(|word| !word.is_empty()), From::CommandLine), COMMAND_BYTES_MAX)
}
