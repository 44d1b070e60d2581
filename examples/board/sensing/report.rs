//! What is told of sensors: a line each for the tool, JSON for the resource.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use super::history::Summary;
use super::probe::Probe;
use crate::sources::meters::Meter;

/// A sensor as its resource tells of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'p> {
    name: &'p str,
    id: &'p str,
    label: &'p str,
    quantity: &'p str,
    unit: &'p str,
    /// None where there is a problem.
    value: Option<f64>,
    problem: Option<String>,
    /// How long ago it was looked at.
    seconds_ago: Option<f64>,
    /// By how much it must change before its subscribers hear of it; none: by a twentieth.
    threshold: Option<f64>,
    least_interval_seconds: f64,
    history: Kept,
}

#[derive(Debug, Serialize)]
struct Kept {
    capacity: usize,
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    /// Seconds ago and value, the oldest first.
    samples: Vec<(f64, f64)>,
}

impl<'p> Report<'p> {
    /// What there is to tell of a sensor now.
    pub(crate) fn of(probe: &'p Probe, now: Instant) -> Self {
        let ago = |at: Instant| (now.saturating_duration_since(at).as_secs_f64() * 1e3).round() / 1e3;
        let meter = probe.meter.as_ref();
        let last = probe.last();
        let summary = probe.history.summary();
        let decimals = meter.map_or(2, Meter::decimals);
        let digits = |value: f64| round(value, decimals + 2);
        Self {
            name: &probe.name,
            id: &probe.id,
            label: meter.map_or("", |meter| &meter.label),
            quantity: meter.map_or("", |meter| meter.quantity),
            unit: meter.map_or("", |meter| meter.unit),
            value: last.and_then(|last| last.value.as_ref().ok().copied()),
            problem: last.and_then(|last| last.value.as_ref().err().map(ToString::to_string)),
            seconds_ago: last.map(|last| ago(last.at)),
            threshold: probe.threshold(),
            least_interval_seconds: probe.settings.interval.as_secs_f64(),
            history: Kept {
                capacity: probe.history.capacity(),
                min: summary.map(|summary| summary.min),
                max: summary.map(|summary| summary.max),
                mean: summary.map(|summary| digits(summary.mean)),
                samples: probe.history.samples().map(|sample| (ago(sample.at), sample.value)).collect(),
            },
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        // Numbers, texts and lists: there is nothing in it that JSON has not.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A sensor as the tools tell of it, in a line.
pub(crate) struct Line<'p>(pub(crate) &'p Probe);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(probe) = self;
        write!(f, "{}: ", probe.name)?;
        let meter = probe.meter.as_ref();
        let (unit, decimals) = meter.map_or(("", 2), |meter| (meter.unit, meter.decimals()));
        let blank = if unit.is_empty() { "" } else { " " };
        match probe.last().map(|last| &last.value) {
            Some(Ok(value)) => write!(f, "{value:.decimals$}{blank}{unit}")?,
            Some(Err(problem)) => write!(f, "{problem}")?,
            None => f.write_str("not looked at yet")?,
        }
        meter.map_or(Ok(()), |meter| write!(f, " ({}, {})", meter.quantity, meter.label))
    }
}

/// The last values of a sensor, in a line.
pub(crate) struct Past<'p> {
    probe: &'p Probe,
    summary: Summary,
    seconds: u64,
}

impl<'p> Past<'p> {
    /// Nothing of a sensor without values.
    pub(crate) fn of(probe: &'p Probe, now: Instant) -> Option<Self> {
        let (summary, first) = (probe.history.summary()?, probe.history.samples().next()?);
        Some(Self { probe, summary, seconds: now.saturating_duration_since(first.at).as_secs() })
    }
}

impl fmt::Display for Past<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { min, max, mean } = self.summary;
        let meter = self.probe.meter.as_ref();
        let (unit, decimals) = meter.map_or(("", 2), |meter| (meter.unit, meter.decimals()));
        write!(f, "The last {} values, in {} s: ", self.probe.history.samples().count(), self.seconds)?;
        write!(f, "least {min:.decimals$}, greatest {max:.decimals$}, mean {mean:.decimals$}")?;
        if unit.is_empty() { Ok(()) } else { write!(f, " {unit}") }
    }
}

fn round(value: f64, decimals: usize) -> f64 {
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    let rounded = (value * scale).round() / scale;
    if rounded.is_finite() { rounded } else { value }
}
