//! What is wrong with a configuration, and where.

use std::fmt;

/// A place in the file, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The character of the line.
    pub(crate) column: usize,
}

impl Place {
    /// The place of this byte of the text.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count());
        Self { line: before.matches('\n').count() + 1, column: column + 1 }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Where it stands; none where the whole file is meant.
    pub(crate) place: Option<Place>,
    /// What is wrong with it, and what would be right.
    pub(crate) what: String,
}

/// All that is wrong with a file, in the order in which it stands there. Shown, each is a line: `board.toml:3:8: ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems {
    /// What the file is called.
    pub(crate) file: String,
    /// What is wrong with it.
    pub(crate) list: Vec<Problem>,
}

impl Problems {
    /// The file can't be read at all.
    pub(crate) fn unreadable(file: String, why: &str) -> Self {
        Self { file, list: vec![Problem { place: None, what: why.to_owned() }] }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Problem { place, what }) in self.list.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "\n" })?;
            f.write_str(&self.file)?;
            if let Some(Place { line, column }) = place {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {what}")?;
        }
        Ok(())
    }
}
