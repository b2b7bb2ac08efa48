//! Reads typed values from the text cells of a CSV file.
//!
//! A cell is text. Where the parameter's type wants text it gets it unchanged (`007` stays `007`); where
//! it wants anything else the cell is parsed as JSON. Beside JSON, the notations of spreadsheets and
//! pandas are read where they can mean one thing only: `TRUE` and `True` are booleans, `12.0` is an
//! integer. A text that could mean two things (`1,234`, `0,5`, `yes`) is an error.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

use crate::json;

/// The largest size of an integer that is exact as a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a `T` from a value whose strings are cells.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Cell(value))
}

#[derive(Clone, Copy)]
struct Cell<'a>(&'a Value);

impl Cell<'_> {
    /// Parses the cell as JSON; a text that is not JSON stays a text, so that the error of the wanted
    /// type shows it.
    fn parsed(self) -> Value {
        match self.0 {
            Value::String(text) => {
                json::read(text.trim().as_bytes()).unwrap_or_else(|_| self.0.clone())
            }
            other => other.clone(),
        }
    }

    /// Parses the cell as a number: JSON, where a whole number may have a fraction of zeros.
    ///
    /// # Errors
    /// Returns an error that says what to write, for a text that was probably meant as a number.
    fn number(self, expected: &dyn serde::de::Expected) -> Result<Value, Error> {
        let value = self.parsed();
        let Value::String(text) = &value else { return Ok(value) };
        let bare = text.trim();
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty();
        let unsigned = bare.trim_start_matches(['-', '+']);
        let starts_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        if let Some(positive) = bare.strip_prefix('+').filter(|rest| starts_number(rest))
            && let Ok(number) = json::read(positive.as_bytes())
        {
            return Ok(number);
        }
        let hint = if bare.contains(',') && digits(&unsigned.replace([',', '.'], "")) {
            "write a decimal point and no separators between thousands, such as 1234.5"
        } else if unsigned.starts_with('0') && digits(unsigned) {
            "write the number without leading zeros, or read it as a text"
        } else if bare.ends_with('%') {
            "write the number itself, such as 0.5 for 50%"
        } else if digits(&unsigned.replace([' ', '_', '\'', '\u{a0}', '\u{202f}'], "")) {
            "write the digits without anything between them"
        } else if matches!(
            bare.to_ascii_lowercase().as_str(),
            "nan" | "inf" | "-inf" | "n/a" | "null" | "none"
        ) {
            "leave the cell empty where there is no number"
        } else {
            return Ok(value);
        };
        let error = Error::invalid_type(Unexpected::Str(text), expected);
        Err(Error::custom(format!("{error}; {hint}")))
    }
}

impl Cell<'_> {
    /// Parses the cell as an integer.
    ///
    /// # Errors
    /// Returns an error that quotes the digits, for an integer that no type has room for.
    fn integer(self, expected: &dyn serde::de::Expected) -> Result<Value, Error> {
        let value = whole(self.number(expected)?);
        let Value::String(text) = self.0 else { return Ok(value) };
        let digits = text.trim().trim_start_matches(['-', '+']);
        if value.is_f64() && digits.chars().all(|c| c.is_ascii_digit()) {
            return Err(Error::invalid_value(Unexpected::Str(text), expected));
        }
        Ok(value)
    }
}

/// Converts a float that is a whole number into an integer: pandas writes `12.0` where a column has
/// gaps.
fn whole(value: Value) -> Value {
    let Some(float) = value.as_f64().filter(|_| value.is_f64()) else { return value };
    if float.fract() != 0.0 || float.abs() > EXACT {
        return value;
    }
    json::number(&format!("{float:.0}"))
        .map_or(value, |number| if float == 0.0 { 0.into() } else { number.into() })
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.integer(&visitor)?.$method(visitor)
        }
    )*};
}

