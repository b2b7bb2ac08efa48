//! Runs `cargo honeyhive`, which shows and uses the results of experiments from a shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    honeyhive_harness::cli::main()
}
