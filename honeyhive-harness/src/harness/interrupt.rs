//! Handles signals that end a run: Ctrl-C and SIGTERM.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::exit::{exit, exit_at_once};
use super::live::Line;
use crate::invocation::{INTERRUPTED, Invocation};

/// The time that attempts under way may go on after the first Ctrl-C: they are paid for already.
const GRACE: Duration = Duration::from_secs(2);

/// The time that the engine may take to give up calls that outlast the grace. It takes milliseconds,
/// unless a disk does not answer.
const SETTLING: Duration = Duration::from_secs(5);

/// Ends the process after a signal: waits for calls under way for a moment, then for the engine to
/// give them up, and closes. The process ends even if this thread panics.
fn end(invocation: &Invocation, line: &Line) -> ! {
    let close = || {
        let is_over = || invocation.is_over();
        if !wait_until(GRACE, is_over) {
            invocation.shared.halt().cut();
            wait_until(SETTLING, is_over);
        }
        line.stop();
        invocation.close(true, true).exit_code
    };
    let code = catch_unwind(AssertUnwindSafe(close)).unwrap_or(INTERRUPTED);
    exit(code)
}

/// Waits until a condition holds, for at most `limit`; returns whether it holds.
fn wait_until(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Handles Ctrl-C, or a request to end (SIGTERM): starts nothing more, waits for calls under way for a
/// moment, records what is done, and ends. While results are being sent, it ends the sending. A second
/// signal ends the process at once.
pub(super) fn on_interrupt(invocation: &Arc<Invocation>, line: &Line) {
    let (invocation, line) = (Arc::clone(invocation), line.clone());
    let signals = AtomicUsize::new(0);
    let watch = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        let signalled = invocation.shared.halt().signalled();
        runtime.block_on(each_signal(&signalled, move || {
            if signals.fetch_add(1, Ordering::AcqRel) > 0 {
                // Other threads may hold any lock, that of stdout included.
                line.try_clear();
                exit_at_once(INTERRUPTED);
            }
            // Where all is done and recorded, only the sending of results goes on.
            if invocation.hurry() {
                return;
            }
            invocation.interrupt();
            // A separate thread, so that this one can handle a second signal meanwhile.
            let (own, its_line) = (Arc::clone(&invocation), line.clone());
            let thread = std::thread::Builder::new().name("honeyhive-end".to_owned());
            if thread.spawn(move || end(&own, &its_line)).is_err() {
                end(&invocation, &line);
            }
        }));
    };
    // Without the thread, Ctrl-C ends the process by default; the journal is safe either way.
    let _ = std::thread::Builder::new().name("honeyhive-signals".to_owned()).spawn(watch);
}

/// Calls `on_signal` for each signal when this thread gets to it; `signalled` is set at once.
#[cfg(unix)]
async fn each_signal(signalled: &Arc<AtomicBool>, on_signal: impl Fn()) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::task::Poll;
    use tokio::signal::unix::{SignalKind, signal};

    let interrupt = signal(SignalKind::interrupt());
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, signal(SignalKind::terminate()))
    else {
        return;
    };
    for signal in [SIGINT, SIGTERM] {
        // Without it a signal is noticed a little later.
        let _ = signal_hook::flag::register(signal, Arc::clone(signalled));
    }
    loop {
        std::future::poll_fn(|cx| {
            let came = interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready();
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        on_signal();
    }
}

#[cfg(not(unix))]
async fn each_signal(_signalled: &Arc<AtomicBool>, on_signal: impl Fn()) {
    while tokio::signal::ctrl_c().await.is_ok() {
        on_signal();
    }
}
