//! Records values whose types need not implement any trait.
//!
//! `#[trace]` must not require traits of the types of a function. So the generated code writes
//! `(&&&Shown(&value)).__hh_input()`, and method look-up takes the first trait that fits: JSON where
//! the type is `Serialize`, else its `Debug` text, else its name. That is decided where the
//! function is written; for a type parameter its bounds decide.

use std::fmt::{self, Debug, Display, Write as _};

use serde::Serialize;
use serde_json::Value;

use super::flatten::{Attributes, LONGEST};
use crate::json;
use crate::unwind;

/// The most JSON that is made of one output before it is flattened.
const LONGEST_OUTPUT: usize = 1 << 20;

/// The recorded form of a value.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// A value, to be flattened.
    Value(Value),
    /// A text, and whether it is all of it.
    Text(String, bool),
}

impl Seen {
    /// Returns the text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Value(Value::String(text)) | Self::Text(text, _) => text,
            Self::Value(value) => value.to_string(),
        }
    }

    pub(super) fn add_to(self, attributes: &mut Attributes, key: &str) {
        match self {
            Self::Value(value) => attributes.value(key, &value),
            Self::Text(text, whole) => {
                attributes.text(key, text);
                if !whole {
                    attributes.cut();
                }
            }
        }
    }
}

/// A value to be recorded in the way that its type allows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// Runs code of the user's types. A panic in it gives the type's name: code that would not panic without
/// tracing must not panic with it.
fn quietly(see: impl FnOnce() -> Seen, name: &'static str) -> Seen {
    unwind::catch(see).unwrap_or_else(|_| Seen::Text(name.to_owned(), true))
}

fn name_of<T: ?Sized>() -> Seen {
    Seen::Text(std::any::type_name::<T>().to_owned(), true)
}

/// A text that takes this many bytes and no more.
struct Page {
    text: String,
    whole: bool,
}

impl fmt::Write for Page {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let left = LONGEST - self.text.len();
        if part.len() <= left {
            self.text.push_str(part);
            return Ok(());
        }
        let end = (0..=left).rev().find(|end| part.is_char_boundary(*end)).unwrap_or(0);
        self.text.push_str(&part[..end]);
        self.whole = false;
        Err(fmt::Error)
    }
}

fn written(text: fmt::Arguments<'_>) -> Seen {
    let mut page = Page { text: String::new(), whole: true };
    // Fails where the page is full, or where the user's code says so; then this much is known.
    let _ = page.write_fmt(text);
    Seen::Text(page.text, page.whole)
}

/// Records an argument: a scalar with its type, anything else as one text.
fn input<T: Serialize + ?Sized>(value: &T) -> Seen {
    match json::to_text(value, LONGEST) {
        Err(_) => name_of::<T>(),
        Ok((text, true)) if !text.starts_with(['{', '[']) => {
            json::read(text.as_bytes()).map_or(Seen::Text(text, true), Seen::Value)
        }
        // A long text: what there is of it, without its quotes.
        Ok((mut text, false)) if text.starts_with('"') => {
            // An escape may be cut off at its end.
            for _ in 0..12 {
                if let Ok(part) = serde_json::from_str(&format!("{text}\"")) {
                    return Seen::Text(part, false);
                }
                text.pop();
            }
            Seen::Text(text, false)
        }
        Ok((text, whole)) => Seen::Text(text, whole),
    }
}

/// Records an output: the whole value, unless it is very large.
fn output<T: Serialize + ?Sized>(value: &T) -> Seen {
    match json::to_text(value, LONGEST_OUTPUT) {
        Err(_) => name_of::<T>(),
        Ok((text, true)) => json::read(text.as_bytes()).map_or(Seen::Text(text, true), Seen::Value),
        Ok((_, false)) => input(value),
    }
}

/// The way to record anything that can be serialised.
pub trait AsJson {
    /// Records it as an argument.
    fn __hh_input(&self) -> Seen;
    /// Records it as an output.
    fn __hh_output(&self) -> Seen;
}

impl<T: Serialize + ?Sized> AsJson for &&Shown<'_, T> {
    fn __hh_input(&self) -> Seen {
        quietly(|| input(self.0), std::any::type_name::<T>())
    }

    fn __hh_output(&self) -> Seen {
        quietly(|| output(self.0), std::any::type_name::<T>())
    }
}

/// The way to record anything else that has a `Debug` text.
pub trait AsDebug {
    /// Records it as an argument.
    fn __hh_input(&self) -> Seen;
    /// Records it as an output.
    fn __hh_output(&self) -> Seen {
        self.__hh_input()
    }
}

impl<T: Debug + ?Sized> AsDebug for &Shown<'_, T> {
    fn __hh_input(&self) -> Seen {
        quietly(|| written(format_args!("{:?}", self.0)), std::any::type_name::<T>())
    }
}

/// The way to record any other value: the name of its type.
pub trait AsName {
    /// Records it as an argument.
    fn __hh_input(&self) -> Seen;
    /// Records it as an output.
    fn __hh_output(&self) -> Seen {
        self.__hh_input()
    }
}

impl<T: ?Sized> AsName for Shown<'_, T> {
    fn __hh_input(&self) -> Seen {
        name_of::<T>()
    }
}

