//! The LEDs under `/sys/class/leds`: how bright they are, what lights them, and setting them.

use std::fmt;

use serde::Serialize;

use super::root::{ENTRIES_MAX, Known, Lack, Root, Why};

const LEDS: &str = "sys/class/leds";
/// A board has two to ten; keyboards with lights of their own bring more.
pub(crate) const LEDS_MAX: usize = 64;
/// Names of triggers that are kept: general-purpose kernels know about 40, and two more for each core.
pub(crate) const TRIGGERS_MAX: usize = 128;
/// The trigger that leaves an LED as it was set.
const NO_TRIGGER: &str = "none";

/// The machine's LEDs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Leds {
    /// All of them, or the first [`LEDS_MAX`].
    pub(crate) leds: Vec<Led>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// One LED.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Led {
    /// Its name, by which it is set.
    pub(crate) name: String,
    /// How bright it is now: 0 is dark.
    pub(crate) brightness: Known<u32>,
    /// How bright it can be: 1 for one that is only on or off.
    pub(crate) max_brightness: Known<u32>,
    /// What lights it, `none` if only its brightness does.
    pub(crate) trigger: Option<String>,
    /// What could light it.
    pub(crate) triggers: Vec<String>,
}

/// How bright an LED shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// As bright as it can be.
    On,
    /// Dark.
    Off,
    /// From 0 to its greatest brightness.
    Value(u32),
}

/// What shall be changed of an LED: one of the two, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    /// Its brightness. Without a trigger it also takes the LED from the trigger it has.
    pub(crate) level: Option<Level>,
    /// What shall light it from now on.
    pub(crate) trigger: Option<&'a str>,
}

/// What an LED was changed to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Changed {
    /// As it is after the change.
    pub(crate) led: Led,
    /// The trigger that was taken away so that the brightness stays.
    pub(crate) trigger_removed: Option<String>,
}

/// Why an LED was not changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// No LED has this name; these are there.
    NoSuchLed(String, Vec<String>),
    /// It has no such trigger; these it has.
    NoSuchTrigger(String, Vec<String>),
    /// Brighter than this one can be.
    TooBright(u32, u32),
    /// Neither a brightness nor a trigger was asked for.
    NothingAsked,
    /// Dark, and lit by a trigger: the kernel would drop the trigger.
    DarkWithTrigger,
    /// The machine would not.
    Lacking(Lack),
}

/// Reads all LEDs.
pub(crate) fn read(root: &Root) -> Result<Leds, Lack> {
    let names = root.folders(LEDS, LEDS_MAX)?;
    if names.list.is_empty() {
        return Err(Lack::new(LEDS, Why::Empty));
    }
    Ok(Leds { leds: names.list.into_iter().map(|name| Led::read(root, name)).collect(), more: names.more })
}

/// What is to be done to an LED.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan<'a> {
    name: &'a str,
    trigger: Option<&'a str>,
    brightness: Option<u32>,
    /// The trigger that has to go so that the brightness stays.
    trigger_removed: Option<String>,
}

/// Whether there is an LED of this name.
pub(crate) fn is_there(root: &Root, name: &str) -> bool {
    root.folders(LEDS, ENTRIES_MAX).is_ok_and(|names| names.list.iter().any(|led| led == name))
}

/// What is to be done so that the LED called `name` is changed so.
pub(crate) fn plan<'a>(root: &Root, name: &'a str, change: Change<'a>) -> Result<Plan<'a>, Refusal> {
    if !is_there(root, name) {
        let leds = read(root).map_err(Refusal::Lacking)?.leds;
        return Err(Refusal::NoSuchLed(name.to_owned(), leds.into_iter().map(|led| led.name).collect()));
    }
    let led = Led::read(root, name.to_owned());
    let brightness = change.level.map(|level| led.brightness_for(level)).transpose()?;
    let trigger_removed = led.trigger.clone().filter(|trigger| trigger != NO_TRIGGER && change.trigger.is_none());
    let trigger = match (change.trigger, brightness) {
        (None, None) => return Err(Refusal::NothingAsked),
        (Some(trigger), Some(0)) if trigger != NO_TRIGGER => return Err(Refusal::DarkWithTrigger),
        (Some(trigger), _) if !led.triggers.iter().any(|known| known == trigger) => {
            return Err(Refusal::NoSuchTrigger(trigger.to_owned(), led.triggers));
        }
        (Some(trigger), _) => Some(trigger),
        // A trigger would overwrite the brightness at its next event.
        (None, Some(_)) => trigger_removed.as_ref().map(|_| NO_TRIGGER),
    };
    Ok(Plan { name, trigger, brightness, trigger_removed })
}

/// Changes the LED called `name`.
pub(crate) fn set(root: &Root, name: &str, change: Change<'_>) -> Result<Changed, Refusal> {
    let Plan { trigger, brightness, trigger_removed, .. } = plan(root, name, change)?;
    let write = |file: &str, value: &str| root.write(&format!("{LEDS}/{name}/{file}"), value).map_err(Refusal::Lacking);
    trigger.map_or(Ok(()), |trigger| write("trigger", trigger))?;
    brightness.map_or(Ok(()), |brightness| write("brightness", &brightness.to_string()))?;
    Ok(Changed { led: Led::read(root, name.to_owned()), trigger_removed })
}

