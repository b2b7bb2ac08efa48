//! The stage of a run: it goes on, finishes its calls under way, or waits for nothing any more.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

const STOPPED: u8 = 1;
const INTERRUPTED: u8 = 2;
const CUT: u8 = 3;

/// The stage of a run; it only advances. A second look of a gate shares the one of its run.
#[derive(Debug, Default)]
pub(crate) struct Halt {
    stage: AtomicU8,
    reason: OnceLock<String>,
    /// Set by the signal handler itself, before any thread learns of the signal.
    signalled: Arc<AtomicBool>,
    advanced: Notify,
}

impl Halt {
    /// Starts no further call, a retry included. Calls under way go on.
    pub(crate) fn stop(&self, reason: impl Into<String>) {
        let _ = self.reason.set(reason.into());
        self.advance(STOPPED);
    }

    /// Stops after a signal: a call that ends in an error from now on may do so because its child
    /// processes got the signal, too, so its case counts as not run.
    pub(crate) fn interrupt(&self) {
        let _ = self.reason.set("interrupted".to_owned());
        self.advance(INTERRUPTED);
    }

    /// Stops waiting for calls under way; their cases are not run.
    pub(crate) fn cut(&self) {
        self.advance(CUT);
    }

    /// Returns the reason why no further call is started.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }

    /// Returns the flag that a signal handler sets.
    pub(crate) fn signalled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.signalled)
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.signalled.load(Ordering::Acquire) || self.stage.load(Ordering::Acquire) >= INTERRUPTED
    }

    /// Waits until no further call may be started.
    pub(super) async fn stopped(&self) {
        self.reached(STOPPED).await;
    }

    /// Waits until calls under way are waited for no longer.
    pub(super) async fn is_cut(&self) {
        self.reached(CUT).await;
    }

    fn advance(&self, stage: u8) {
        self.stage.fetch_max(stage, Ordering::AcqRel);
        self.advanced.notify_waiters();
    }

    async fn reached(&self, stage: u8) {
        loop {
            // `notify_waiters` reaches those that exist, polled or not: so first this, then the look.
            let advanced = self.advanced.notified();
            if self.stage.load(Ordering::Acquire) >= stage {
                return;
            }
            advanced.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_first_reason_stays_and_later_stages_include_earlier_ones() {
        let halt = Arc::new(Halt::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let waiting = tokio::spawn({
                let halt = Arc::clone(&halt);
                async move {
                    halt.stopped().await;
                    halt.is_cut().await;
                }
            });
            tokio::task::yield_now().await;
            halt.stop("the budget ended");
            halt.interrupt();
            halt.cut();
            halt.stop("too late");
            waiting.await.unwrap();
        });
        assert_eq!(halt.reason(), Some("the budget ended"));
        assert!(halt.is_interrupted());
    }
}
