//! The guard of serde-json-core's serializer: structure and strings are written here, numbers there.
//!
//! Its compound serializers hand values on to itself, and its error cannot be made outside of it (`Error::custom` panics), so an adapter around
//! them could not bring an error back. It also fills a buffer once and cannot go on, where an answer is to be of any length. Here arrays and
//! objects are put together from their punctuation instead.

use core::fmt::{self, Write as _};

use serde::ser::{self, Impossible, Serialize};

use super::typed_sink::{Item, Sink};
use super::{TypedError, validate};

/// A serializer that gives serde-json-core only what it can write.
pub(super) struct Guard<'g, 'w, 'b> {
    sink: &'g mut Sink<'w, 'b>,
    /// Whether a name of a member is due.
    key: bool,
}

impl<'g, 'w, 'b> Guard<'g, 'w, 'b> {
    /// Writes one value.
    pub(super) fn new(sink: &'g mut Sink<'w, 'b>) -> Self {
        Self { sink, key: false }
    }

    /// Writes the name of a member of a map.
    fn key(sink: &'g mut Sink<'w, 'b>) -> Self {
        Self { sink, key: true }
    }

    /// The sink, for what cannot be a name.
    fn value(self) -> Result<&'g mut Sink<'w, 'b>, TypedError> {
        if self.key { Err(TypedError::Unsupported) } else { Ok(self.sink) }
    }

    fn compound(self, open: &str, close: &'static str) -> Result<Compound<'g, 'w, 'b>, TypedError> {
        let sink = self.value()?;
        sink.open(open);
        Ok(Compound { sink, items: 0, skipped: false, close })
    }
}

impl ser::Error for TypedError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Mismatch
    }
}

/// The methods that only hand on.
macro_rules! scalars {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<(), TypedError> {
            self.value()?.number(value)
        }
    )*};
}

impl<'g, 'w, 'b> ser::Serializer for Guard<'g, 'w, 'b> {
    type Ok = ();
    type Error = TypedError;
    type SerializeSeq = Compound<'g, 'w, 'b>;
    type SerializeTuple = Compound<'g, 'w, 'b>;
    type SerializeTupleStruct = Compound<'g, 'w, 'b>;
    type SerializeTupleVariant = Impossible<(), TypedError>;
    type SerializeMap = Compound<'g, 'w, 'b>;
    type SerializeStruct = Compound<'g, 'w, 'b>;
    type SerializeStructVariant = Compound<'g, 'w, 'b>;

    scalars! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_bool(self, value: bool) -> Result<(), TypedError> {
        self.value()?.json(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), TypedError> {
        if value.is_finite() { self.value()?.number(value) } else { Err(TypedError::Mismatch) }
    }

    fn serialize_f64(self, value: f64) -> Result<(), TypedError> {
        if value.is_finite() { self.value()?.number(value) } else { Err(TypedError::Mismatch) }
    }

    fn serialize_i128(self, _: i128) -> Result<(), TypedError> {
        Err(TypedError::Unsupported)
    }

    fn serialize_u128(self, _: u128) -> Result<(), TypedError> {
        Err(TypedError::Unsupported)
    }

    fn serialize_char(self, _: char) -> Result<(), TypedError> {
        Err(TypedError::Unsupported)
    }

    fn serialize_str(self, text: &str) -> Result<(), TypedError> {
        if self.key {
            self.sink.string(text);
        } else {
            self.sink.text(text);
        }
        Ok(())
    }

    /// JSON text to be embedded as it is.
    fn serialize_bytes(self, json: &[u8]) -> Result<(), TypedError> {
        let sink = self.value()?;
        if sink.is_silent() {
            return Ok(());
        }
        validate(json).map_err(|_| TypedError::Mismatch)?;
        if sink.is_quoted() {
            let text = str::from_utf8(json).map_err(|_| TypedError::Mismatch)?;
            text.split(['\n', '\r']).for_each(|line| sink.json(line.trim_ascii()));
        } else {
            sink.flat(json);
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), TypedError> {
        self.value()?.json("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), TypedError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), TypedError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), TypedError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), TypedError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), TypedError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), TypedError> {
        let mut object = self.compound("{", "}")?;
        object.member(variant, value)?;
        object.finish();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, TypedError> {
        self.compound("[", "]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, TypedError> {
        self.compound("[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, TypedError> {
        self.compound("[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, TypedError> {
        Err(TypedError::Unsupported)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, TypedError> {
        self.compound("{", "}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, TypedError> {
        self.compound("{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, TypedError> {
        let sink = self.value()?;
        sink.json("{");
        sink.string(variant);
        sink.open(":{");
        Ok(Compound { sink, items: 0, skipped: false, close: "}}" })
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), TypedError> {
        self.sink.json("\"");
        write!(self.sink, "{value}").map_err(|_| TypedError::Mismatch)?;
        self.sink.json("\"");
        Ok(())
    }
}

/// An array or object that is being written.
pub(super) struct Compound<'g, 'w, 'b> {
    sink: &'g mut Sink<'w, 'b>,
    items: u32,
    /// The item that a map is at is not written.
    skipped: bool,
    close: &'static str,
}

impl Compound<'_, '_, '_> {
    fn item(&mut self) -> Result<Item, TypedError> {
        let number = self.items;
        self.items = number.saturating_add(1);
        let item = self.sink.item(number)?;
        if number > 0 && item == Item::Write {
            self.sink.json(",");
        }
        Ok(item)
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        match self.item()? {
            Item::Skip => Ok(()),
            Item::Write => value.serialize(Guard::new(self.sink)),
        }
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), TypedError> {
        if self.item()? == Item::Skip {
            return Ok(());
        }
        self.sink.string(name);
        self.sink.json(":");
        value.serialize(Guard::new(self.sink))
    }

    fn finish(self) {
        self.sink.close(self.close);
    }
}

/// The traits of compounds that are alike: one method for what they contain, one for the end.
macro_rules! compounds {
    ($($trait:ident $method:ident ($($name:ident)?) $with:ident;)*) => {$(
        impl ser::$trait for Compound<'_, '_, '_> {
            type Ok = ();
            type Error = TypedError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), TypedError> {
                self.$with($($name,)? value)
            }

            fn end(self) -> Result<(), TypedError> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

compounds! {
    SerializeSeq serialize_element () element;
    SerializeTuple serialize_element () element;
    SerializeTupleStruct serialize_field () element;
    SerializeStruct serialize_field (name) member;
    SerializeStructVariant serialize_field (name) member;
}

impl ser::SerializeMap for Compound<'_, '_, '_> {
    type Ok = ();
    type Error = TypedError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), TypedError> {
        self.skipped = self.item()? == Item::Skip;
        if self.skipped { Ok(()) } else { key.serialize(Guard::key(self.sink)) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        if self.skipped {
            return Ok(());
        }
        self.sink.json(":");
        value.serialize(Guard::new(self.sink))
    }

    fn end(self) -> Result<(), TypedError> {
        self.finish();
        Ok(())
    }
}