impl Led {
    fn read(root: &Root, name: String) -> Self {
        let path = |file: &str| format!("{LEDS}/{name}/{file}");
        let listed = root.text(&path("trigger")).unwrap_or_default();
        let chosen = |word: &str| word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).map(str::to_owned);
        let plain = |word: &&str| !word.contains(char::is_control);
        let words = || listed.split_whitespace().filter(plain).take(TRIGGERS_MAX);
        Self {
            brightness: Known(root.number(&path("brightness"))),
            max_brightness: Known(root.number(&path("max_brightness"))),
            trigger: words().find_map(chosen),
            triggers: words().map(|word| word.trim_matches(['[', ']']).to_owned()).collect(),
            name,
        }
    }

    fn brightness_for(&self, level: Level) -> Result<u32, Refusal> {
        let max = self.max_brightness.0.clone().map_err(Refusal::Lacking);
        match level {
            Level::Off => Ok(0),
            Level::On => max,
            Level::Value(value) => {
                max.and_then(|max| if value <= max { Ok(value) } else { Err(Refusal::TooBright(value, max)) })
            }
        }
    }
}

impl fmt::Display for Leds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.leds.iter().try_for_each(|led| writeln!(f, "{led}"))?;
        if self.more {
            writeln!(f, "There are more; only the first {LEDS_MAX} are shown.")?;
        }
        // The list is long, and nearly always the same for all.
        let mut with_triggers = self.leds.iter().filter(|led| !led.triggers.is_empty());
        let Some(first) = with_triggers.next() else { return Ok(()) };
        if self.leds.iter().all(|led| led.triggers == first.triggers) {
            return writeln!(f, "Triggers to choose from: {}", first.triggers.join(", "));
        }
        let line = |f: &mut fmt::Formatter<'_>, led: &Led| {
            writeln!(f, "Triggers for {}: {}", led.name, led.triggers.join(", "))
        };
        line(f, first)?;
        with_triggers.try_for_each(|led| line(f, led))
    }
}

impl fmt::Display for Led {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match (self.brightness.value(), self.max_brightness.value()) {
            (Some(0), Some(max)) => write!(f, "off (brightness 0 of {max})")?,
            (Some(now), Some(max)) => write!(f, "on (brightness {now} of {max})")?,
            _ => write!(f, "brightness {}, greatest brightness {}", self.brightness, self.max_brightness)?,
        }
        match self.trigger.as_deref() {
            Some(NO_TRIGGER) => write!(f, ", no trigger"),
            Some(trigger) => write!(f, ", lit by trigger {trigger}"),
            None => write!(f, ", trigger not told"),
        }
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to ", self.name)?;
        match (self.brightness, self.trigger) {
            (Some(brightness), Some(trigger)) => write!(f, "brightness {brightness} and trigger {trigger}"),
            (Some(brightness), None) => write!(f, "brightness {brightness}"),
            (None, trigger) => write!(f, "trigger {}", trigger.unwrap_or(NO_TRIGGER)),
        }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.led)?;
        let removed = self.trigger_removed.as_ref();
        removed.map_or(Ok(()), |trigger| {
            write!(f, ". It was lit by trigger {trigger}, which has been removed so that this stays")
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchLed(name, known) => write!(f, "no LED is called {name:?}; there are: {}", known.join(", ")),
            Self::NoSuchTrigger(trigger, known) if known.is_empty() => {
                write!(f, "this LED has no trigger {trigger:?}, nor any other")
            }
            Self::NoSuchTrigger(trigger, known) => {
                write!(f, "this LED has no trigger {trigger:?}; it has: {}", known.join(", "))
            }
            Self::TooBright(asked, max) => write!(f, "brightness {asked} is out of range: this LED takes 0 to {max}"),
            Self::NothingAsked => f.write_str("nothing to change: give a brightness, on or off, or a trigger"),
            Self::DarkWithTrigger => f.write_str("an LED that is off has no trigger: give one of the two"),
            Self::Lacking(lack) => {
                write!(f, "{lack}")?;
                match lack.why {
                    Why::Denied => f.write_str(ON_DENIED),
                    Why::ReadOnly => f.write_str(ON_READ_ONLY),
                    _ => Ok(()),
                }
            }
        }
    }
}

const ON_DENIED: &str = ". Run the server as root, or let its group write there by a udev rule such as \
    SUBSYSTEM==\"leds\", ACTION==\"add\", RUN+=\"/bin/sh -c 'chgrp -R gpio /sys%p; chmod -R g=u /sys%p'\"";
const ON_READ_ONLY: &str =
    ". Under systemd that is ProtectKernelTunables= or ReadOnlyPaths=; in a container, /sys must be mounted writable";
