//! Keeps secrets out of everything that is recorded, printed or sent.
//!
//! All data of an attempt goes through one [`Redactor`] before it reaches the journal, a report or
//! another machine. Three things are taken out, in this order: the values of environment variables that
//! are named like secrets, keys of well-known [shapes], and texts that the user's own [hooks](hook)
//! mask. `HH_CAPTURE=none` leaves out the [contents](capture) altogether.
//!
//! Functions and evaluators see real values. Ids and names stay as they are, because records are found
//! by them.

mod capture;
mod hook;
mod known;
mod shapes;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Map, Value};

pub(crate) use hook::is_masking;
pub use hook::{Mask, RedactHook};
use known::Known;

use crate::config::{Config, NamedSecret};

/// The replacement for a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// The replacement for a text at which a hook panicked.
const PANICKED: &str = "[redacted: the hook panicked]";

/// The replacement for texts that a hook did not finish.
const STUCK: &str = "[redacted: the hook took too long]";

/// The names under which keys of known shapes, and texts that a hook changed, are counted.
pub(crate) const BY_SHAPE: &str = "(keys of well-known shapes)";
pub(crate) const BY_HOOK: &str = "(texts changed by redact!)";

/// The length of the shortest secret: see `Config::secrets` and the shapes.
const SHORTEST: usize = 8;

/// A filter that takes secrets out of texts. It is cheap to clone; all clones share their counts.
#[derive(Clone)]
pub(crate) struct Redactor(Arc<Inner>);

struct Inner {
    known: Known,
    /// The names of the known secrets, each with the number of times that it was taken out.
    taken: Vec<(String, AtomicUsize)>,
    /// The number of keys that were taken out by their shape.
    shaped: AtomicUsize,
    /// The number of texts that a hook changed.
    masked: AtomicUsize,
    /// The pairs of bytes that a secret can start with.
    starts: Pairs,
    hooks: Vec<Mask>,
    capture_none: bool,
    /// The number of texts at which a hook panicked.
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
    /// Creates a redactor that knows only shapes.
    fn default() -> Self {
        Self::build(&[], Vec::new(), false)
    }
}

impl Redactor {
    /// Creates a redactor that knows the secrets of the environment, the shapes, and the registered
    /// hooks; then `hooks`.
    pub(crate) fn new(config: &Config, hooks: impl IntoIterator<Item = Mask>) -> Self {
        let mut all = hook::registered();
        all.extend(hooks);
        Self::build(&config.secrets, all, config.capture_none)
    }

    fn build(secrets: &[NamedSecret], hooks: Vec<Mask>, capture_none: bool) -> Self {
        let known = Known::new(secrets.iter().map(|secret| secret.value.expose()));
        let names = secrets.iter().map(|secret| secret.name.clone());
        let mut starts = Pairs::default();
        shapes::starts().chain(known.starts()).for_each(|pair| starts.add(pair));
        Self(Arc::new(Inner {
            known,
            taken: names.map(|name| (name, AtomicUsize::new(0))).collect(),
            shaped: AtomicUsize::new(0),
            masked: AtomicUsize::new(0),
            starts,
            hooks,
            capture_none,
            panics: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
        }))
    }

