//! `cargo honeyhive`: what experiments left behind, seen from a shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    honeyhive_harness::cli::main()
}
