//! Conducts one run of experiments, from the first line of its journal to its last.
//!
//! The order is the same whoever asks for a run: open the journal, record the experiments, ask git,
//! start sending, start the engine, judge the gates, end the journal, print the summary, write the
//! reports, finish sending. A test target (the room `harness`) and a program (the room `experiment`)
//! differ only in what they put into a [`Setup`] and in what they make of the answers.
//!
//! All functions block. A program that must not block its thread runs them on one of their own.

mod close;
mod gates;
mod open;
pub(crate) mod sample;
mod second_look;
mod sending;
mod target;
mod terminal;

pub(crate) use gates::Answer;
pub(crate) use open::{Invocation, Opened, Setup, is_partial};
pub(crate) use second_look::is_wanted as looks_twice;
pub(crate) use target::Target;
pub(crate) use terminal::Terminal;

/// The reason why a gate does not judge in this run; `None` where it does.
pub(crate) type NotJudging = Option<String>;

/// The reason why an inconclusive gate fails, where the environment asks for gates that decide.
pub(crate) const STRICT: &str = "gates must decide here (in CI, or HH_REQUIRE_GATES=1)";

/// The exit code of failed tests, as libtest has it.
pub(crate) const FAILED: u8 = 101;

/// The exit code of a process that Ctrl-C or SIGTERM ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Blocks this thread until the process ends: another one prints the summary and then exits.
fn park_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}
