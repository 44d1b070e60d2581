//! What the figures must be, and whether they are.

use std::process::ExitCode;

/// The promises that were looked at.
#[derive(Default)]
pub(crate) struct Promises {
    lines: Vec<String>,
    broken: usize,
}

impl Promises {
    /// The figure of `what`, which may be `most` of the unit at most.
    pub(crate) fn at_most(&mut self, what: &str, figure: i64, most: i64, unit: &str) {
        let (kept, unit) = (figure <= most, if unit.is_empty() { "" } else { &format!(" {unit}") });
        self.broken += usize::from(!kept);
        let line = if kept {
            format!("ok memory: {what}: {figure}{unit}, at most {most}")
        } else {
            format!("FAIL memory: {what}: expected at most {most}{unit}, got {figure}")
        };
        self.lines.push(line);
    }

    /// Prints them, and says whether all were kept.
    pub(crate) fn tell(self) -> ExitCode {
        println!();
        self.lines.iter().for_each(|line| println!("{line}"));
        let verdict = if self.broken == 0 { "PASS" } else { "FAIL" };
        println!("# {verdict}\n{} passed, {} failed", self.lines.len() - self.broken, self.broken);
        if self.broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
