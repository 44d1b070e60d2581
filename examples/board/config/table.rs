//! Reading tables of the file: each question to one marks its key as known, says what is wrong with its value, and goes on.
//!
//! A question answers `None` where the key is absent or its value is wrong. As a file in which anything is wrong is refused, a section may take
//! both for "absent".

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem, Problems};

/// Entries of one kind: as many as anything on a board has, and a list of them is still read by people.
pub(crate) const ENTRIES_MAX: usize = 256;

/// A file that is being read, with what was found to be wrong so far.
pub(crate) struct Document<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// Begins to read.
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::default() }
    }

    /// Reads its top table; what nobody asked for is unknown.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut Table<'_>) -> T) -> T {
        let (mut top, errors) = DeTable::parse_recoverable(self.text);
        if !errors.is_empty() {
            // What could be made of such a text says little of what it means.
            top.get_mut().clear();
        }
        for error in &errors {
            let what = error.message().lines().collect::<Vec<_>>().join("; ");
            self.problem(error.span().map_or(0, |span| span.start), format!("this is no TOML: {what}"));
        }
        let mut table = Table {
            document: self,
            path: String::new(),
            at: 0,
            keys: top.get_ref(),
            known: Vec::new(),
            any_key: false,
        };
        let read = read(&mut table);
        table.finish();
        read
    }

    /// What was read, if nothing is wrong.
    ///
    /// # Errors
    /// All that is.
    pub(crate) fn done<T>(self, file: String, read: T) -> Result<T, Problems> {
        let mut list = self.problems.into_inner();
        list.sort();
        list.dedup();
        if list.is_empty() { Ok(read) } else { Err(Problems { file, list }) }
    }

    fn problem(&self, byte: usize, what: String) {
        self.problems.borrow_mut().push(Problem { place: Some(Place::of(self.text, byte)), what });
    }
}

/// A table, and what was asked of it.
pub(crate) struct Table<'d> {
    document: &'d Document<'d>,
    /// As its header has it: `gpio.relay`; empty for the top.
    path: String,
    /// Where its header is.
    at: usize,
    keys: &'d DeTable<'d>,
    known: Vec<&'static str>,
    /// Its keys are names of the user's choice, or it can't be told which are right.
    any_key: bool,
}

impl<'d> Table<'d> {
    /// Whether the key is there, be it wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Says which keys must be there, each with what it is: `("line", "the line's number on its chip, or its name")`.
    pub(crate) fn needs(&mut self, keys: &[(&str, &str)]) {
        for (key, what) in keys.iter().filter(|(key, _)| !self.has(key)) {
            self.problem_here(&format!("`{key}` is missing: {what}"));
        }
    }

    /// A text, as `check` takes it: it gives the value, or what would be right.
    pub(crate) fn text<T>(&mut self, key: &'static str, check: impl FnOnce(String) -> Result<T, String>) -> Option<T> {
        let (value, at) = self.ask(key)?;
        let DeValue::String(text) = value else { return self.wrong_kind(at, "a text in quotes", value) };
        match check(text.clone().into_owned()) {
            Ok(value) => Some(value),
            Err(expected) => self.wrong(at, &format!("{expected}; found {text:?}")),
        }
    }

