//! What the functional tests stand on: small crates, the real `cargo test`, and what it says.
//!
//! A [`Project`] is a crate with experiments, written below the target directory and built once.
//! A [`Run`] is what became of one `cargo test` in it: exit code, output and journal. Where a test
//! has to act while experiments run (signals, `kill -9`), it starts the test binary itself, as a
//! [`Process`].
//!
//! A [`Fake`] is a HoneyHive that runs inside the test and takes nothing that breaks the protocol.
//!
//! Every run has a scratch directory of its own, which holds its journal and whatever its
//! experiments note down (see `probe.rs`, a module of every project).

// Whatever goes wrong in here is the failure of a test.
#![allow(clippy::missing_panics_doc)]

mod cli;
pub mod fake;
mod normalize;
mod process;
mod project;
pub mod python;
mod run;

pub use cli::Honeyhive;
pub use fake::Fake;
pub use process::Process;
pub use project::{Cargo, Project, has_nextest};
pub use run::{Run, tree};
