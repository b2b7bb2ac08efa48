//! What a panic said, and where.
//!
//! A panic inside an attempt is a result of its case. The hook keeps its text for the record and
//! prints nothing; a backtrace would cost half a second of symbol look-ups per panic and bury
//! the summary. Panics elsewhere go to the hook that was there before.

use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, Once, PoisonError};

use opentelemetry::Context;

use crate::redact::is_masking;

/// Where the panic of one call is noted; travels in its context.
#[derive(Clone, Debug, Default)]
pub(super) struct PanicNote(Arc<Mutex<Option<String>>>);

impl PanicNote {
    /// The text of the panic, with its place.
    pub(super) fn take(&self) -> String {
        let mut note = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note.take().unwrap_or_else(|| "panicked".to_owned())
    }
}

/// Installs the hook, once per process.
pub(super) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if is_masking() {
                // Its text may be what the hook was to mask.
                return;
            }
            let note = Context::map_current(|cx| cx.get::<PanicNote>().cloned());
            match note {
                Some(note) => {
                    let mut slot = note.0.lock().unwrap_or_else(PoisonError::into_inner);
                    // A panic that the user's code caught is not the one that ends it.
                    *slot = Some(describe(panic));
                }
                // Whoever reads our output may have seen enough of it.
                None if describe(panic).contains("Broken pipe") => {}
                None => previous(panic),
            }
        }));
    });
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    match panic.location() {
        Some(place) => format!("panicked at {}:{}: {message}", place.file(), place.line()),
        None => format!("panicked: {message}"),
    }
}
