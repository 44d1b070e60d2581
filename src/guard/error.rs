//! What is wrong with a setting.

use core::fmt;
use std::borrow::Cow;

/// A setting that the guard can't be built from. Its text names the setting and the value, and says
/// what would be right. The value of a token is never a part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GuardError {
    setting: &'static str,
    value: ErrorValue,
    why: Cow<'static, str>,
    instead: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum ErrorValue {
    Text(String),
    /// The number of a secret, counting from 1.
    Secret(usize),
    /// A line of a file, counting from 1.
    Line(usize),
    /// It is about all of them.
    All,
}

impl GuardError {
    /// The value of the setting is wrong for that reason, which ends the sentence.
    pub(super) fn new(setting: &'static str, value: &str, why: &'static str) -> Self {
        Self { setting, value: ErrorValue::Text(value.to_owned()), why: why.into(), instead: None }
    }

    /// The secret of that number (counting from 1) is wrong for that reason.
    pub(super) fn of_secret(setting: &'static str, number: usize, why: String) -> Self {
        Self { setting, value: ErrorValue::Secret(number), why: why.into(), instead: None }
    }

    /// That line of a file (counting from 1) is wrong for that reason.
    pub(super) fn of_line(line: usize, why: impl Into<Cow<'static, str>>) -> Self {
        Self { setting: "line", value: ErrorValue::Line(line), why: why.into(), instead: None }
    }

    /// There are too many of something.
    pub(super) fn of_number(setting: &'static str, why: String) -> Self {
        Self { setting, value: ErrorValue::All, why: why.into(), instead: None }
    }

    /// What was probably meant, if that is known.
    pub(super) fn instead(self, instead: Option<&str>) -> Self {
        Self { instead: instead.map(str::to_owned), ..self }
    }
}

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            ErrorValue::Text(value) => write!(f, "{} {value:?}: {}", self.setting, self.why)?,
            ErrorValue::Secret(number) => {
                write!(f, "{} number {number}: {}", self.setting, self.why)?;
            }
            ErrorValue::Line(line) => write!(f, "line {line}: {}", self.why)?,
            ErrorValue::All => write!(f, "{}: {}", self.setting, self.why)?,
        }
        match &self.instead {
            Some(instead) => write!(f, ": write {instead:?}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for GuardError {}