    /// One of these words.
    pub(crate) fn one_of<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.text(key, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                format!("expected {}", either(&words))
            })
        })
    }

    /// Texts, none of them empty.
    pub(crate) fn texts(&mut self, key: &'static str, max: usize) -> Option<Vec<String>> {
        let items = self.list(key, max)?;
        let texts = items.iter().map(|item| match item.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
            other => self.wrong_kind(item.span(), "a text in quotes that is not empty", other),
        });
        all(texts)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let (value, at) = self.ask(key)?;
        value.as_bool().or_else(|| self.wrong_kind(at, "true or false", value))
    }

    /// A whole number in this range; `unit` is named where it is wrong, such as "milliseconds", or is empty.
    pub(crate) fn number(&mut self, key: &'static str, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let (value, at) = self.ask(key)?;
        self.number_of(value, at, &range, unit)
    }

    /// A number with or without a fraction, in this range.
    pub(crate) fn fraction(&mut self, key: &'static str, range: RangeInclusive<f64>, unit: &str) -> Option<f64> {
        let (value, at) = self.ask(key)?;
        self.fraction_of(value, at, &range, unit)
    }

    /// Two such numbers, the less first: `[50, 400]`; or one, which is both.
    pub(crate) fn fractions(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Option<RangeInclusive<f64>> {
        let (value, at) = self.ask(key)?;
        let Some(items) = value.as_array() else {
            return self.fraction_of(value, at, &range, unit).map(|only| only..=only);
        };
        let mut numbers = items.iter().map(|item| self.fraction_of(item.get_ref(), item.span(), &range, unit));
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(first), Some(last), None) => {
                let range = first?..=last?;
                if range.is_empty() { self.wrong(at, "expected the less of the two first") } else { Some(range) }
            }
            _ => self.wrong(at, "expected one number, or two in [brackets]: the least and the most"),
        }
    }

    /// A whole number in this range, or else a text that is not empty.
    pub(crate) fn number_or_text(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Result<u64, String>> {
        let (value, at) = self.ask(key)?;
        match value {
            DeValue::String(text) if !text.is_empty() => Some(Err(text.clone().into_owned())),
            value => self.number_of(value, at, &range, "").map(Ok),
        }
    }

    /// Numbers and ranges of them: `[0x20, "0x40-0x4f"]`.
    pub(crate) fn ranges(
        &mut self,
        key: &'static str,
        within: RangeInclusive<u64>,
        max: usize,
    ) -> Option<Vec<RangeInclusive<u64>>> {
        let items = self.list(key, max)?;
        let ranges = items.iter().map(|item| match item.get_ref() {
            DeValue::String(text) => {
                let range = text.split_once('-').and_then(|(first, last)| Some(parse(first)?..=parse(last)?));
                let fits = |range: &RangeInclusive<u64>| !range.is_empty() && within.contains(range.start()) && within.contains(range.end());
                let (first, last) = (within.start(), within.end());
                range.filter(fits).or_else(|| {
                    self.wrong(item.span(), &format!("expected a range such as \"{first:#04x}-{last:#04x}\", within these numbers; found {text:?}"))
                })
            }
            value => self.number_of(value, item.span(), &within, "").map(|number| number..=number),
        });
        all(ranges)
    }

    /// The table of this key, read by `read`; what that does not ask for is unknown.
    pub(crate) fn within<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'d>) -> T) -> Option<T> {
        let (value, at) = self.ask(key)?;
        let mut inner = self.inner(key, value, at.start)?;
        let read = read(&mut inner);
        inner.finish();
        Some(read)
    }

    /// The tables of a kind, as `[led.ACT]` and `[led.PWR]` are of `led`: each by its name, in the order in which they stand in the file. One that
    /// `read` gives nothing for is left out, as something is wrong with it.
    pub(crate) fn entries<T>(&mut self, key: &'static str, read: impl Fn(&str, &mut Table<'d>) -> Option<T>) -> Vec<T> {
        let read_all = |kind: &mut Table<'d>| {
            let mut named: Vec<_> = kind.keys.iter().collect();
            named.sort_by_key(|(name, _)| name.span().start);
            if named.len() > ENTRIES_MAX {
                kind.problem_here(&format!("these are {} entries; at most {ENTRIES_MAX} are taken", named.len()));
            }
            let one = |(name, value): (&'d Spanned<_>, &'d Spanned<DeValue<'d>>)| {
                let name: &str = std::borrow::Cow::as_ref(Spanned::get_ref(name));
                let mut entry = kind.inner(name, value.get_ref(), value.span().start)?;
                let read = read(name, &mut entry);
                entry.finish();
                read
            };
            let read = named.into_iter().filter_map(one).collect();
            kind.any_key = true;
            read
        };
        self.within(key, read_all).unwrap_or_default()
    }

    /// Where the table begins.
    pub(crate) fn place(&self) -> Place {
        Place::of(self.document.text, self.at)
    }

    /// Says what is wrong with the value of a key.
    pub(crate) fn problem(&self, key: &str, what: &str) {
        let at = self.get(key).map_or(self.at, |value| value.span().start);
        self.document.problem(at, format!("{}: {what}", self.name_of(key)));
    }

    /// Says what is wrong at a place that was read before.
    pub(crate) fn problem_at(&self, place: Place, what: &str) {
        self.document.problems.borrow_mut().push(Problem { place: Some(place), what: what.to_owned() });
    }

    /// Any key may be there: which are right can't be told, for something else that is wrong.
    pub(crate) fn allow_all(&mut self) {
        self.any_key = true;
    }

    /// Says what is wrong with the table as a whole.
    pub(crate) fn problem_here(&self, what: &str) {
        let name = if self.path.is_empty() { String::new() } else { format!("[{}]: ", self.path) };
        self.document.problem(self.at, format!("{name}{what}"));
    }
}

