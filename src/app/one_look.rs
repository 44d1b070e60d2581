//! Arguments that are checked and read at one look, as nearly all can be: plain texts and numbers in the members that the type has. What this does
//! not decide, and all that does not fit, is held against the schema and read by serde, which say what is wrong with it. What it gives, those would
//! give too; tests hold it to that.

use super::{Arg, Field, Schema};
use crate::json::{Kind, Value};

/// Bytes of the largest type that is read so: its parts lie on the stack beside it for a moment, and a debug build keeps a copy for each step.
const TYPE_BYTES_MAX: usize = 512;

/// Digits of an integer that is read so: all of 64 bits hold them.
const DIGITS_MAX: usize = 18;

/// The value of an argument, which was scanned.
#[derive(Clone, Copy, Debug)]
pub struct Look<'b>(Value<'b>);

/// Reads the arguments of a call, if one look is enough.
pub(crate) fn at_one_look<'look, T: Arg<'look>>(arguments: Value<'look>) -> Option<T> {
    if size_of::<T>() > TYPE_BYTES_MAX { None } else { T::at_one_look(&const { T::SCHEMA }, Look(arguments)) }
}

impl<'b> Look<'b> {
    /// The members of an object in the order of its schema's fields; the missing are none. None where one is unknown, or comes twice.
    pub fn members<const FIELDS: usize>(self, schema: &'static Schema) -> Option<Members<'b, FIELDS>> {
        let Schema::Object(fields) = *schema else { return None };
        let mut found = [None; FIELDS];
        self.find(fields, &mut found)?;
        Some(Members { fields, found, at: 0 })
    }

    fn find(self, fields: &'static [Field], found: &mut [Option<Self>]) -> Option<()> {
        // A name of a field is plain, and so is what equals it.
        let known = |text: &[u8]| {
            let is_named =
                |name: &str| text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'"'));
            let (at, field) = fields.iter().enumerate().find(|(_, field)| is_named(field.name))?;
            Some((at, field.name.len() + 1))
        };
        self.0.each_known(known, |at, value| match found.get_mut(at)?.replace(Self(value)) {
            None => Some(()),
            Some(_) => None,
        })
    }

    /// A text without escapes that has no more bytes than it may have characters.
    pub fn text(self, schema: &Schema) -> Option<&'b str> {
        let Schema::String { chars_min, chars_max, bytes_max } = *schema else { return None };
        let text = self.0.as_text()?;
        if text.raw().len() > chars_max.min(bytes_max) || chars_min > 0 && text.count_chars() < chars_min {
            return None;
        }
        text.plain()
    }

    /// An integer in its plain form, but for those near the end of 64 bits.
    pub fn integer(self, schema: &Schema) -> Option<i64> {
        let Schema::Integer { min, max } = *schema else { return None };
        let (negative, digits) = match self.0.raw() {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if digits.is_empty() || digits.len() > DIGITS_MAX {
            return None;
        }
        let mut size = 0;
        for digit in digits {
            size = size * 10 + i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        // `-0` is a matter of the type.
        let number = if negative { (size > 0).then_some(-size)? } else { size };
        (min <= i128::from(number) && i128::from(number) <= max).then_some(number)
    }

    /// The text of a number within its bounds.
    pub fn number(self, schema: &Schema) -> Option<&'b str> {
        let Schema::Number(numbers) = schema else { return None };
        let raw = self.0.raw();
        if numbers.hold(self.0) { str::from_utf8(raw).ok() } else { None }
    }

    /// The value of a boolean.
    pub fn bool(self) -> Option<bool> {
        self.0.as_bool()
    }

    /// Whether it is the text of a variant, whose name needs no escapes.
    pub fn is(self, name: &str) -> bool {
        self.0.as_text().is_some_and(|text| text.raw() == name.as_bytes())
    }

    /// The items of an array that may have so many, and their schema.
    pub fn items(self, schema: &Schema) -> Option<(&'static Schema, impl Iterator<Item = Look<'b>> + use<'b>)> {
        let Schema::Array { items, items_min, items_max } = *schema else { return None };
        if self.0.kind() != Kind::Array {
            return None;
        }
        let count = self.0.elements().count();
        (items_min <= count && count <= items_max).then(|| (items, self.0.elements().map(Look)))
    }
}

/// The members that an object has of the fields of its schema.
#[derive(Debug)]
pub struct Members<'b, const FIELDS: usize> {
    fields: &'static [Field],
    found: [Option<Look<'b>>; FIELDS],
    at: usize,
}

impl<'look, const FIELDS: usize> Members<'look, FIELDS> {
    /// The value of the next field; it is called once for each, in their order. None where it is undecided, or missing though it must be there.
    pub fn next_value<T: Arg<'look>>(&mut self) -> Option<T> {
        let (field, found) = (self.fields.get(self.at)?, self.found.get(self.at)?);
        self.at += 1;
        match found {
            Some(look) if T::REQUIRED || look.0.kind() != Kind::Null => T::at_one_look(&field.schema, *look),
            _ => T::absent(),
        }
    }
}
