//! `[gpio.NAME]`: a GPIO line that may be used, by the name that tools call it.

use std::time::Duration;

use super::table::Table;
use super::{Place, Release, Who};

/// The longest name of an entry, in bytes: what people type and models repeat.
pub(crate) const NAME_BYTES_MAX: usize = 32;
/// The longest pulse that a line can be given, in milliseconds: below the time limit of a tool, which is 5 minutes.
pub(crate) const PULSE_MS_MAX: u64 = 240_000;
/// The longest pulse of a line whose entry does not say, in milliseconds: a relay, a bell, a door opener.
const PULSE_MS_DEFAULT: u64 = 5_000;
/// The longest debounce period, in microseconds: a button takes up to 50 ms to settle.
const DEBOUNCE_US_MAX: u64 = 1_000_000;
/// The longest text that says what hangs on a line, in bytes: a model reads it with each list.
const ABOUT_BYTES_MAX: usize = 200;
/// Lines that a chip has at most, as the character device counts.
const LINES_MAX: u64 = 65_535;

/// A GPIO line that may be used.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// What tools call it.
    pub(crate) name: String,
    /// What hangs on it, for the model.
    pub(crate) about: Option<String>,
    /// Its chip: `gpiochip0`, a path, a label such as `pinctrl-bcm2711`, or `sim`.
    pub(crate) chip: String,
    /// Which line of the chip.
    pub(crate) id: LineId,
    /// It is active when its level is low.
    pub(crate) active_low: bool,
    /// The resistor inside of the chip.
    pub(crate) bias: Option<Bias>,
    /// Input or output, and what each has of its own.
    pub(crate) direction: Direction,
    /// Who may use it.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

/// A line of a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineId {
    /// Its number on the chip.
    Offset(u32),
    /// The name that the board's description gives it, such as `GPIO17`.
    Name(String),
}

/// Which way a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Direction {
    /// It is read.
    Input {
        /// How long it must be steady before a change counts.
        debounce: Option<Duration>,
    },
    /// It is set.
    Output(Output),
}

/// What an output has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// How it drives the line.
    pub(crate) drive: Drive,
    /// Active or inactive: what it is set to when the server starts and when it ends.
    pub(crate) safe: bool,
    /// When it returns to its safe state.
    pub(crate) release: Release,
    /// The longest pulse, in milliseconds.
    pub(crate) pulse_ms_max: u64,
}

/// The resistor inside of the chip (the kernel's `GPIO_V2_LINE_FLAG_BIAS_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bias {
    /// None.
    Disabled,
    /// To the supply.
    PullUp,
    /// To ground.
    PullDown,
}

/// How an output drives the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drive {
    /// Both levels.
    PushPull,
    /// Low only.
    OpenDrain,
    /// High only.
    OpenSource,
}

impl Line {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        check_name(name, table);
        table.needs(&[
            ("chip", "the chip that the line is on, such as \"gpiochip0\""),
            ("line", "the line's number on its chip, or its name, such as \"GPIO17\""),
            ("direction", "\"input\" or \"output\""),
        ]);
        let chip = table.text("chip", not_empty);
        let id = table.number_or_text("line", 0..=LINES_MAX);
        let id = id.map(|id| match id {
            Ok(number) => LineId::Offset(u32::try_from(number).unwrap_or(u32::MAX)),
            Err(name) => LineId::Name(name),
        });
        let is_output = table.one_of("direction", &[("input", false), ("output", true)]);
        let bias = &[("disabled", Bias::Disabled), ("pull-up", Bias::PullUp), ("pull-down", Bias::PullDown)];
        let bias = table.one_of("bias", bias);
        let active_low = table.flag("active-low").unwrap_or(false);
        let about = about(table);
        let who = Who::read(table);
        let direction = match is_output {
            Some(true) => Some(Direction::Output(Output::read(table))),
            Some(false) => {
                if who.confirm {
                    table.problem("confirm", "an input is never changed, so that nobody would be asked: leave it out");
                }
                let debounce = table.number("debounce-us", 1..=DEBOUNCE_US_MAX, "microseconds");
                Some(Direction::Input { debounce: debounce.map(Duration::from_micros) })
            }
            None => {
                table.allow_all();
                None
            }
        };
        let (chip, id, direction, place) = (chip?, id?, direction?, table.place());
        Some(Self { name: name.to_owned(), about, chip, id, active_low, bias, direction, who, place })
    }

    /// What it has as an output, if it is one.
    pub(crate) fn output(&self) -> Option<&Output> {
        match &self.direction {
            Direction::Output(output) => Some(output),
            Direction::Input { .. } => None,
        }
    }

    /// Says where two entries are the same line of a chip. On a simulated one that is a wire from the one to the other.
    pub(crate) fn check_all(lines: &[Self], table: &Table<'_>) {
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !is_simulated(&line.chip)) {
            // The device's path is the other way to say its name. What else may be the same, the machine alone knows (`check::same_lines`).
            let chip = |line: &'_ Self| line.chip.strip_prefix("/dev/").unwrap_or(&line.chip).to_owned();
            let same = |other: &&Self| (chip(other), &other.id) == (chip(line), &line.id);
            if let Some(first) = lines.iter().take(at).find(same) {
                table.problem_at(
                    line.place,
                    &format!("[gpio.{}]: this is the line that [gpio.{}] has already", line.name, first.name),
                );
            }
        }
    }
}

impl Output {
    fn read(table: &mut Table<'_>) -> Self {
        let drive =
            &[("push-pull", Drive::PushPull), ("open-drain", Drive::OpenDrain), ("open-source", Drive::OpenSource)];
        let drive = table.one_of("drive", drive).unwrap_or(Drive::PushPull);
        let safe = table.one_of("safe", &[("inactive", false), ("active", true)]).unwrap_or(false);
        let release = Release::read(table);
        let pulse_ms_max = table.number("pulse-ms-max", 1..=PULSE_MS_MAX, "milliseconds").unwrap_or(PULSE_MS_DEFAULT);
        Self { drive, safe, release, pulse_ms_max }
    }
}

/// A chip or bus that is not there, but played.
pub(crate) fn is_simulated(name: &str) -> bool {
    name == "sim" || name.starts_with("sim:")
}

/// What an entry is called: letters, digits, `-` and `_`.
pub(super) fn check_name(name: &str, table: &Table<'_>) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_plain) {
        table.problem_here(&format!("expected a name of 1 to {NAME_BYTES_MAX} letters, digits, - and _"));
    }
}

/// What hangs there (`about`).
pub(super) fn about(table: &mut Table<'_>) -> Option<String> {
    table.text("about", |text| {
        let fits = !text.is_empty() && text.len() <= ABOUT_BYTES_MAX && !text.contains(char::is_control);
        if fits { Ok(text) } else { Err(format!("expected one line of at most {ABOUT_BYTES_MAX} bytes")) }
    })
}

pub(super) fn not_empty(text: String) -> Result<String, String> {
    if text.is_empty() { Err("expected a text that is not empty".to_owned()) } else { Ok(text) }
}
