//! Ends of the process: regular ones, and those that the code under test makes.
//!
//! `std::process::exit(0)` in a function, an evaluator or a dataset would make a run that never
//! happened look like one in which everything passed. While a run is guarded, such an end is reported
//! and becomes a failure. Programs that use the engine without [`main!`](crate::main) are not
//! guarded, since they decide themselves how they end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, Weak};

use crate::activity;
use crate::engine::{Shared, describe_current};
use crate::invocation::FAILED;
use crate::report;

/// The id of the process whose run is guarded, or zero. A forked child has another id and may exit.
static GUARDED: AtomicU32 = AtomicU32::new(0);

/// The run under way, for the names of its cases.
static RUN: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

/// The number of cases under way that are named.
const NAMED: usize = 3;

/// A guard that makes any unexpected end of the process a failure while it lives.
#[must_use]
pub(super) struct Guard(());

/// Guards the run of this process.
pub(super) fn guard() -> Guard {
    GUARDED.store(std::process::id(), Ordering::Release);
    Guard(())
}

impl Drop for Guard {
    fn drop(&mut self) {
        GUARDED.store(0, Ordering::Release);
    }
}

/// Sets the run whose cases are named when their code ends the process.
pub(super) fn watch(run: Weak<Shared>) {
    *RUN.lock().unwrap_or_else(PoisonError::into_inner) = run;
}

/// Ends the process in order: handlers that are registered for its end are called.
#[expect(
    clippy::exit,
    reason = "the main thread is inside libtest-mimic, which cannot be asked to return"
)]
pub(super) fn exit(code: u8) -> ! {
    GUARDED.store(0, Ordering::Release);
    std::process::exit(code.into())
}

/// Ends the process at once: takes no lock, flushes nothing, calls nothing of the user.
pub(super) fn exit_at_once(code: u8) -> ! {
    signal_hook::low_level::exit(code.into())
}

dtor::declarative::dtor! {
    /// Runs when the C library ends the process, on the thread that ends it.
    #[dtor(unsafe)]
    fn at_exit() {
        if GUARDED.swap(0, Ordering::AcqRel) == std::process::id() {
            // A panic must not get from here into the C library.
            let _ = catch_unwind(AssertUnwindSafe(tell));
            exit_at_once(FAILED);
        }
    }
}

fn tell() {
    let run = RUN.try_lock().ok().and_then(|run| run.upgrade());
    let place = run.as_deref().and_then(describe_current).or_else(activity::here);
    let under_way = || {
        let mut tests = run.as_deref()?.tests_in_flight()?;
        let more = tests.len().saturating_sub(NAMED);
        tests.truncate(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!tests.is_empty()).then(|| format!("{}{more}", tests.join(", ")))
    };
    let place = match (place, under_way()) {
        (Some(place), _) => format!("in {place}"),
        (None, Some(tests)) => format!("on a thread of its own while these cases ran: {tests}"),
        (None, None) => "outside of any case".to_owned(),
    };
    let recorded = run.as_deref().map_or_else(String::new, |run| {
        let lanes = &run.board.lanes;
        let (done, all): (usize, usize) =
            lanes.iter().fold((0, 0), |(done, all), lane| (done + lane.ran(), all + lane.total()));
        format!("; {done} of {all} cases were done, and the journal has no end")
    });
    report::error(&format!(
        "`std::process::exit` was called {place}{recorded}: the run is not finished and counts as \
         failed; return an error or panic there instead"
    ));
}
