//! Reading typed values from the text cells of a CSV file.
//!
//! A cell is text. Where the parameter's type wants text it gets it unchanged (`007` stays
//! `007`); where it wants anything else the cell is parsed as JSON.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// Reads a `T` from a value whose strings are cells.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Cell(value))
}

#[derive(Clone, Copy)]
struct Cell<'a>(&'a Value);

impl Cell<'_> {
    /// The cell parsed as JSON; a text that is no JSON stays text, so that the error of the
    /// wanted type shows it.
    fn parsed(self) -> Value {
        match self.0 {
            Value::String(text) => {
                serde_json::from_str(text.trim()).unwrap_or_else(|_| self.0.clone())
            }
            other => other.clone(),
        }
    }
}

macro_rules! parse_first {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.parsed().$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_str(text),
            Value::Object(fields) => visitor.visit_map(MapDeserializer::new(
                fields.iter().map(|(key, value)| (key.as_str(), Cell(value))),
            )),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Cell))),
            other => other.clone().deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => self.parsed().deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => self.parsed().deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            // A cell `fast` is the unit variant `fast`; `{"custom": 3}` is a variant with data.
            Value::String(text) if variants.contains(&text.as_str()) => {
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            _ => self.parsed().deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.parsed().deserialize_tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.parsed().deserialize_tuple_struct(name, len, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.parsed().deserialize_unit_struct(name, visitor)
    }

    /// Integers of this size are no numbers of `serde_json`.
    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_u128(serde_json::from_str(text.trim())?),
            other => other.clone().deserialize_u128(visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_i128(serde_json::from_str(text.trim())?),
            other => other.clone().deserialize_i128(visitor),
        }
    }

    parse_first! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64 deserialize_seq deserialize_unit
        deserialize_bytes deserialize_byte_buf
    }

    forward_to_deserialize_any! { char str string identifier ignored_any }
}

impl IntoDeserializer<'_, Error> for Cell<'_> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Speed {
        Fast,
        Custom(u8),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        zip: String,
        count: u32,
        ratio: Option<f64>,
        absent: Option<f64>,
        words: Vec<String>,
        speed: Speed,
    }

    #[test]
    fn a_whole_row_is_read_by_type() {
        let row = json!({
            "zip": "007", "count": "12", "ratio": "0.5", "words": "[\"a\",\"b\"]", "speed": "fast"
        });
        let wanted = Row {
            zip: "007".into(),
            count: 12,
            ratio: Some(0.5),
            absent: None,
            words: vec!["a".into(), "b".into()],
            speed: Speed::Fast,
        };
        assert_eq!(read::<Row>(&row).unwrap(), wanted);
    }

    #[test]
    fn single_cells() {
        assert_eq!(read::<String>(&json!("true")).unwrap(), "true");
        assert!(read::<bool>(&json!("true")).unwrap());
        assert_eq!(read::<Speed>(&json!("{\"custom\": 3}")).unwrap(), Speed::Custom(3));
        assert_eq!(read::<Value>(&json!("12")).unwrap(), json!("12"));
        assert_eq!(read::<(u8, u8)>(&json!("[1, 2]")).unwrap(), (1, 2));
        let error = read::<u32>(&json!("twelve")).unwrap_err().to_string();
        assert!(error.contains("invalid type: string \"twelve\""), "{error}");
    }
}
