//! What the functional tests stand on: small crates, the real `cargo test`, and what it says.
//!
//! A [`Project`] is a crate with experiments, written below the target directory and built once.
//! A [`Run`] is what became of one `cargo test` in it: exit code, output and journal. Where a test
//! has to act while experiments run (signals, `kill -9`), it starts the test binary itself, as a
//! [`Process`].
//!
//! A [`Fake`] is a HoneyHive that runs inside the test and takes nothing that breaks the protocol.
//!
//! A test that needs a tool which not every machine has asks [`needs`] for it.
//!
//! Every run has a scratch directory of its own, which holds its journal and whatever its
//! experiments note down (see `probe.rs`, a module of every project).

// Whatever goes wrong in here is the failure of a test.
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