/// The way to record an error that has a `Display` text.
pub trait ErrorAsDisplay {
    /// Returns its class and its text; the whole chain of an `anyhow::Error`.
    fn __hh_error(&self) -> (&'static str, Seen);
}

impl<E: Display + ?Sized> ErrorAsDisplay for &&Shown<'_, E> {
    fn __hh_error(&self) -> (&'static str, Seen) {
        let class = std::any::type_name::<E>();
        (class, quietly(|| written(format_args!("{:#}", self.0)), class))
    }
}

/// The way to record an error that has only a `Debug` text.
pub trait ErrorAsDebug {
    /// Returns its class and its text.
    fn __hh_error(&self) -> (&'static str, Seen);
}

impl<E: Debug + ?Sized> ErrorAsDebug for &Shown<'_, E> {
    fn __hh_error(&self) -> (&'static str, Seen) {
        let class = std::any::type_name::<E>();
        (class, quietly(|| written(format_args!("{:?}", self.0)), class))
    }
}

/// The way to record any other error.
pub trait ErrorAsName {
    /// Returns its class, twice.
    fn __hh_error(&self) -> (&'static str, Seen);
}

impl<E: ?Sized> ErrorAsName for Shown<'_, E> {
    fn __hh_error(&self) -> (&'static str, Seen) {
        (std::any::type_name::<E>(), name_of::<E>())
    }
}

#[cfg(test)]
#[expect(clippy::needless_borrow, reason = "the references are what decides")]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct OnlyDebug;
    struct Nothing;
    #[derive(Serialize)]
    struct Both {
        z: u8,
        a: Option<&'static str>,
    }
    impl Debug for Both {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("JSON comes first")
        }
    }
    struct Panics;
    impl Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("not to be looked at")
        }
    }

    fn text(text: &str) -> Seen {
        Seen::Text(text.to_owned(), true)
    }

    #[test]
    fn the_best_that_a_type_can_do() {
        let both = Both { z: 1, a: None };
        assert_eq!((&&&Shown(&3_u8)).__hh_input(), Seen::Value(json!(3)));
        assert_eq!((&&&Shown(&"x")).__hh_input(), Seen::Value(json!("x")));
        assert_eq!((&&&Shown(&None::<u8>)).__hh_input(), Seen::Value(Value::Null));
        // In the order of the fields.
        assert_eq!((&&&Shown(&both)).__hh_input(), text("{\"z\":1,\"a\":null}"));
        assert_eq!((&&&Shown(&both)).__hh_output(), Seen::Value(json!({"z": 1, "a": null})));
        assert_eq!((&&&Shown(&OnlyDebug)).__hh_input(), text("OnlyDebug"));
        assert_eq!((&&&Shown(&vec![OnlyDebug])).__hh_output(), text("[OnlyDebug]"));
        let name = (&&&Shown(&Nothing)).__hh_input().into_text();
        assert!(name.ends_with("capture::tests::Nothing"), "{name}");
        assert_eq!((&&&Shown("unsized")).__hh_input(), Seen::Value(json!("unsized")));
    }

    fn of_generic<T>(value: &T) -> Seen {
        (&&&Shown(value)).__hh_input()
    }

    fn of_debug<T: Debug>(value: &T) -> Seen {
        (&&&Shown(value)).__hh_input()
    }

    #[test]
    fn a_type_parameter_can_do_what_its_bounds_say() {
        assert_eq!(of_generic(&3_u8), text("u8"));
        assert_eq!(of_debug(&3_u8), text("3"));
    }

    #[test]
    fn errors_by_display_debug_and_name() {
        let parse = "x".parse::<u8>().unwrap_err();
        let (class, seen) = (&&&Shown(&parse)).__hh_error();
        assert_eq!((class, seen), ("core::num::error::ParseIntError", text(&parse.to_string())));
        assert_eq!((&&&Shown(&OnlyDebug)).__hh_error().1, text("OnlyDebug"));
        let (class, seen) = (&&&Shown(&Nothing)).__hh_error();
        assert_eq!(seen, text(class));
    }

    #[test]
    fn code_of_the_user_that_panics_or_fails_leaves_the_name() {
        let name = std::any::type_name::<Panics>();
        assert_eq!((&&&Shown(&Panics)).__hh_input(), text(name));
        let no_json = BTreeMap::from([((1, 2), 3)]);
        assert!((&&&Shown(&no_json)).__hh_output().into_text().contains("BTreeMap"));
    }

    #[test]
    fn what_is_long_is_cut_before_it_is_written() {
        let long = "\u{1}é".repeat(LONGEST);
        let Seen::Text(part, false) = (&&&Shown(&long)).__hh_input() else { panic!() };
        assert!(part.len() > LONGEST / 4 && long.starts_with(&part));
        let Seen::Text(part, false) = (&&&Shown(&vec![7_u8; LONGEST])).__hh_input() else {
            panic!()
        };
        assert!(part.len() == LONGEST && part.starts_with("[7,7,"));
        let Seen::Text(part, false) = (&&&Shown(&vec![7_u8; LONGEST_OUTPUT])).__hh_output() else {
            panic!()
        };
        assert_eq!(part.len(), LONGEST);
        let Seen::Text(part, false) = written(format_args!("{long:?}")) else { panic!() };
        assert!(part.len() <= LONGEST);
    }
}
