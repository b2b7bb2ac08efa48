//! Keeps secrets out of everything that is recorded, printed or sent.
//!
//! Whatever leaves an attempt goes through one [`Redactor`] before it reaches the journal, a
//! report or another machine. Three things are taken out, in this order: the values of
//! environment variables that are named like secrets, keys of well-known [shapes], and what the
//! user's own [hooks](hook) say. `HH_CAPTURE=none` leaves out the [contents](capture) altogether.
//!
//! Functions and evaluators see real values. Ids and names stay as they are: they are what
//! records are found by.

mod capture;
mod hook;
mod known;
mod shapes;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Map, Value};

pub(crate) use hook::is_masking;
pub use hook::{Mask, RedactHook};
use known::Known;

use crate::config::{Config, Secret};

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// What stands where a text was that a hook panicked at.
const PANICKED: &str = "[redacted: the hook panicked]";

/// What stands where texts were that a hook did not get done with.
const STUCK: &str = "[redacted: the hook took too long]";

/// No secret is shorter: see `Config::secrets` and the shapes.
const SHORTEST: usize = 8;

/// Takes secrets out of texts. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Redactor(Arc<Inner>);

struct Inner {
    known: Known,
    /// Two bytes that something to be found can start with.
    starts: Pairs,
    hooks: Vec<Mask>,
    capture_none: bool,
    /// Texts that a hook panicked at.
    panics: AtomicUsize,
    stuck: AtomicBool,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("hooks", &self.0.hooks.len())
            .field("capture_none", &self.0.capture_none)
            .finish_non_exhaustive()
    }
}

impl Default for Redactor {
    /// Knows only shapes.
    fn default() -> Self {
        Self::build(&[], Vec::new(), false)
    }
}

impl Redactor {
    /// Knows the secrets of the environment, the shapes, and the registered hooks; then `hooks`.
    pub(crate) fn new(config: &Config, hooks: impl IntoIterator<Item = Mask>) -> Self {
        let mut all = hook::registered();
        all.extend(hooks);
        Self::build(&config.secrets, all, config.capture_none)
    }

    fn build(secrets: &[Secret], hooks: Vec<Mask>, capture_none: bool) -> Self {
        let known = Known::new(secrets.iter().map(Secret::expose));
        let mut starts = Pairs::default();
        shapes::starts().chain(known.starts()).for_each(|pair| starts.add(pair));
        Self(Arc::new(Inner {
            known,
            starts,
            hooks,
            capture_none,
            panics: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
        }))
    }

    /// The text without secrets; borrowed where there are none.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = self.without_secrets(text);
        for mask in &self.0.hooks {
            match hook::call(*mask, &text) {
                Ok(None) => {}
                Ok(Some(masked)) => text = Cow::Owned(masked),
                Err(hook::Panicked) => {
                    self.0.panics.fetch_add(1, Ordering::Relaxed);
                    return Cow::Owned(PANICKED.to_owned());
                }
            }
        }
        text
    }

    /// Takes secrets out of a text in its place.
    pub(crate) fn string(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.text(text) {
            *text = redacted;
        }
    }

    /// Takes secrets out of all texts in a value, the names of fields included. Hooks see the
    /// texts only: two names that they make the same would lose a field.
    pub(crate) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => self.map(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The same for the fields of an object.
    pub(crate) fn map(&self, fields: &mut Map<String, Value>) {
        fields.values_mut().for_each(|value| self.value(value));
        let is_clean = |name: &String| matches!(self.without_secrets(name), Cow::Borrowed(_));
        if fields.keys().all(is_clean) {
            return;
        }
        for (name, value) in std::mem::take(fields) {
            let clean = self.without_secrets(&name);
            let mut free = clean.clone().into_owned();
            let mut number = 1;
            while fields.contains_key(&free) {
                number += 1;
                free = format!("{clean}~{number}");
            }
            fields.insert(free, value);
        }
    }

    /// Whether hooks have to be asked, which are the user's code and may take their time.
    pub(crate) fn has_hooks(&self) -> bool {
        !self.0.hooks.is_empty()
    }

    /// How many texts a hook panicked at.
    pub(crate) fn panics(&self) -> usize {
        self.0.panics.load(Ordering::Relaxed)
    }

    /// A hook does not come back; nothing more is given to hooks.
    pub(crate) fn give_up_on_hooks(&self) {
        self.0.stuck.store(true, Ordering::Relaxed);
    }

    /// Whether a hook did not come back.
    pub(crate) fn has_given_up(&self) -> bool {
        self.0.stuck.load(Ordering::Relaxed)
    }

    /// A redactor that leaves no text at all, for what hooks should have seen and could not.
    pub(crate) fn of_everything(&self) -> Self {
        Self::build(&[], vec![|_| Some(STUCK.to_owned())], self.0.capture_none)
    }

    /// With `HH_CAPTURE=none`.
    #[cfg(test)]
    pub(crate) fn capturing_nothing() -> Self {
        Self::build(&[], Vec::new(), true)
    }

    fn without_secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let mut clean = String::new();
        let mut copied = 0;
        while let Some(found) = self.find(bytes, copied) {
            clean.push_str(&text[copied..found.start]);
            clean.push_str(REDACTED);
            copied = found.end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(&text[copied..]);
        Cow::Owned(clean)
    }

    /// The first secret from `from` on. What is found starts and ends at characters: needles are
    /// whole texts, and shapes are ASCII or end at ASCII.
    fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        if text.len() - from < SHORTEST {
            return None;
        }
        text[from..].windows(2).enumerate().find_map(|(index, pair)| {
            let pair = [pair[0], pair[1]];
            if !self.0.starts.has(pair) {
                return None;
            }
            let at = from + index;
            let known = self.0.known.length(&text[at..], pair).map(|length| at..at + length);
            // Of two that start here, the longer one.
            known.into_iter().chain(shapes::find(text, at)).max_by_key(|found| found.end)
        })
    }
}

/// A set of pairs of bytes.
struct Pairs(Box<[u64; 1024]>);

impl Default for Pairs {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl Pairs {
    fn place([first, second]: [u8; 2]) -> (usize, u32) {
        (usize::from(first) * 4 + usize::from(second / 64), u32::from(second % 64))
    }

    fn add(&mut self, pair: [u8; 2]) {
        let (word, bit) = Self::place(pair);
        self.0[word] |= 1 << bit;
    }

    fn has(&self, pair: [u8; 2]) -> bool {
        let (word, bit) = Self::place(pair);
        self.0[word] >> bit & 1 == 1
    }
}

#[cfg(test)]
mod tests;
