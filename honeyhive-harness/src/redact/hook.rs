//! Calls the hooks of the user, which mask names, addresses and other private data.

use std::cell::Cell;

use crate::activity::{self, What};
use crate::unwind;

/// The type of a hook: returns the replacement for a text; `None` leaves it as it is.
pub type Mask = fn(&str) -> Option<String>;

/// The compile-time entry for a hook, made by [`redact!`](crate::redact!).
#[derive(Clone, Copy, Debug)]
pub struct RedactHook {
    /// The function that masks texts.
    pub mask: Mask,
    /// The module that registers it.
    pub module: &'static str,
    /// The source file, as rustc was given it.
    pub file: &'static str,
    /// The line of the macro call.
    pub line: u32,
}

inventory::collect!(RedactHook);

/// Registers a function that masks texts before they are recorded, printed or sent.
///
/// The function has the form `fn(&str) -> Option<String>` and sees every text of an attempt: inputs, outputs,
/// errors, attributes of spans, explanations, but not the names of fields and not ids. Its result
/// replaces the text; `None` leaves it. Keys of well-known shapes and the values of secret
/// environment variables are already gone when it is called. Several hooks run in the order of
/// their modules, files and lines, each on the result of the one before it.
///
/// The text is replaced as a whole if a hook panics.
///
/// ```
/// fn mask_mail(text: &str) -> Option<String> {
///     let mask = |word: &str| if word.contains('@') { "[mail]" } else { word }.to_owned();
///     text.contains('@').then(|| text.split(' ').map(mask).collect::<Vec<_>>().join(" "))
/// }
///
/// honeyhive_harness::redact!(mask_mail);
/// ```
#[macro_export]
macro_rules! redact {
    ($mask:path) => {
        $crate::__private::inventory::submit! {
            $crate::__private::RedactHook {
                mask: $mask,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
            }
        }
    };
}

/// Returns all linked hooks, in an order that does not depend on the linker.
pub(super) fn registered() -> Vec<Mask> {
    let mut all: Vec<&RedactHook> = inventory::iter::<RedactHook>.into_iter().collect();
    all.sort_by_key(|hook| (hook.module, hook.file, hook.line));
    all.into_iter().map(|hook| hook.mask).collect()
}

thread_local! {
    static MASKING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread is inside a hook. A panic there is not printed, because its text may
/// be what the hook was to mask.
pub(crate) fn is_masking() -> bool {
    MASKING.try_with(Cell::get).unwrap_or_default()
}

/// The error of a hook that has panicked.
pub(super) struct Panicked;

pub(super) fn call(mask: Mask, text: &str) -> Result<Option<String>, Panicked> {
    let was = MASKING.replace(true);
    let _waiting = activity::enter(What::Lazy(describe, (mask as *const ()).addr()));
    let masked = unwind::catch(|| mask(text));
    MASKING.set(was);
    masked.map_err(|_| Panicked)
}

/// Describes a hook by its address: `the hook of redact! at src/lib.rs:12`.
fn describe(address: usize) -> String {
    let mut all = inventory::iter::<RedactHook>.into_iter();
    match all.find(|hook| (hook.mask as *const ()).addr() == address) {
        Some(hook) => format!("the hook of redact! at {}:{}", hook.file, hook.line),
        None => "a hook that takes secrets out of texts".to_owned(),
    }
}
