//! The engine: runs the attempts of experiments, whatever asks for them.
//!
//! The user's code runs on one multi-threaded runtime. The engine itself (clock, schedule,
//! journal) has a thread of its own, so that a function which blocks its thread can neither stop
//! the clock nor keep other cases from being recorded.
//!
//! From the bottom: [`job`] says which cases run, [`state`] is what a run knows, [`execute`] and
//! [`threads`] run the user's code, [`attempt`] and [`evaluate`] make one attempt, [`settle`] records
//! it and decides its case, [`schedule`] says which attempt comes next.

mod attempt;
mod board;
mod case_result;
mod check;
mod context;
mod current;
mod definition;
mod evaluate;
mod execute;
mod function;
mod halt;
mod in_flight;
mod job;
mod panics;
mod places;
mod poison;
mod progress;
mod record;
mod replay;
mod schedule;
mod settle;
mod spec;
mod state;
mod threads;

pub(crate) use board::Outcome;
pub(crate) use check::{check, no_faults};
pub(crate) use definition::{Definition, Used};
pub(crate) use execute::workers;
pub(crate) use function::{CONCURRENCY, Run, TIMEOUT};
pub(crate) use job::{Job, Options, most_at_once};
pub(crate) use panics::{catch, use_hook};
pub(crate) use replay::Replay;
pub(crate) use schedule::{Running, start};
pub(crate) use spec::{Spec, Wishes};
pub(crate) use state::{Shared, describe_current};
pub(crate) use threads::STACK;
