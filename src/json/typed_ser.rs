//! The guard of serde-json-core's serializer: structure is written here, scalars and strings there.
//!
//! Its compound serializers hand values on to itself, and its error cannot be made outside of it (`Error::custom` panics), so an adapter around
//! them could not bring an error back. Here arrays and objects are put together from their punctuation instead.

use core::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer as _};
use serde_json_core::ser::{Error as WriteError, Serializer};

use super::{TypedError, validate};

/// A serializer that gives serde-json-core only what it can write.
pub(super) struct Guard<'g, 'b> {
    inner: &'g mut Serializer<'b>,
    /// Whether a name of a member is due.
    key: bool,
}

impl<'g, 'b> Guard<'g, 'b> {
    /// Writes one value.
    pub(super) fn new(inner: &'g mut Serializer<'b>) -> Self {
        Self { inner, key: false }
    }

    /// Writes the name of a member of a map.
    fn key(inner: &'g mut Serializer<'b>) -> Self {
        Self { inner, key: true }
    }

    /// The inner serializer, for what cannot be a name.
    fn value(self) -> Result<&'g mut Serializer<'b>, TypedError> {
        if self.key { Err(TypedError::Unsupported) } else { Ok(self.inner) }
    }

    fn compound(self, open: &'static [u8], close: &'static [u8]) -> Result<Compound<'g, 'b>, TypedError> {
        let inner = self.value()?;
        inner.serialize_bytes(open)?;
        Ok(Compound { inner, first: true, close })
    }
}

impl From<WriteError> for TypedError {
    fn from(_: WriteError) -> Self {
        Self::OutputFull // the only error there is
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
            Ok(self.value()?.$method(value)?)
        }
    )*};
}

impl<'g, 'b> ser::Serializer for Guard<'g, 'b> {
    type Ok = ();
    type Error = TypedError;
    type SerializeSeq = Compound<'g, 'b>;
    type SerializeTuple = Compound<'g, 'b>;
    type SerializeTupleStruct = Compound<'g, 'b>;
    type SerializeTupleVariant = Impossible<(), TypedError>;
    type SerializeMap = Compound<'g, 'b>;
    type SerializeStruct = Compound<'g, 'b>;
    type SerializeStructVariant = Compound<'g, 'b>;

    scalars! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f32: f32, serialize_f64: f64,
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
        Ok(self.inner.serialize_str(text)?)
    }

    /// JSON text to be embedded as it is.
    fn serialize_bytes(self, json: &[u8]) -> Result<(), TypedError> {
        validate(json).map_err(|_| TypedError::Mismatch)?;
        Ok(self.value()?.serialize_bytes(json)?)
    }

    fn serialize_none(self) -> Result<(), TypedError> {
        Ok(self.value()?.serialize_none()?)
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
        let mut object = self.compound(b"{", b"}")?;
        object.member(variant, value)?;
        object.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, TypedError> {
        self.compound(b"[", b"]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, TypedError> {
        self.compound(b"[", b"]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, TypedError> {
        self.compound(b"[", b"]")
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
        self.compound(b"{", b"}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, TypedError> {
        self.compound(b"{", b"}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, TypedError> {
        let inner = self.value()?;
        inner.serialize_bytes(b"{")?;
        inner.serialize_str(variant)?;
        inner.serialize_bytes(b":{")?;
        Ok(Compound { inner, first: true, close: b"}}" })
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), TypedError> {
        Ok(self.inner.collect_str(value)?)
    }
}

/// An array or object that is being written.
pub(super) struct Compound<'g, 'b> {
    inner: &'g mut Serializer<'b>,
    first: bool,
    close: &'static [u8],
}

impl Compound<'_, '_> {
    fn comma(&mut self) -> Result<(), TypedError> {
        if !core::mem::take(&mut self.first) {
            self.inner.serialize_bytes(b",")?;
        }
        Ok(())
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        self.comma()?;
        value.serialize(Guard::new(self.inner))
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), TypedError> {
        self.comma()?;
        self.inner.serialize_str(name)?;
        self.inner.serialize_bytes(b":")?;
        value.serialize(Guard::new(self.inner))
    }

    fn finish(self) -> Result<(), TypedError> {
        Ok(self.inner.serialize_bytes(self.close)?)
    }
}

/// The traits of compounds that are alike: one method for what they contain, one for the end.
macro_rules! compounds {
    ($($trait:ident $method:ident ($($name:ident)?) $with:ident;)*) => {$(
        impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = TypedError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), TypedError> {
                self.$with($($name,)? value)
            }

            fn end(self) -> Result<(), TypedError> {
                self.finish()
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

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = TypedError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), TypedError> {
        self.comma()?;
        key.serialize(Guard::key(self.inner))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        self.inner.serialize_bytes(b":")?;
        value.serialize(Guard::new(self.inner))
    }

    fn end(self) -> Result<(), TypedError> {
        self.finish()
    }
}
