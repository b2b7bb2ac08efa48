//! Catches panics of user code, with their texts and places.
//!
//! A panic inside an attempt is a result of its case. The hook keeps its text for the record and
//! prints nothing; a backtrace would cost half a second of symbol look-ups per panic and bury
//! the summary. A hook that the user's program has installed is called as well: it may count panics
//! or send them somewhere. Panics elsewhere go to the hook that was there before. When the last run
//! is over, the hook of before is installed again.

use std::any::Any;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::poison;
use crate::redact::is_masking;
use crate::unwind;

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// The note of a panic of one call: its text and its place.
#[derive(Clone, Debug, Default)]
pub(super) struct PanicNote(Arc<Mutex<Option<String>>>);

tokio::task_local! {
    /// The note of the call that runs on this thread.
    static NOTE: PanicNote;
}

impl PanicNote {
    fn slot(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the text of the panic that ended the call, with its place. Where a hook of the user has
    /// replaced ours, the place is not known.
    pub(super) fn take(&self, payload: &(dyn Any + Send)) -> String {
        let noted = self.slot().take();
        noted.unwrap_or_else(|| poison::with_cause(format!("panicked: {}", message(payload))))
    }

    /// Runs synchronous code whose panics are noted here.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        NOTE.sync_scope(self.clone(), work)
    }

    /// Runs asynchronous code whose panics are noted here.
    pub(super) async fn poll<T>(self, work: impl Future<Output = T>) -> T {
        NOTE.scope(self, work).await
    }
}

/// Runs code of the user outside of attempts.
///
/// # Errors
/// When the code panics: the text of the panic.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let note = PanicNote::default();
    let caught = note.run(|| unwind::catch(work));
    caught.map_err(|payload| note.take(&*payload))
}

/// A use of the hook, which stays installed while any of these lives.
#[must_use]
#[derive(Debug)]
pub(crate) struct HookUse(());

struct State {
    uses: usize,
    installed: Option<Installed>,
}

struct Installed {
    /// The address of our hook, by which it is recognized.
    address: usize,
    /// A reference that is dead when other code has replaced our hook and dropped it.
    alive: Weak<()>,
    previous: Arc<Box<Hook>>,
    /// Set when the hook of before is that of the standard library.
    was_default: bool,
}

static STATE: Mutex<State> = Mutex::new(State { uses: 0, installed: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the hook, unless it is there already.
pub(crate) fn use_hook() -> HookUse {
    let mut state = state();
    state.uses += 1;
    let is_there = || state.installed.as_ref().is_some_and(|hook| hook.alive.strong_count() > 0);
    // The hook cannot be changed by a thread that panics.
    if !is_there() && !std::thread::panicking() {
        state.installed = Some(install());
    }
    HookUse(())
}

impl Drop for HookUse {
    fn drop(&mut self) {
        let mut state = state();
        state.uses -= 1;
        // Otherwise the hook stays, and passes everything on.
        if state.uses == 0
            && !std::thread::panicking()
            && let Some(installed) = state.installed.take()
        {
            state.installed = uninstall(installed);
        }
    }
}

fn address(hook: &Hook) -> usize {
    (&raw const *hook).cast::<()>().addr()
}

fn install() -> Installed {
    let previous: Box<Hook> = take_hook();
    // Now the hook is that of the standard library, which has one address and one type.
    let default: Box<Hook> = take_hook();
    // Both are made at one place of std, so that they share a vtable as well.
    let was_default = std::ptr::eq(&raw const *previous, &raw const *default);
    let previous = Arc::new(previous);
    let (own, alive) = (Arc::clone(&previous), Arc::new(()));
    let installed = |address| Installed {
        address,
        alive: Arc::downgrade(&alive),
        previous: Arc::clone(&previous),
        was_default,
    };
    let hook: Box<Hook> = Box::new({
        let alive = Arc::clone(&alive);
        move |panic| {
            let _ = &alive;
            on_panic(panic, &**own, was_default);
        }
    });
    let installed = installed(address(&*hook));
    set_hook(hook);
    installed
}

/// Installs the hook of before again. A hook that was installed meanwhile stays; ours stays
/// below it, if it is there, and passes everything on.
fn uninstall(installed: Installed) -> Option<Installed> {
    let top: Box<Hook> = take_hook();
    if address(&*top) != installed.address || installed.alive.strong_count() == 0 {
        set_hook(top);
        return (installed.alive.strong_count() > 0).then_some(installed);
    }
    drop(top);
    if !installed.was_default {
        match Arc::try_unwrap(installed.previous) {
            Ok(previous) => set_hook(previous),
            // Some thread is in it.
            Err(previous) => set_hook(Box::new(move |panic| previous(panic))),
        }
    }
    None
}

fn on_panic(panic: &PanicHookInfo<'_>, previous: &Hook, was_default: bool) {
    if is_masking() {
        // Its text may be what the hook was to mask.
        return;
    }
    let Ok(note) = NOTE.try_with(PanicNote::clone) else {
        previous(panic);
        return;
    };
    // A panic that the user's code caught is not the one that ends it.
    *note.slot() = Some(poison::with_cause(describe(panic)));
    if !was_default {
        previous(panic);
    }
}

fn message(payload: &dyn Any) -> &str {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    match text {
        None => "a value that is no text",
        Some(text) if text.trim().is_empty() => "a panic without a text",
        Some(text) => text,
    }
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let message = message(panic.payload());
    match panic.location() {
        Some(place) => format!("panicked at {}:{}: {message}", place.file(), place.line()),
        None => format!("panicked: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panic_has_a_text() {
        assert_eq!(message(&"out of paper"), "out of paper");
        assert_eq!(message(&" ".to_owned()), "a panic without a text");
        assert_eq!(message(&7), "a value that is no text");
    }
}
