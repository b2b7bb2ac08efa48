//! The tools of the functional tests: small crates, runs of the real `cargo test`, and their
//! output.
//!
//! A [`Project`] is a crate with experiments, written below the target directory and built once.
//! A [`Run`] is the result of one `cargo test` in it: exit code, output and journal. Where a test
//! has to act while experiments run (signals, `kill -9`), it starts the test binary itself, as a
//! [`Process`].
//!
//! A [`Fake`] is a HoneyHive server inside the test that refuses every request that breaks the
//! protocol.
//!
//! A test that needs a tool which is not on every machine asks [`needs`] for it.
//!
//! Every run has its own scratch directory, with its journal and with the notes of its experiments
//! (see `probe.rs`, a module of every project).

// A panic in this crate is the failure of a test.
#![allow(clippy::missing_panics_doc)]

mod cli;
mod command;
pub mod fake;
pub mod needs;
mod normalize;
mod process;
mod project;
mod run;

pub use cli::Honeyhive;
pub use command::finish;
pub use fake::Fake;
pub use process::Process;
pub use project::{Cargo, Project, fetch_crates, is_target_dir};
pub use run::{Run, sealed, tree};
