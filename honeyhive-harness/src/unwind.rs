//! Catches panics of the user's code, whatever their payload does.

use std::any::Any;
use std::mem;
use std::ops::Deref;
use std::panic::{self, AssertUnwindSafe};

/// The payload of a panic. Dropping it never panics, even if the user's `Drop` does.
pub(crate) struct Payload(Option<Box<dyn Any + Send>>);

impl From<Box<dyn Any + Send>> for Payload {
    fn from(payload: Box<dyn Any + Send>) -> Self {
        Self(Some(payload))
    }
}

impl Deref for Payload {
    type Target = dyn Any + Send;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(&())
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let payload = self.0.take();
        if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            // It may be of the same type.
            mem::forget(second);
        }
    }
}

/// Runs code of the user.
///
/// # Errors
/// Returns the payload of its panic.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Payload> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(Payload::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hostile;

    impl Drop for Hostile {
        fn drop(&mut self) {
            panic::panic_any(Self);
        }
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_ends_nothing() {
        let caught = catch(|| panic::panic_any(Hostile));
        assert!(caught.is_err_and(|payload| payload.is::<Hostile>()));
        let text = catch(|| panic!("out of paper"));
        assert!(text.is_err_and(|payload| payload.downcast_ref() == Some(&"out of paper")));
    }
}