/// The machinery of the questions.
impl<'d> Table<'d> {
    fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.keys.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn ask(&mut self, key: &'static str) -> Option<(&'d DeValue<'d>, Range<usize>)> {
        self.known.push(key);
        self.get(key).map(|value| (value.get_ref(), value.span()))
    }

    fn list(&mut self, key: &'static str, max: usize) -> Option<&'d [Spanned<DeValue<'d>>]> {
        let (value, at) = self.ask(key)?;
        match value.as_array() {
            Some(items) if items.len() > max => {
                self.wrong(at, &format!("expected at most {max} of these; found {}", items.len()))
            }
            Some(items) => Some(items),
            None => self.wrong_kind(at, "a list in [brackets]", value),
        }
    }

    fn number_of(&self, value: &DeValue<'_>, at: Range<usize>, range: &RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let number = value.as_integer().and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok());
        number.filter(|number| range.contains(number)).or_else(|| {
            let (first, last) = (range.start(), range.end());
            let range = match value {
                DeValue::Integer(integer) if integer.radix() == 16 => format!("{first:#04x} to {last:#04x}"),
                _ => format!("{first} to {last}"),
            };
            self.wrong_kind(
                at,
                &format!("a whole number from {range}{}{unit}", if unit.is_empty() { "" } else { " " }),
                value,
            )
        })
    }

    fn fraction_of(
        &self,
        value: &DeValue<'_>,
        at: Range<usize>,
        range: &RangeInclusive<f64>,
        unit: &str,
    ) -> Option<f64> {
        let number = match value {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            _ => None,
        };
        let (first, last) = (range.start(), range.end());
        let expected = || format!("a number from {first} to {last}{}{unit}", if unit.is_empty() { "" } else { " " });
        number.filter(|number: &f64| range.contains(number)).or_else(|| self.wrong_kind(at, &expected(), value))
    }

    fn inner(&self, name: &str, value: &'d DeValue<'d>, at: usize) -> Option<Table<'d>> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let Some(keys) = value.as_table() else {
            return self.wrong_kind(at..at, &format!("a table, as [{path}] begins one"), value);
        };
        Some(Table { document: self.document, path, at, keys, known: Vec::new(), any_key: false })
    }

    fn wrong_kind<T>(&self, at: Range<usize>, expected: &str, found: &DeValue<'_>) -> Option<T> {
        let found = match found {
            DeValue::Integer(integer) => integer.to_string(),
            DeValue::Float(float) => float.as_str().to_owned(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::Datetime(time) => time.to_string(),
        };
        self.wrong(at, &format!("expected {expected}; found {found}"))
    }

    fn wrong<T>(&self, at: Range<usize>, what: &str) -> Option<T> {
        let key = self.keys.iter().find(|(_, value)| value.span().contains(&at.start) || value.span() == at);
        let what = key.map_or(what.to_owned(), |(key, _)| format!("{}: {what}", self.name_of(key.get_ref())));
        self.document.problem(at.start, what);
        None
    }

    fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { format!("`{key}`") } else { format!("`{key}` of [{}]", self.path) }
    }

    fn finish(self) {
        if self.any_key {
            return;
        }
        for (key, _) in self.keys.iter().filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref())) {
            let known: Vec<String> = self.known.iter().map(|key| format!("`{key}`")).collect();
            let place = if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path) };
            self.document.problem(
                key.span().start,
                format!("unknown key `{}`: {place} takes {}", key.get_ref(), known.join(", ")),
            );
        }
    }
}

/// All of them or none, when each has been looked at, so that each that is wrong has been told.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<Option<T>> = items.collect();
    items.into_iter().collect()
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    // The library takes a sign as well.
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u64::from_str_radix(digits, radix).ok().filter(|_| is_plain)
}

/// `a, b or c`
fn either(words: &[String]) -> String {
    match words {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => words.concat(),
    }
}
