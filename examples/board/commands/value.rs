//! What an argument of a command may be, and whether a value is that.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The longest path, in bytes (`PATH_MAX` of the kernel, with its NUL).
const PATH_BYTES_MAX: usize = 4095;
/// The most of a wrong value that is shown again, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// What values an argument takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A whole number in this range.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// One of these texts.
    Choice(Vec<String>),
    /// A text of these characters, which does not begin with a dash: it would be read as an option.
    Text {
        /// Which characters.
        characters: Characters,
        /// How many bytes at most.
        bytes_max: usize,
    },
    /// The path of something below this folder, or of something new in a folder that is there. The command gets the whole path, in which no link
    /// is left. (Who can write into the folder can put a link there in the meantime.)
    Path {
        /// The folder.
        folder: PathBuf,
    },
}

/// A set of characters: none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Characters {
    written: String,
    ranges: Vec<(char, char)>,
}

/// Why a value does not do: what was expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Misfit {
    expected: String,
    found: String,
}

impl Kind {
    /// The value as it stands in the command line.
    ///
    /// # Errors
    /// It is none of this kind.
    pub(crate) fn text_of(&self, value: &Value) -> Result<String, Misfit> {
        let misfit = || Misfit::new(&self.expected(), value);
        let text = value.as_str().filter(|text| !text.contains(char::is_control));
        match self {
            Self::Integer { min, max } => {
                let number = whole(value).filter(|number| (min..=max).contains(&number));
                number.map(|number| number.to_string()).ok_or_else(misfit)
            }
            Self::Choice(choices) => {
                text.filter(|text| choices.iter().any(|choice| choice == text)).map(str::to_owned).ok_or_else(misfit)
            }
            Self::Text { characters, bytes_max } => {
                let fits = |text: &&str| {
                    (1..=*bytes_max).contains(&text.len())
                        && !text.starts_with('-')
                        && text.chars().all(|it| characters.has(it))
                };
                text.filter(fits).map(str::to_owned).ok_or_else(misfit)
            }
            Self::Path { folder } => text.and_then(|text| below(folder, text)).ok_or_else(misfit),
        }
    }

    /// The JSON Schema of its values.
    pub(crate) fn schema(&self, description: &str) -> Value {
        let mut schema = match self {
            Self::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Choice(choices) => json!({ "type": "string", "enum": choices }),
            Self::Text { characters, bytes_max } => {
                // It counts characters.
                let max = (bytes_max / characters.bytes_max()).max(1);
                json!({ "type": "string", "minLength": 1, "maxLength": max, "pattern": characters.pattern() })
            }
            Self::Path { .. } => json!({ "type": "string", "minLength": 1, "maxLength": PATH_BYTES_MAX }),
        };
        let told = match self {
            Self::Path { .. } => self.expected(),
            _ => String::new(),
        };
        let described: Vec<&str> = [description, &told].into_iter().filter(|text| !text.is_empty()).collect();
        if !described.is_empty() {
            schema["description"] = described.join(". ").into();
        }
        schema
    }

    fn expected(&self) -> String {
        match self {
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Choice(choices) => format!("one of {choices:?}"),
            Self::Text { characters, bytes_max } => {
                format!("a text of 1 to {bytes_max} of the characters {characters}, not beginning with a dash")
            }
            Self::Path { folder } => {
                format!(
                    "a path below {}, relative to it, without `..` and without a link that leads out of it",
                    folder.display()
                )
            }
        }
    }
}

impl Characters {
    /// Reads characters and ranges of them, such as `a-zA-Z0-9_.-`: a dash at either end stands for itself. None where it is empty, a range is, or
    /// something in it is no letter, no digit, no visible ASCII character and no blank.
    pub(crate) fn parse(written: &str) -> Option<Self> {
        let letters: Vec<char> = written.chars().collect();
        let mut ranges = Vec::new();
        let mut rest = letters.as_slice();
        while let [first, behind @ ..] = rest {
            let (last, others) = match behind {
                ['-', last, others @ ..] => (last, others),
                others => (first, others),
            };
            ranges.push((*first, *last));
            rest = others;
        }
        let is_fit = |letter: char| letter.is_alphanumeric() || matches!(letter, ' '..='~');
        let is_range = |&(first, last): &(char, char)| first <= last && is_fit(first) && is_fit(last);
        // A range of other letters may hold what is none.
        let is_plain = |&(first, last): &(char, char)| first == last || last.is_ascii() || (first..=last).all(is_fit);
        let is_good = !ranges.is_empty() && ranges.iter().all(|range| is_range(range) && is_plain(range));
        is_good.then(|| Self { written: written.to_owned(), ranges })
    }

    /// Whether this is one of them.
    pub(crate) fn has(&self, letter: char) -> bool {
        self.ranges.iter().any(|(first, last)| (first..=last).contains(&&letter))
    }

    /// How many bytes one of them has at most.
    fn bytes_max(&self) -> usize {
        self.ranges.iter().map(|(_, last)| last.len_utf8()).max().unwrap_or(1)
    }

    /// As the `pattern` of a JSON Schema.
    fn pattern(&self) -> String {
        let escaped = |letter: char| {
            if letter.is_alphanumeric() { letter.to_string() } else { format!("\\u{:04x}", u32::from(letter)) }
        };
        let ranges = self.ranges.iter().map(|(first, last)| format!("{}-{}", escaped(*first), escaped(*last)));
        format!("^(?!-)[{}]+$", ranges.collect::<String>())
    }
}

impl fmt::Display for Characters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.written)
    }
}

impl Misfit {
    /// This was expected, and that was found.
    pub(crate) fn new(expected: &str, found: &Value) -> Self {
        let mut shown: String = found.to_string();
        if let Some((cut, _)) = shown.char_indices().nth(SHOWN_CHARS_MAX) {
            shown.truncate(cut);
            shown.push('…');
        }
        Self { expected: expected.to_owned(), found: shown }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}; found {}", self.expected, self.found)
    }
}

/// The whole number that a value is. To JSON Schema 5.0 is one (6.1.1).
fn whole(value: &Value) -> Option<i64> {
    // As far as a float has each whole number.
    const EXACT: f64 = 9_007_199_254_740_991.0;
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and not too great")]
    let of_float = |float: f64| (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(of_float))
}

/// The whole path of something below a folder, without links in it.
fn below(folder: &Path, text: &str) -> Option<String> {
    // Also a slash at the end: the system would follow a link in front of it before it is looked at.
    let is_plain = text.len() <= PATH_BYTES_MAX && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_plain {
        return None;
    }
    let folder = fs::canonicalize(folder).ok()?;
    let wanted = folder.join(text);
    let found = match fs::symlink_metadata(&wanted) {
        Ok(_) => fs::canonicalize(&wanted).ok()?,
        // Something new. A link that leads nowhere now is none, and what may not be looked at neither.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::canonicalize(wanted.parent()?).ok()?.join(wanted.file_name()?)
        }
        Err(_) => return None,
    };
    let found = found.starts_with(&folder).then_some(found)?;
    found.to_str().filter(|path| path.len() <= PATH_BYTES_MAX).map(str::to_owned)
}
