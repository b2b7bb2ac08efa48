//! Errors of set-up code that fails once and poisons later uses.
//!
//! A `LazyLock` whose code panics reports that once; every later use panics with "has previously been
//! poisoned", which gives no reason. Such a text is extended by the panic that came first.

use std::backtrace::Backtrace;
use std::sync::{Mutex, PoisonError};

/// Texts of panics and errors that come from an earlier panic: of the standard library, `once_cell`,
/// `spin` and `lazy_static`.
const POISONED: [&str; 5] = [
    "has previously been poisoned",
    "PoisonError",
    "poisoned lock",
    "Once previously poisoned",
    "Once panicked",
];

/// The text before the panic that came first.
const CAUSE: &str = "; the panic before it: ";

/// The most panics that are remembered.
const KEPT: usize = 16;

/// The first panics of the process and where each was on the stack; that is turned into names only
/// when they are needed, which takes half a second.
static EARLIER: Mutex<Vec<(String, Backtrace)>> = Mutex::new(Vec::new());

/// Returns whether a text says that an earlier panic is the cause.
pub(super) fn is_consequence(text: &str) -> bool {
    POISONED.iter().any(|poisoned| text.contains(poisoned))
}

/// Adds the earlier panic to a text that has one as its cause; remembers any other text.
pub(super) fn with_cause(text: String) -> String {
    let mut earlier = EARLIER.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_consequence(&text) {
        if earlier.len() < KEPT && earlier.iter().all(|(other, _)| *other != text) {
            earlier.push((text.clone(), Backtrace::force_capture()));
        }
        return text;
    }
    match cause(&text, &earlier) {
        Some(cause) => format!("{text}{CAUSE}{cause}"),
        None => text,
    }
}

/// Adds the earlier panic to the error of a function, unless its text has it already.
pub(super) fn error_with_cause(text: String) -> String {
    if is_consequence(&text) && !text.contains(CAUSE) { with_cause(text) } else { text }
}

/// Finds the panic that a poisoned text comes from: the only one, or else the first that was within code
/// that runs once, as far as that can be seen.
fn cause<'a>(text: &str, earlier: &'a [(String, Backtrace)]) -> Option<&'a str> {
    let within_once = |backtrace: &Backtrace| {
        let frames = backtrace.to_string();
        ["sync::lazy_lock::", "sync::once::", "once_cell::", "spin::once::"]
            .iter()
            .any(|name| frames.contains(name))
    };
    let of_once = !text.contains("PoisonError") && !text.contains("poisoned lock");
    let found = match earlier {
        [_, _, ..] if of_once => earlier.iter().find(|(_, backtrace)| within_once(backtrace)),
        _ => None,
    };
    found.or_else(|| earlier.first()).map(|(text, _)| text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisoned_text_is_recognised() {
        for text in [
            "LazyLock instance has previously been poisoned",
            "Once instance has previously been poisoned",
            "called `Result::unwrap()` on an `Err` value: PoisonError { .. }",
            "poisoned lock: another task failed inside",
        ] {
            assert!(is_consequence(text), "{text}");
        }
        assert!(!is_consequence("the key is not set"));
    }

    #[test]
    fn of_several_panics_the_one_within_a_lazy_lock_is_named() {
        static WITHIN: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
            let mut earlier = EARLIER.lock().unwrap_or_else(PoisonError::into_inner);
            earlier.push(("the key".to_owned(), Backtrace::force_capture()));
            String::new()
        });
        EARLIER.lock().unwrap().push(("an assertion".to_owned(), Backtrace::force_capture()));
        let _ = &*WITHIN;
        let earlier = std::mem::take(&mut *EARLIER.lock().unwrap());
        let poisoned = "LazyLock instance has previously been poisoned";
        assert_eq!(cause(poisoned, &earlier), Some("the key"));
        assert_eq!(cause("PoisonError { .. }", &earlier), Some("an assertion"));
        assert_eq!(cause(poisoned, &earlier[..1]), Some("an assertion"));
        assert_eq!(cause(poisoned, &[]), None);
    }
}
