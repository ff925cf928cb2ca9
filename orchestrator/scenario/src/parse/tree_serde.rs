//! A tree as a source for serde, so that a topology written within a scenario
//! is read by its own types, with places and with parameters put in.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::tree::{Key, Place, Tree, Value};

/// Why a tree is not what a type needs, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedError {
    /// Where; the innermost value or key that is at fault.
    pub place: Option<Place>,
    /// What.
    pub what: PlacedWhat,
}

/// What is wrong with a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacedWhat {
    /// A word that is none of those known.
    Unknown {
        /// `key` or `value`.
        kind: &'static str,
        /// As written.
        word: String,
        /// What could stand there.
        known: &'static [&'static str],
    },
    /// Anything else.
    Other(String),
}

impl Tree {
    /// Reads a value of any type from the tree.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn read<'de, T: serde::Deserialize<'de>>(&'de self) -> Result<T, PlacedError> {
        T::deserialize(self)
    }
}

impl PlacedError {
    fn placed(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

impl fmt::Display for PlacedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            PlacedWhat::Other(what) => f.write_str(what),
            PlacedWhat::Unknown { kind, word, known } => {
                write!(f, "unknown {kind} `{word}`; {}", super::hint(word, known))
            }
        }
    }
}

impl std::error::Error for PlacedError {}

impl serde::de::Error for PlacedError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            place: None,
            what: PlacedWhat::Other(message.to_string()),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            place: None,
            what: PlacedWhat::Unknown {
                kind: "key",
                word: field.into(),
                known: expected,
            },
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self {
            place: None,
            what: PlacedWhat::Unknown {
                kind: "value",
                word: variant.into(),
                known: expected,
            },
        }
    }
}

impl<'de> Deserializer<'de> for &'de Tree {
    type Error = PlacedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        let read = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(on) => visitor.visit_bool(*on),
            Value::Int(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Entries {
                entries: entries.iter(),
                value: None,
            }),
        };
        read.map_err(|error| error.placed(self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
        .map_err(|error: PlacedError| error.placed(self.place))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        visitor.visit_newtype_struct(self)
    }

    /// A number is a text where a text is wanted, as in YAML's plain style.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        match &self.value {
            Value::Int(number) => visitor.visit_string(number.to_string()),
            Value::Float(number) => visitor.visit_string(number.to_string()),
            _ => return self.deserialize_any(visitor),
        }
        .map_err(|error: PlacedError| error.placed(self.place))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        let read = match &self.value {
            Value::Text(word) => visitor.visit_enum(Variant {
                word,
                place: self.place,
                content: None,
            }),
            Value::Map(entries) if entries.len() == 1 => visitor.visit_enum(Variant {
                word: &entries[0].0.text,
                place: entries[0].0.place,
                content: Some(&entries[0].1),
            }),
            _ => Err(PlacedError::custom(format!(
                "one word, or a mapping with one key, is needed here, not {}",
                self.kind()
            ))),
        };
        read.map_err(|error| error.placed(self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(std::slice::Iter<'de, Tree>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = PlacedError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, PlacedError> {
        self.0.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (Key, Tree)>,
    value: Option<&'de Tree>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = PlacedError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, PlacedError> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let word: StrDeserializer<'_, PlacedError> = key.text.as_str().into_deserializer();
        seed.deserialize(word)
            .map(Some)
            .map_err(|error| error.placed(key.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, PlacedError> {
        let value = self.value.take();
        let value = value.ok_or_else(|| PlacedError::custom("a value was asked for twice"))?;
        seed.deserialize(value)
    }
}

struct Variant<'de> {
    word: &'de str,
    place: Place,
    content: Option<&'de Tree>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = PlacedError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), PlacedError> {
        let word: StrDeserializer<'_, PlacedError> = self.word.into_deserializer();
        let variant = seed
            .deserialize(word)
            .map_err(|error| error.placed(self.place))?;
        Ok((variant, self))
    }
}

impl<'de> Variant<'de> {
    fn content(self, wanted: &'static str) -> Result<&'de Tree, PlacedError> {
        self.content.ok_or_else(|| {
            PlacedError::invalid_type(Unexpected::UnitVariant, &wanted).placed(self.place)
        })
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = PlacedError;

    fn unit_variant(self) -> Result<(), PlacedError> {
        match self.content {
            None => Ok(()),
            Some(tree) if tree.value == Value::Null => Ok(()),
            Some(tree) => {
                let what = format!("nothing may stand behind `{}`", self.word);
                Err(PlacedError::custom(what).placed(tree.place))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, PlacedError> {
        seed.deserialize(self.content("a value behind a colon")?)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        self.content("a list behind a colon")?
            .deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        self.content("a mapping behind a colon")?
            .deserialize_any(visitor)
    }
}