    /// Returns the text without secrets; borrowed where there are none.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = self.without_secrets(text);
        for mask in &self.0.hooks {
            match hook::call(*mask, &text) {
                Ok(None) => {}
                Ok(Some(masked)) if masked == text => {}
                Ok(Some(masked)) => {
                    self.0.masked.fetch_add(1, Ordering::Relaxed);
                    text = Cow::Owned(masked);
                }
                Err(hook::Panicked) => {
                    self.0.panics.fetch_add(1, Ordering::Relaxed);
                    return Cow::Owned(PANICKED.to_owned());
                }
            }
        }
        text
    }

    /// Takes secrets out of a text in its place. Returns whether it changed.
    pub(crate) fn string(&self, text: &mut String) -> bool {
        match self.text(text) {
            Cow::Borrowed(_) => false,
            Cow::Owned(redacted) => {
                *text = redacted;
                true
            }
        }
    }

    /// Takes secrets out of all texts in a value, the names of fields included. Hooks see the texts
    /// only: if they changed two names into the same one, a field would be lost. Returns whether
    /// anything changed.
    pub(crate) fn value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                items.iter_mut().fold(false, |changed, item| self.value(item) | changed)
            }
            Value::Object(fields) => self.map(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Takes secrets out of all texts in the fields of an object, like [`Redactor::value`].
    pub(crate) fn map(&self, fields: &mut Map<String, Value>) -> bool {
        let amazon = self.amazon_fields(fields);
        let texts = fields.values_mut().fold(false, |changed, value| self.value(value) | changed);
        let names = fields.keys().enumerate();
        let clean: Vec<(usize, String)> = names
            .filter_map(|(index, name)| match self.without_secrets(name) {
                Cow::Borrowed(_) => None,
                Cow::Owned(clean) => Some((index, clean)),
            })
            .collect();
        if clean.is_empty() {
            return texts | amazon;
        }
        let mut clean = clean.into_iter().peekable();
        for (index, (name, value)) in std::mem::take(fields).into_iter().enumerate() {
            let name = clean.next_if(|(at, _)| *at == index).map_or(name, |(_, clean)| clean);
            let mut free = name.clone();
            let mut number = 1;
            while fields.contains_key(&free) {
                number += 1;
                free = format!("{name}~{number}");
            }
            fields.insert(free, value);
        }
        true
    }

    /// Takes the secret key of Amazon out of a field of that name, or beside a field with its id.
    fn amazon_fields(&self, fields: &mut Map<String, Value>) -> bool {
        let has_id = |value: &Value| value.as_str().is_some_and(shapes::has_amazon_id);
        let beside = fields.values().any(has_id);
        let mut changed = false;
        for (name, value) in fields.iter_mut() {
            if !(beside || shapes::names_amazon_secret(name)) {
                continue;
            }
            let Value::String(text) = value else { continue };
            for found in shapes::amazon_keys(text.as_bytes()).into_iter().rev() {
                text.replace_range(found, REDACTED);
                self.0.shaped.fetch_add(1, Ordering::Relaxed);
                changed = true;
            }
        }
        changed
    }

    /// Returns how often secrets were taken out, by the names of variables, then by the two other
    /// sources.
    pub(crate) fn taken(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for (name, count) in &self.0.taken {
            // One variable may hold several secrets, as a connection string does.
            *all.entry(name.clone()).or_default() += count.load(Ordering::Relaxed);
        }
        all.insert(BY_SHAPE.to_owned(), self.0.shaped.load(Ordering::Relaxed));
        all.insert(BY_HOOK.to_owned(), self.0.masked.load(Ordering::Relaxed));
        all.retain(|_, count| *count > 0);
        all
    }

    /// Returns whether there are hooks, which are the user's code and may take long.
    pub(crate) fn has_hooks(&self) -> bool {
        !self.0.hooks.is_empty()
    }

    /// Returns the number of texts at which a hook panicked.
    pub(crate) fn panics(&self) -> usize {
        self.0.panics.load(Ordering::Relaxed)
    }

    /// Records that a hook does not return; no further text is given to hooks.
    pub(crate) fn give_up_on_hooks(&self) {
        self.0.stuck.store(true, Ordering::Relaxed);
    }

    /// Returns whether a hook did not return.
    pub(crate) fn has_given_up(&self) -> bool {
        self.0.stuck.load(Ordering::Relaxed)
    }

    /// Returns a redactor that replaces every text, for texts that hooks should have seen and could not.
    pub(crate) fn of_everything(&self) -> Self {
        Self::build(&[], vec![|_| Some(STUCK.to_owned())], self.0.capture_none)
    }

    /// Creates a redactor as with `HH_CAPTURE=none`.
    #[cfg(test)]
    pub(crate) fn capturing_nothing() -> Self {
        Self::build(&[], Vec::new(), true)
    }

    fn without_secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let mut clean = String::new();
        let mut copied = 0;
        let mut amazon = shapes::amazon_secrets(text).into_iter().peekable();
        loop {
            while amazon.next_if(|found| found.start < copied).is_some() {}
            let found = match (self.find(bytes, copied), amazon.peek()) {
                (Some(found), Some(own)) if own.start < found.start => own.clone(),
                (Some(found), _) => found,
                (None, Some(own)) => own.clone(),
                (None, None) => break,
            };
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

    /// Returns the first secret from `from` on. A match starts and ends at characters: known secrets are
    /// whole texts, and shapes are ASCII or end at ASCII.
    fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        if text.len() - from < SHORTEST {
            return None;
        }
        // This is a plain loop over bytes, since every text of every attempt comes through here: tests
        // are not optimised, and there iterators take ten times as long.
        let (mut at, last) = (from, text.len() - 1);
        while at < last {
            if self.0.starts.first[usize::from(text[at])] {
                let pair = [text[at], text[at + 1]];
                if self.0.starts.has(pair)
                    && let Some(found) = self.secret_at(text, at, pair)
                {
                    return Some(found);
                }
            }
            at += 1;
        }
        None
    }

    /// Returns the secret that starts here with this pair.
    fn secret_at(&self, text: &[u8], at: usize, pair: [u8; 2]) -> Option<Range<usize>> {
        let known = self.0.known.longest(&text[at..], pair);
        let shape = shapes::find(text, at);
        // The longer one of two that start here counts; of two that end together, the one with a name.
        match (known, shape) {
            (Some((length, secret)), shape)
                if shape.as_ref().is_none_or(|shape| shape.end <= at + length) =>
            {
                self.0.taken[secret].1.fetch_add(1, Ordering::Relaxed);
                Some(at..at + length)
            }
            (_, Some(shape)) => {
                self.0.shaped.fetch_add(1, Ordering::Relaxed);
                Some(shape)
            }
            (_, None) => None,
        }
    }
}

/// A set of pairs of bytes.
struct Pairs {
    pairs: Box<[u64; 1024]>,
    /// Set for bytes that some pair starts with.
    first: Box<[bool; 256]>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { pairs: Box::new([0; 1024]), first: Box::new([false; 256]) }
    }
}

impl Pairs {
    fn place([first, second]: [u8; 2]) -> (usize, u32) {
        (usize::from(first) * 4 + usize::from(second / 64), u32::from(second % 64))
    }

    fn add(&mut self, pair: [u8; 2]) {
        let (word, bit) = Self::place(pair);
        self.pairs[word] |= 1 << bit;
        self.first[usize::from(pair[0])] = true;
    }

    fn has(&self, pair: [u8; 2]) -> bool {
        let (word, bit) = Self::place(pair);
        self.pairs[word] >> bit & 1 == 1
    }
}

#[cfg(test)]
mod tests;