macro_rules! floats {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.number(&visitor)?.$method(visitor)
        }
    )*};
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

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::String(text) = self.0 else { return self.0.clone().deserialize_bool(visitor) };
        match text.trim() {
            "true" | "True" | "TRUE" => visitor.visit_bool(true),
            "false" | "False" | "FALSE" => visitor.visit_bool(false),
            _ => {
                let error = Error::invalid_type(Unexpected::Str(text), &visitor);
                Err(Error::custom(format!("{error}; write true or false")))
            }
        }
    }

    /// Parses the text itself, since `serde_json` has no numbers of this size.
    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) if text.trim().parse::<u128>().is_ok() => {
                visitor.visit_u128(text.trim().parse().map_err(Error::custom)?)
            }
            _ => self.integer(&visitor)?.deserialize_u64(visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) if text.trim().parse::<i128>().is_ok() => {
                visitor.visit_i128(text.trim().parse().map_err(Error::custom)?)
            }
            _ => self.integer(&visitor)?.deserialize_i64(visitor),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    floats! { deserialize_f32 deserialize_f64 }

    parse_first! { deserialize_seq deserialize_unit deserialize_bytes deserialize_byte_buf }

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

    #[test]
    fn what_spreadsheets_write_is_read_where_it_means_one_thing() {
        for text in ["TRUE", "True", " true "] {
            assert!(read::<bool>(&json!(text)).unwrap(), "{text}");
        }
        assert_eq!(read::<Option<bool>>(&json!("FALSE")).unwrap(), Some(false));
        assert_eq!(read::<u32>(&json!("12.0")).unwrap(), 12);
        assert_eq!(read::<i8>(&json!("-3.00")).unwrap(), -3);
        assert_eq!(read::<u64>(&json!("1e3")).unwrap(), 1000);
        assert_eq!(read::<u8>(&json!("-0.0")).unwrap(), 0);
        assert_eq!(read::<u64>(&json!("18446744073709551615")).unwrap(), u64::MAX);
        assert_eq!(read::<u128>(&json!(u128::MAX.to_string())).unwrap(), u128::MAX);
        assert_eq!(read::<i128>(&json!(i128::MIN.to_string())).unwrap(), i128::MIN);
        assert!((read::<f64>(&json!(" 0.5 ")).unwrap() - 0.5).abs() < 1e-12);
        for (text, hint) in [
            ("1,234", "a decimal point and no separators between thousands"),
            ("0,5", "a decimal point"),
            ("1.234,5", "a decimal point"),
            ("007", "without leading zeros"),
            ("50%", "such as 0.5 for 50%"),
            ("1 000", "without anything between them"),
            ("NaN", "leave the cell empty"),
        ] {
            for error in
                [read::<u32>(&json!(text)).unwrap_err(), read::<f64>(&json!(text)).unwrap_err()]
            {
                assert!(error.to_string().contains(hint), "{text}: {error}");
            }
        }
        assert_eq!(read::<i64>(&json!("+5")).unwrap(), 5);
        assert!((read::<f64>(&json!(" +0.5")).unwrap() - 0.5).abs() < 1e-12);
        for text in ["+-5", "+ 5", "++5", "+x"] {
            assert!(read::<i64>(&json!(text)).is_err(), "{text}");
        }
        let error = read::<i64>(&json!("99999999999999999999")).unwrap_err().to_string();
        assert_eq!(error, "invalid value: string \"99999999999999999999\", expected i64");
        for text in ["12.5", "1e300", "-1.0", "256.0"] {
            assert!(read::<u8>(&json!(text)).is_err(), "{text}");
        }
        let error = read::<bool>(&json!("yes")).unwrap_err().to_string();
        assert_eq!(error, "invalid type: string \"yes\", expected a boolean; write true or false");
        for text in ["1", "0", "on", "tRuE", ""] {
            assert!(read::<bool>(&json!(text)).is_err(), "{text}");
        }
    }
}
