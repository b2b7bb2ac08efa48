//! Tests the real `cargo test` on small crates, by its output, exit code and files.
//!
//! There is one module per topic, and one project per module. The experiments of a project are in
//! `evals/`. Expected texts are inline snapshots (`cargo insta review` updates them).

mod audit;
mod baselines;
mod bindings;
mod cli;
mod datasets;
mod engine;
mod exits;
mod features;
mod gates;
mod hard_inputs;
mod honeyhive;
mod hostile;
mod hostile_journal;
mod hostile_threads;
mod interrupts;
mod journal;
mod layouts;
mod library;
mod libtest;
mod managed;
mod moved;
mod never_run;
mod nextest;
mod outcomes;
mod panic_hooks;
mod readme;
mod redaction;
mod regression;
mod repeats;
mod reports;
mod rerun;
mod selection;
mod signals;
mod stopping;
mod terminal;
mod trace_attribute;
mod tracer;
mod values;
mod waiting;
