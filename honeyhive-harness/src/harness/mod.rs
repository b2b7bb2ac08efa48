//! The test binary: the interface between cargo and the engine.
//!
//! [`main!`](crate::main) makes [`run`] the `main` of a test target. libtest-mimic prints what cargo and
//! nextest read; the cases run in the engine, and each test only waits for its result.

mod announce;
mod args;
mod capacity;
mod entry;
mod execute;
mod exit;
mod filters;
mod interrupt;
mod live;
mod load;
mod modules;
mod never_run;
mod order;
mod place;
mod plan;
mod rejudge;
mod repeats;
mod setup;
mod sources;
mod task;
mod trials;
mod waiting;

#[doc(hidden)]
pub use entry::run;
#[doc(hidden)]
pub use never_run::NeverRun;
#[doc(hidden)]
pub use sources::Built;
