//! `[pwm.NAME]`: a PWM channel that may be set.

use std::ops::RangeInclusive;

use super::gpio::{about, check_name};
use super::table::Table;
use super::{Place, Release, Who};

/// Chips and channels that the kernel counts; more than any board has.
const NUMBERS_MAX: u64 = 255;
/// The frequencies that a channel can be given, in hertz: beyond the first a period is longer than the kernel's interface can say on 32 bits,
/// and none of its drivers comes near the last.
const HERTZ: RangeInclusive<f64> = 0.25..=100_000_000.0;
/// How much of a period a channel can be active, in percent.
const PERCENT: RangeInclusive<f64> = 0.0..=100.0;

/// A PWM channel that may be set.
#[derive(Debug, Clone)]
pub(crate) struct Pwm {
    /// What tools call it.
    pub(crate) name: String,
    /// What hangs on it, for the model.
    pub(crate) about: Option<String>,
    /// Its chip, as `/sys/class/pwm/pwmchipN` counts.
    pub(crate) chip: u8,
    /// Its channel of the chip.
    pub(crate) channel: u8,
    /// The frequencies that it may be set to, in hertz; the first is what it has before it is set.
    pub(crate) hertz: RangeInclusive<f64>,
    /// How much of a period it may be active, in percent.
    pub(crate) percent: RangeInclusive<f64>,
    /// What it is set to when the server starts and when it ends, in percent; none: switched off.
    pub(crate) safe: Option<f64>,
    /// When it returns to its safe state.
    pub(crate) release: Release,
    /// It is active when its level is low.
    pub(crate) inversed: bool,
    /// Who may set it.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

impl Pwm {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        check_name(name, table);
        table.needs(&[
            ("chip", "the number of the chip: 0 is /sys/class/pwm/pwmchip0"),
            ("channel", "the number of the channel on its chip"),
            ("hertz", "the frequencies that it may have, such as 25000 or [50, 400]"),
        ]);
        let chip = table.number("chip", 0..=NUMBERS_MAX, "");
        let channel = table.number("channel", 0..=NUMBERS_MAX, "");
        let hertz = table.fractions("hertz", HERTZ, "hertz");
        let percent = table.fractions("percent", PERCENT, "percent").unwrap_or(PERCENT);
        let safe = table.fraction("safe-percent", PERCENT, "percent");
        let inversed = table.flag("inversed").unwrap_or(false);
        let about = about(table);
        let release = Release::read(table);
        let who = Who::read(table);
        let number = |number: Option<u64>| u8::try_from(number?).ok();
        let (chip, channel, hertz, place) = (number(chip)?, number(channel)?, hertz?, table.place());
        Some(Self { name: name.to_owned(), about, chip, channel, hertz, percent, safe, release, inversed, who, place })
    }

    /// Says where two entries are the same channel.
    pub(crate) fn check_all(all: &[Self], table: &Table<'_>) {
        for (at, pwm) in all.iter().enumerate() {
            let same = |other: &&Self| (other.chip, other.channel) == (pwm.chip, pwm.channel);
            if let Some(first) = all.iter().take(at).find(same) {
                table.problem_at(
                    pwm.place,
                    &format!("[pwm.{}]: this is the channel that [pwm.{}] has already", pwm.name, first.name),
                );
            }
        }
    }
}
