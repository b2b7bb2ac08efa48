//! The engine: runs the attempts of experiments, whatever asks for them.
//!
//! The user's code runs on one multi-threaded runtime. The engine itself (clock, schedule,
//! journal) has a thread of its own, so that a function which blocks its thread can neither stop
//! the clock nor keep other cases from being recorded.

mod attempt;
mod board;
mod check;
mod current;
mod cursor;
mod definition;
mod evaluate;
mod execute;
mod halt;
mod panics;
mod poison;
mod replay;
mod schedule;
mod settle;
mod spec;
mod threads;
mod turns;

pub(crate) use board::Outcome;
pub(crate) use check::{check, no_faults};
pub(crate) use current::describe_current;
pub(crate) use definition::{Definition, Used};
pub(crate) use execute::{STACK, workers};
pub(crate) use panics::{catch, use_hook};
pub(crate) use replay::Replay;
pub(crate) use schedule::{Job, Options, Running, Shared, most_at_once, start};
pub(crate) use spec::{CONCURRENCY, Run, Spec, TIMEOUT, Wishes};
