//! `cargo honeyhive`: what experiments left behind, seen from a shell.
//!
//! One module per subcommand: its arguments, and a `run` that gives back what is to be printed.

mod place;
mod push;
mod report;
mod runs;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::report as output;

/// The command line cannot be understood (`EX_USAGE`).
const USAGE: u8 = 64;

const AFTER_HELP: &str = "\
Examples:
  cargo honeyhive runs                  what was run here, the newest first
  cargo honeyhive runs --limit 1 --json the last one, for scripts
  cargo honeyhive report --open         the reports of the last run, in a browser
  cargo honeyhive report --format md    the same as a comment for a pull request
  cargo honeyhive push                  sends what no server has taken yet

Journals are looked for in --dir, then in HH_DIR, then in `honeyhive` in the target
directory (CARGO_TARGET_DIR, or the nearest `target` that has one, from here upwards).

Exit codes:
  0   done
  1   not done; standard error says why
  64  the command line cannot be understood";

/// Looks at what experiments left behind.
///
/// `cargo test` runs experiments and keeps a journal of each run; this command shows what is in
/// them, and sends what did not get through.
#[derive(Debug, Parser)]
#[command(name = "cargo-honeyhive", bin_name = "cargo honeyhive", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Runs(runs::Args),
    Report(report::Args),
    Push(push::Args),
}

/// What a subcommand did.
struct Done {
    /// To be printed.
    text: String,
    /// Whether it got where it wanted to.
    good: bool,
}

type Outcome = Result<Done, String>;

/// The `main` of `cargo-honeyhive`.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and the version are no errors, though clap hands them over as such.
            let is_error = answer.use_stderr();
            output::styled(&answer.render().ansi().to_string(), is_error);
            return if is_error { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let done = Config::from_env().and_then(|config| match cli.command {
        Command::Runs(args) => runs::run(&args, &config).map(|text| Done { text, good: true }),
        Command::Report(args) => report::run(&args, &config).map(|text| Done { text, good: true }),
        Command::Push(args) => push::run(&args, &config),
    });
    match done {
        Ok(Done { text, good }) => {
            // What failed belongs to people, unless it is JSON for a script.
            output::styled(&text, !good && !text.starts_with('['));
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    }
}

/// The arguments without the name of the subcommand, which cargo passes on.
fn arguments(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "honeyhive") {
        arguments.remove(1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_passes_its_own_name_for_it() {
        let of = |words: &[&str]| arguments(words.iter().map(OsString::from).collect());
        assert_eq!(of(&["x", "honeyhive", "runs"]), ["x", "runs"]);
        assert_eq!(of(&["x", "runs"]), ["x", "runs"]);
        assert_eq!(of(&["x"]), ["x"]);
    }
}
